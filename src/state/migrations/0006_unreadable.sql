-- Cells that could not be read and are NULL in the file.

ALTER TABLE file ADD COLUMN unreadable TEXT;   -- how many in which column, a JSON object; NULL: not recorded

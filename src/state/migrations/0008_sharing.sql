-- Jobs are defined alike but for a few keys: what they have in common is stored once. Rows of some kilobytes also need
-- fewer pages in a table with rowids.

CREATE TABLE common (
    id     INTEGER NOT NULL PRIMARY KEY,
    digest BLOB    NOT NULL UNIQUE,            -- SHA-256 of the text
    text   TEXT    NOT NULL                    -- a JSON object by the keys of a job
) STRICT;

CREATE TABLE new_definition (
    job_key    TEXT NOT NULL PRIMARY KEY,
    definition TEXT NOT NULL,                  -- a JSON object: the job's own keys
    common     INTEGER                         -- the others; NULL: there are no others
) STRICT;
INSERT INTO new_definition (job_key, definition) SELECT job_key, definition FROM definition;
DROP TABLE definition;
ALTER TABLE new_definition RENAME TO definition;

CREATE INDEX definition_common ON definition (common);

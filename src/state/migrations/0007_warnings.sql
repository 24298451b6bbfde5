-- Why the files of a run may hold other rows or values than an administrator expects.

ALTER TABLE run ADD COLUMN warnings TEXT;  -- of the last reading of the store, a JSON array; NULL: none

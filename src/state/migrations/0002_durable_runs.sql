-- Runs that go on after a crash, and runs that commands work on beside a daemon.

ALTER TABLE run ADD COLUMN presence TEXT;     -- the command that works on it, by its presence file
ALTER TABLE run ADD COLUMN fallback TEXT      -- what it is again if that command does not succeed
    CHECK (fallback IN ('delivered', 'failed', 'waiting'));

ALTER TABLE file ADD COLUMN is_manifest  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE file ADD COLUMN is_published INTEGER NOT NULL DEFAULT 0;  -- its rename was confirmed

CREATE INDEX file_spooled ON file (run) WHERE spool IS NOT NULL;

-- Hidden names that may exist at the destination: written before they are opened there, deleted when they are known
-- to be gone.
CREATE TABLE temporary (
    run  TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

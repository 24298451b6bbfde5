-- What a run was made of and met, what happened beside runs, and what people are told of.

ALTER TABLE run ADD COLUMN reason TEXT;        -- why sensitive columns left, in the job's words

ALTER TABLE attempt ADD COLUMN actor    TEXT;  -- who made it: daemon, or the user behind a command
ALTER TABLE attempt ADD COLUMN config   TEXT;  -- SHA-256 of the configuration that it went by
ALTER TABLE attempt ADD COLUMN host_key TEXT;  -- type and fingerprint of the key that the server has proven

ALTER TABLE file ADD COLUMN columns   TEXT;    -- their names, a JSON array; NULL: not recorded
ALTER TABLE file ADD COLUMN sensitive TEXT;    -- the sensitive ones of them

-- Older versions did not mark what they had published.
UPDATE file SET is_published = 1 WHERE run IN (SELECT id FROM run WHERE state = 'delivered');

-- When each stage of an attempt was entered.
CREATE TABLE passage (
    run        TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    position   INTEGER NOT NULL,               -- in the order of the attempt, from 0
    stage      TEXT    NOT NULL,
    entered_at INTEGER NOT NULL,
    PRIMARY KEY (run, attempt, position)
) STRICT, WITHOUT ROWID;

-- What the daemon did beside runs.
CREATE TABLE event (
    id     INTEGER NOT NULL PRIMARY KEY,       -- in the order in which they happened
    at     INTEGER NOT NULL,
    kind   TEXT    NOT NULL CHECK (kind IN ('started', 'stopped', 'accepted', 'refused')),
    config TEXT,                               -- SHA-256 of the configuration that it is about
    text   TEXT    NOT NULL,                   -- for people
    detail TEXT    NOT NULL                    -- for programs: a JSON object
) STRICT;

-- The jobs of the configuration that was accepted last, as it defined them.
CREATE TABLE definition (
    job_key    TEXT NOT NULL PRIMARY KEY,
    definition TEXT NOT NULL                   -- a JSON object by the keys of a job
) STRICT, WITHOUT ROWID;

-- What people are to be told of, written together with what it is about.
CREATE TABLE notice (
    id      INTEGER NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL CHECK (kind IN ('failure', 'recovery', 'late')),
    run     TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    made_at INTEGER NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,
    try_at  INTEGER,                           -- when it is tried next; NULL: sent, given up, or nobody to tell
    sent_at INTEGER
) STRICT;

CREATE INDEX notice_pending ON notice (try_at, id) WHERE try_at IS NOT NULL;
CREATE UNIQUE INDEX notice_late ON notice (run) WHERE kind = 'late';

-- A failure or a late run was told, or is to be; the next delivery of the job is a recovery.
ALTER TABLE job ADD COLUMN is_troubled INTEGER NOT NULL DEFAULT 0;

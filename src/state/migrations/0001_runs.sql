-- All times are microseconds since 1970-01-01T00:00:00 UTC.

-- What is known of a job beside its configuration.
CREATE TABLE job (
    job_key       TEXT    NOT NULL PRIMARY KEY,  -- the label in lower case
    first_seen    INTEGER NOT NULL,
    decided_until INTEGER NOT NULL,              -- occurrences up to here have their rows in `run`
    in_force      INTEGER NOT NULL               -- 0: left out of the configuration, or switched off
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id              TEXT    NOT NULL PRIMARY KEY,
    job_key         TEXT    NOT NULL,
    job             TEXT    NOT NULL,
    trigger         TEXT    NOT NULL CHECK (trigger IN ('schedule', 'manual', 'missed')),
    due_at          INTEGER NOT NULL,
    zone            TEXT    NOT NULL,            -- of the due time and the period
    occurrence      INTEGER,                     -- due_at; NULL for a manual run, which may be repeated
    period_from     INTEGER NOT NULL,
    period_to       INTEGER NOT NULL,
    state           TEXT    NOT NULL
                    CHECK (state IN ('queued', 'running', 'waiting', 'delivered', 'failed', 'skipped')),
    owner           TEXT    CHECK (owner IN ('daemon', 'command')),  -- who works on it while it is running
    stage           TEXT,                        -- how far the last attempt came
    attempts        INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    first_failed_at INTEGER,
    retry_at        INTEGER,
    error           TEXT,
    UNIQUE (job_key, occurrence)
) STRICT;

CREATE INDEX run_unfinished ON run (due_at, id) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX run_newest ON run (created_at, due_at, id);
CREATE INDEX run_newest_of_job ON run (job_key, created_at, due_at, id);

CREATE TABLE attempt (
    run        TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,                          -- NULL while it goes on, and for ever if the process died in it
    error      TEXT,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE file (
    run       TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,                  -- in the order of the job's exports, from 0
    name      TEXT    NOT NULL,
    export    TEXT    NOT NULL,
    row_count INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    sha256    TEXT    NOT NULL,
    spool     TEXT,                              -- where it lies in the spool; NULL once it is gone from there
    temp_name TEXT,                              -- at the destination, recorded before it is opened there
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

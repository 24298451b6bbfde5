-- What the wall clock has shown, and what was done while it may have been wrong.

CREATE TABLE clock (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    highest INTEGER NOT NULL,                  -- the latest time that the daemon went by
    held    TEXT                               -- while a jump ahead is in doubt: what happened, for people
) STRICT;

ALTER TABLE run ADD COLUMN read_at INTEGER;    -- when the store was last read for it
ALTER TABLE run ADD COLUMN early TEXT          -- it was decided before its due time, by a clock that was ahead;
    CHECK (early IN ('perhaps', 'yes'));       -- perhaps: that the clock was ahead is in doubt

UPDATE run SET read_at = (SELECT max(entered_at) FROM passage WHERE passage.run = run.id AND stage = 'querying');

CREATE INDEX run_occurrence ON run (occurrence) WHERE occurrence IS NOT NULL;
CREATE INDEX run_early ON run (early) WHERE early IS NOT NULL;

-- Events and notices about the clock. A notice is about a run, or is a text of its own.
CREATE TABLE new_event (
    id     INTEGER NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL,
    kind   TEXT    NOT NULL CHECK (kind IN ('started', 'stopped', 'accepted', 'refused', 'clock')),
    config TEXT,
    text   TEXT    NOT NULL,
    detail TEXT    NOT NULL
) STRICT;
INSERT INTO new_event SELECT id, at, kind, config, text, detail FROM event;
DROP TABLE event;
ALTER TABLE new_event RENAME TO event;

CREATE TABLE new_notice (
    id      INTEGER NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL CHECK (kind IN ('failure', 'recovery', 'late', 'clock')),
    run     TEXT    REFERENCES run (id) ON DELETE CASCADE,
    text    TEXT,
    made_at INTEGER NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,
    try_at  INTEGER,
    sent_at INTEGER,
    CHECK ((run IS NULL) = (text IS NOT NULL))
) STRICT;
INSERT INTO new_notice (id, kind, run, made_at, tries, try_at, sent_at)
    SELECT id, kind, run, made_at, tries, try_at, sent_at FROM notice;
DROP TABLE notice;
ALTER TABLE new_notice RENAME TO notice;

CREATE INDEX notice_pending ON notice (try_at, id) WHERE try_at IS NOT NULL;
CREATE UNIQUE INDEX notice_late ON notice (run) WHERE kind = 'late';

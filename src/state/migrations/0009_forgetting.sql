-- Runs that are older than history is kept are removed.

ALTER TABLE job ADD COLUMN forgotten_until INTEGER;  -- the last occurrence whose run was removed

-- A run's notices are removed with it.
CREATE INDEX notice_run ON notice (run) WHERE run IS NOT NULL;
CREATE INDEX notice_text ON notice (made_at) WHERE run IS NULL;

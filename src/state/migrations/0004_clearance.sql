-- For whom files were made and what they contain, so that nothing is sent that its job no longer allows; where hidden
-- files lie; and why sensitive columns were sent, attempt by attempt.

ALTER TABLE run ADD COLUMN recipient TEXT;       -- for whom its files were made, a JSON object; NULL: not recorded

ALTER TABLE file ADD COLUMN contents TEXT;       -- its columns and their sources, a JSON array, kept as long as it is
                                                 -- in the spool; NULL: not recorded

ALTER TABLE temporary ADD COLUMN location TEXT;  -- recipient and directory, a JSON object; NULL: not recorded

ALTER TABLE attempt ADD COLUMN location  TEXT;   -- where it delivered to, a JSON object
ALTER TABLE attempt ADD COLUMN reason    TEXT;   -- why sensitive columns were sent, in the job's words
ALTER TABLE attempt ADD COLUMN discarded TEXT;   -- why the spooled files of earlier attempts were not sent

-- A run kept the reason of the last attempt that set out for its destination, and of no other.
UPDATE attempt SET reason = (SELECT run.reason FROM run WHERE run.id = attempt.run)
WHERE number = (SELECT max(latest.number) FROM attempt AS latest
                WHERE latest.run = attempt.run AND latest.actor IS NOT NULL);

ALTER TABLE run DROP COLUMN reason;

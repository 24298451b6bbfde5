//! History: past runs, and one run in full.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::files::files;
use super::row::{UNFINISHED, from_json, maybe_time, maybe_word, records, time, to_micros, word};
use super::sql::Sql;
use super::{State, StateError, StoredFile, job_key};
use crate::clearance::{Location, Recipient};
use crate::run::{RunId, RunRecord, RunState, Stage};

/// Which runs are listed. The default is the newest hundred.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Only of the job with this label, without regard to case.
    pub job: Option<String>,
    /// Only in this state.
    pub state: Option<RunState>,
    /// Only made at this time or later.
    pub since: Option<Timestamp>,
    /// At most this many.
    pub limit: u32,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter { job: None, state: None, since: None, limit: 100 }
    }
}

/// All that is known of one run.
#[derive(Clone, Debug)]
pub struct RunDetail {
    /// What history lists of it.
    pub record: RunRecord,
    /// How far its last attempt came.
    pub stage: Option<Stage>,
    /// For whom its files were made; none if that was not recorded.
    pub recipient: Option<Recipient>,
    /// Its files, the manifest too, with where they lie.
    pub files: Vec<StoredFile>,
    /// Every attempt, the first one first.
    pub attempts: Vec<Attempt>,
}

/// One attempt at a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; none while it goes on, or if the process died in it.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who made it: `daemon`, or the user behind a command; none if it has done nothing but wait for its turn.
    pub actor: Option<String>,
    /// SHA-256 of the configuration that it went by.
    pub config: Option<String>,
    /// Type and fingerprint of the host key that the server has proven.
    pub host_key: Option<String>,
    /// Where it delivered to; none if it never set out, or if that was not recorded.
    pub location: Option<Location>,
    /// Why sensitive columns were sent, in the words of its job.
    pub reason: Option<String>,
    /// Why the spooled files of earlier attempts were not sent, but made anew.
    pub discarded: Option<String>,
    /// The stages that it entered, and when.
    pub passages: Vec<(Stage, Timestamp)>,
}

impl Attempt {
    /// Whether it set out for its destination. What earlier versions recorded has no location.
    pub fn has_set_out(&self) -> bool {
        self.location.is_some() || (self.actor.is_some() && self.discarded.is_none())
    }
}

impl RunDetail {
    /// The last attempt that set out for its destination.
    pub fn last_set_out(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| attempt.has_set_out())
    }
}

impl State {
    /// Past and present runs, the newest first, with their files.
    pub async fn history(&self, filter: &Filter) -> Result<Vec<RunRecord>, StateError> {
        let mut conditions = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        if let Some(job) = &filter.job {
            conditions.push("job_key = ?");
            values.push(job_key(job).into());
        }
        if let Some(state) = filter.state {
            conditions.push("state = ?");
            values.push(state.name().to_owned().into());
        }
        if let Some(since) = filter.since {
            conditions.push("created_at >= ?");
            values.push(to_micros(since).into());
        }
        values.push(filter.limit.into());
        let only = if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
        let rest = format!("WHERE {only} ORDER BY created_at DESC, due_at DESC, id DESC LIMIT ?");
        self.read(move |db| with_files(db, records(db, &rest, params_from_iter(values))?)).await
    }

    /// The run of that identifier, with its files.
    pub async fn run(&self, run: &RunId) -> Result<Option<RunRecord>, StateError> {
        let run = run.clone();
        self.read(move |db| one_run(db, &run)).await
    }

    /// The runs whose identifiers begin with `prefix`, the oldest first, at most ten: one if it names a run, more if
    /// it is too short to tell which.
    pub async fn find(&self, prefix: &str) -> Result<Vec<RunRecord>, StateError> {
        let from = prefix.to_lowercase();
        // `{` sorts after every character of an identifier.
        let to = format!("{from}{{");
        self.read(move |db| with_files(db, records(db, "WHERE id >= ? AND id < ? ORDER BY id LIMIT 10", [from, to])?))
            .await
    }

    /// All that is known of a run.
    pub async fn detail(&self, run: &RunId) -> Result<Option<RunDetail>, StateError> {
        let run = run.clone();
        self.read(move |db| {
            let Some(record) = one_run(db, &run)? else { return Ok(None) };
            let row = db.first("SELECT stage, recipient FROM run WHERE id = ?", [run.as_str()], |row| {
                Ok((maybe_word(row, "stage")?, from_json(row.get("recipient")?)))
            })?;
            let (stage, recipient) = row.unwrap_or_default();
            let (files, attempts) = (files(db, &run)?, attempts(db, &run)?);
            Ok(Some(RunDetail { record, stage, recipient, files, attempts }))
        })
        .await
    }

    /// The latest run of a job that has ended; none before the first.
    pub async fn last_ended(&self, job: &str) -> Result<Option<RunRecord>, StateError> {
        let key = job_key(job);
        let last = "WHERE state IN ('delivered', 'failed', 'skipped') AND job_key = ?
                    ORDER BY created_at DESC, due_at DESC, id DESC LIMIT 1";
        self.read(move |db| Ok(with_files(db, records(db, last, [key])?)?.pop())).await
    }

    /// Every run that is queued, running or waiting, commands' own too, the oldest due time first.
    pub async fn under_way(&self) -> Result<Vec<RunRecord>, StateError> {
        let under_way = format!("WHERE {UNFINISHED} ORDER BY due_at, id");
        self.read(move |db| with_files(db, records(db, &under_way, [])?)).await
    }
}

fn one_run(db: &Connection, run: &RunId) -> rusqlite::Result<Option<RunRecord>> {
    Ok(with_files(db, records(db, "WHERE id = ?", [run.as_str()])?)?.pop())
}

fn with_files(db: &Connection, mut records: Vec<RunRecord>) -> rusqlite::Result<Vec<RunRecord>> {
    for record in &mut records {
        let files = files(db, &record.id)?;
        record.files = files.into_iter().filter(|file| !file.is_manifest).map(|stored| stored.file).collect();
    }
    Ok(records)
}

fn attempts(db: &Connection, run: &RunId) -> rusqlite::Result<Vec<Attempt>> {
    let mut attempts = db.all(
        "SELECT number, started_at, ended_at, error, actor, config, host_key, location, reason, discarded
         FROM attempt WHERE run = ? ORDER BY number",
        [run.as_str()],
        |row| {
            Ok(Attempt {
                number: row.get("number")?,
                started: time(row, "started_at")?,
                ended: maybe_time(row, "ended_at")?,
                error: row.get("error")?,
                actor: row.get("actor")?,
                config: row.get("config")?,
                host_key: row.get("host_key")?,
                location: from_json(row.get("location")?),
                reason: row.get("reason")?,
                discarded: row.get("discarded")?,
                passages: Vec::new(),
            })
        },
    )?;
    for attempt in &mut attempts {
        attempt.passages = db.all(
            "SELECT stage, entered_at FROM passage WHERE run = ? AND attempt = ? ORDER BY position",
            params![run.as_str(), attempt.number],
            |row| Ok((word(row, "stage")?, time(row, "entered_at")?)),
        )?;
    }
    Ok(attempts)
}

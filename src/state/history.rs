//! History: past runs, and one run in full.

use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite};

use super::row::{RECORD, from_json, to_micros};
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
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {RECORD} FROM run WHERE TRUE"));
        if let Some(job) = &filter.job {
            query.push(" AND job_key = ").push_bind(job_key(job));
        }
        if let Some(state) = filter.state {
            query.push(" AND state = ").push_bind(state.name());
        }
        if let Some(since) = filter.since {
            query.push(" AND created_at >= ").push_bind(to_micros(since));
        }
        query.push(" ORDER BY created_at DESC, due_at DESC, id DESC LIMIT ").push_bind(filter.limit);
        self.records(query).await
    }

    /// The run of that identifier, with its files.
    pub async fn run(&self, run: &RunId) -> Result<Option<RunRecord>, StateError> {
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {RECORD} FROM run WHERE id = "));
        query.push_bind(run.as_str());
        Ok(self.records(query).await?.pop())
    }

    /// The runs whose identifiers begin with `prefix`, the oldest first, at most ten: one if it names a run, more if
    /// it is too short to tell which.
    pub async fn find(&self, prefix: &str) -> Result<Vec<RunRecord>, StateError> {
        let prefix = prefix.to_lowercase();
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {RECORD} FROM run WHERE id >= "));
        // `{` sorts after every character of an identifier.
        query
            .push_bind(prefix.clone())
            .push(" AND id < ")
            .push_bind(format!("{prefix}{{"))
            .push(" ORDER BY id LIMIT 10");
        self.records(query).await
    }

    /// All that is known of a run.
    pub async fn detail(&self, run: &RunId) -> Result<Option<RunDetail>, StateError> {
        let Some(record) = self.run(run).await? else { return Ok(None) };
        let row = sqlx::query("SELECT stage, recipient FROM run WHERE id = ?").bind(run.as_str());
        let row = row.fetch_one(self.reader()).await.map_err(|error| self.failed(error))?;
        let has_stage = self.get::<Option<String>>(&row, "stage")?.is_some();
        Ok(Some(RunDetail {
            record,
            stage: has_stage.then(|| self.word(&row, "stage")).transpose()?,
            recipient: from_json(self.get(&row, "recipient")?),
            files: self.files(run).await?,
            attempts: self.attempts(run).await?,
        }))
    }

    async fn attempts(&self, run: &RunId) -> Result<Vec<Attempt>, StateError> {
        let query = sqlx::query(
            "SELECT number, started_at, ended_at, error, actor, config, host_key, location, reason, discarded
             FROM attempt WHERE run = ? ORDER BY number",
        );
        let rows = query.bind(run.as_str()).fetch_all(self.reader()).await.map_err(|error| self.failed(error))?;
        let passages =
            sqlx::query("SELECT attempt, stage, entered_at FROM passage WHERE run = ? ORDER BY attempt, position");
        let passages = passages.bind(run.as_str()).fetch_all(self.reader()).await;
        let passages = passages.map_err(|error| self.failed(error))?;
        let attempts = rows.iter().map(|row| {
            let number: u32 = self.get(row, "number")?;
            let mut own = Vec::new();
            for passage in &passages {
                if self.get::<u32>(passage, "attempt")? == number {
                    own.push((self.word(passage, "stage")?, self.time(passage, "entered_at")?));
                }
            }
            Ok(Attempt {
                number,
                started: self.time(row, "started_at")?,
                ended: self.maybe_time(row, "ended_at")?,
                error: self.get(row, "error")?,
                actor: self.get(row, "actor")?,
                config: self.get(row, "config")?,
                host_key: self.get(row, "host_key")?,
                location: from_json(self.get(row, "location")?),
                reason: self.get(row, "reason")?,
                discarded: self.get(row, "discarded")?,
                passages: own,
            })
        });
        attempts.collect()
    }

    /// The latest run of a job that has ended; none before the first.
    pub async fn last_ended(&self, job: &str) -> Result<Option<RunRecord>, StateError> {
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {RECORD} FROM run WHERE state IN ('delivered', 'failed', 'skipped') AND job_key = "
        ));
        query.push_bind(job_key(job)).push(" ORDER BY created_at DESC, due_at DESC, id DESC LIMIT 1");
        Ok(self.records(query).await?.pop())
    }

    /// Every run that is queued, running or waiting, commands' own too, the oldest due time first.
    pub async fn under_way(&self) -> Result<Vec<RunRecord>, StateError> {
        let query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {RECORD} FROM run WHERE state IN ('queued', 'running', 'waiting') ORDER BY due_at, id"
        ));
        self.records(query).await
    }

    async fn records(&self, mut query: QueryBuilder<Sqlite>) -> Result<Vec<RunRecord>, StateError> {
        let rows = query.build().fetch_all(self.reader()).await.map_err(|error| self.failed(error))?;
        let mut records = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut record = self.record(row)?;
            let files = self.files(&record.id).await?;
            record.files = files.into_iter().filter(|file| !file.is_manifest).map(|stored| stored.file).collect();
            records.push(record);
        }
        Ok(records)
    }
}

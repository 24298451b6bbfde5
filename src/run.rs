//! A run: the work for one occurrence of a job, or for one manual request; its states and what history keeps of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, ZonedDateTime};
use serde::{Deserialize, Serialize, Serializer};

use crate::wording::cells_of_columns;

/// A run's identifier: 12 lower-case letters and digits that sort by the time at which the run was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl RunId {
    /// The identifier of a run made at `now`; `random` keeps runs of the same second apart (25 bits of it are used).
    pub fn new(now: Timestamp, random: u32) -> RunId {
        let bits = ((now.as_second() as u64 & 0x7_ffff_ffff) << 25) | u64::from(random & 0x1ff_ffff);
        RunId((0..12).rev().map(|digit| ALPHABET[(bits >> (digit * 5)) as usize & 31] as char).collect())
    }

    /// An identifier read back from state or from a command line.
    pub fn from_stored(text: &str) -> RunId {
        RunId(text.to_owned())
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What made a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Its occurrence fell due while the daemon was up.
    Schedule,
    /// A person asked for it.
    Manual,
    /// Its occurrence fell due while the daemon was down.
    Missed,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Due, and not begun.
    Queued,
    /// Being worked on.
    Running,
    /// Failed for a passing reason; it will be tried again.
    Waiting,
    /// All files are published.
    Delivered,
    /// Given up.
    Failed,
    /// Never begun, by the job's rule for missed occurrences.
    Skipped,
}

/// A word of a closed list that did not match any of its members.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word {0:?}")]
pub struct UnknownWord(pub String);

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word that stands for it in state, JSON and listings.
            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $word),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok($type::$variant),)+
                    _ => Err(UnknownWord(word.to_owned())),
                }
            }
        }
    };
}

words!(Trigger { Schedule = "schedule", Manual = "manual", Missed = "missed" });
words!(RunState {
    Queued = "queued",
    Running = "running",
    Waiting = "waiting",
    Delivered = "delivered",
    Failed = "failed",
    Skipped = "skipped",
});

/// What the daemon did beside runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It came up with a configuration.
    Started,
    /// It ended as it was told to.
    Stopped,
    /// It read its configuration again and put it into force.
    Accepted,
    /// It read its configuration again and kept the one before.
    Refused,
    /// The wall clock jumped ahead, was set back, or is right again.
    Clock,
}

words!(EventKind {
    Started = "started",
    Stopped = "stopped",
    Accepted = "accepted",
    Refused = "refused",
    Clock = "clock",
});

/// What people are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// A run has failed for good.
    Failure,
    /// The first delivery of a job after a failure, or after a late run.
    Recovery,
    /// An occurrence is not done long after it was due.
    Late,
    /// Due times are decided that lie in the future: the wall clock is, or was, wrong.
    Clock,
}

words!(NoticeKind { Failure = "failure", Recovery = "recovery", Late = "late", Clock = "clock" });

/// Who makes attempts, and by which configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `daemon`, or the user behind a command.
    pub actor: String,
    /// SHA-256 of the configuration's file in lower-case hexadecimal, as `sha256sum` prints it.
    pub config: String,
}

/// How far a running run has come. What a crash leaves behind depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Taken up, nothing done yet.
    Claimed,
    /// Rows are being read and written to the spool.
    Querying,
    /// All files are finished, verified and recorded.
    Spooled,
    /// Files are on their way up under temporary names.
    Uploading,
    /// All files are up under temporary names.
    Uploaded,
    /// Temporary names are being changed to final ones.
    Publishing,
    /// All files have their final names.
    Published,
}

words!(Stage {
    Claimed = "claimed",
    Querying = "querying",
    Spooled = "spooled",
    Uploading = "uploading",
    Uploaded = "uploaded",
    Publishing = "publishing",
    Published = "published",
});

/// What history keeps of a run. Serialised, it has the field names of `history --json`.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// The run.
    pub id: RunId,
    /// The label of its job.
    pub job: String,
    /// The due time that names and periods come from, in the job's zone.
    pub due: ZonedDateTime,
    /// What made it.
    pub trigger: Trigger,
    /// Where it stands.
    pub state: RunState,
    /// How often it was begun.
    pub attempts: u32,
    /// When it was first begun.
    pub started: Option<Timestamp>,
    /// When it ended for good.
    pub finished: Option<Timestamp>,
    /// While it waits to be tried again: when its first attempt failed.
    pub waiting_since: Option<Timestamp>,
    /// While it waits to be tried again: when that is.
    pub retry_at: Option<Timestamp>,
    /// The period of the cadence, `[from, to)`; exports of another period say so themselves.
    pub period: (ZonedDateTime, ZonedDateTime),
    /// Its files, in the order of the job's exports.
    pub files: Vec<FileRecord>,
    /// The last error, in one sentence.
    pub error: Option<String>,
    /// What its last reading of the store warned of, and what was seen at the destination since.
    pub warnings: Vec<Warning>,
}

impl Serialize for RunRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            run: &'a str,
            job: &'a str,
            due: String,
            trigger: &'a str,
            state: &'a str,
            attempts: u32,
            started: Option<String>,
            finished: Option<String>,
            waiting_since: Option<String>,
            retry_at: Option<String>,
            period: ShownPeriod,
            files: &'a [FileRecord],
            error: Option<&'a str>,
            warnings: &'a [Warning],
        }
        #[derive(Serialize)]
        struct ShownPeriod {
            from: String,
            to: String,
        }
        let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Shown {
            run: self.id.as_str(),
            job: &self.job,
            due: rfc3339(&self.due),
            trigger: self.trigger.name(),
            state: self.state.name(),
            attempts: self.attempts,
            started: moment(self.started),
            finished: moment(self.finished),
            waiting_since: moment(self.waiting_since),
            retry_at: moment(self.retry_at),
            period: ShownPeriod { from: rfc3339(&self.period.0), to: rfc3339(&self.period.1) },
            files: &self.files,
            error: self.error.as_deref(),
            warnings: &self.warnings,
        }
        .serialize(serializer)
    }
}

/// A time in its zone as RFC 3339 has it, with a numeric offset: `2026-11-21T04:00:00+01:00`.
pub fn rfc3339(time: &ZonedDateTime) -> String {
    time.timestamp().display_with_offset(time.offset()).to_string()
}

/// Why files may hold other rows or values than an administrator expects, although their run succeeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The exports that it is about; empty if it is about all that is read from the store.
    pub exports: Vec<String>,
    /// What there is to say, in one sentence.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.exports.is_empty() {
            write!(f, "{}: ", self.exports.join(", "))?;
        }
        f.write_str(&self.text)
    }
}

/// What history keeps of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRecord {
    /// The final name at the destination.
    pub name: String,
    /// The exports it holds: one, or all of a zip, joined by commas.
    pub export: String,
    /// Rows, headers not counted.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: String,
    /// It has its final name at the destination.
    pub published: bool,
    /// Columns with cells that could not be read and are NULL in the file, and how many they are.
    pub unreadable: BTreeMap<String, u64>,
}

impl FileRecord {
    /// The columns with unreadable cells, in words; none if there are none.
    pub fn unreadable_words(&self) -> Option<String> {
        let columns = self.unreadable.iter().map(|(column, cells)| (column.as_str(), *cells));
        let words = || format!("cells that could not be read are NULL: {}", cells_of_columns(columns));
        (!self.unreadable.is_empty()).then(words)
    }
}

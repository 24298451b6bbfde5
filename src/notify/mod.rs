//! Sends notifications: calls a command and posts to a URL, with the event as JSON.
//!
//! The caller decides which events are sent, and what follows from a failure: nothing here changes a run. Each call has a
//! time limit, and an error never shows the URL or a header, which may be secrets.

mod command;
mod post;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

pub use self::post::is_url;

use crate::run::{NoticeKind, RunRecord, RunState, rfc3339};
use crate::secret::Secret;

/// How long a command, or a server, may take.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Where notifications go, and when a run counts as late.
#[derive(Clone, Debug, Default)]
pub struct Notify {
    /// A program and its arguments; it gets the notice on its standard input.
    pub command: Option<Vec<String>>,
    /// Where the notice is posted to: `https://…`, or `http://` to this machine.
    pub url: Option<Secret>,
    /// Headers of the request, names and values.
    pub headers: Vec<(String, Secret)>,
    /// Certificates (PEM) that the server's must lead to, instead of the public authorities'.
    pub ca: Option<PathBuf>,
    /// How long after its due time an occurrence that is not done counts as late; none: it never does.
    pub late: Option<Duration>,
}

/// Why a notification could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The command can't be started, or fails.
    #[error("the command {program} {fault}")]
    Command {
        /// The program, without its arguments.
        program: String,
        /// What happened.
        fault: String,
    },
    /// The server can't be reached, or refuses the request.
    #[error("the url of [notify] {fault}")]
    Url {
        /// What happened.
        fault: String,
    },
}

/// A notification.
#[derive(Clone, Debug)]
pub struct Message {
    kind: NoticeKind,
    run: Option<RunRecord>,
    body: Vec<u8>,
}

impl Message {
    /// A notification about `run`, sent at `now`. `is_test` marks a test, behind which there is no event.
    pub fn new(kind: NoticeKind, run: RunRecord, now: Timestamp, is_test: bool) -> Message {
        let text = text(kind, &run, is_test);
        Message::of(kind, &text, Some(run), now, is_test)
    }

    /// A notification at `now` that is not about a run: one sentence.
    pub fn plain(kind: NoticeKind, text: &str, now: Timestamp, is_test: bool) -> Message {
        let test = if is_test { "test: " } else { "" };
        Message::of(kind, &format!("{test}exportd: {text}"), None, now, is_test)
    }

    fn of(kind: NoticeKind, text: &str, run: Option<RunRecord>, now: Timestamp, is_test: bool) -> Message {
        let value = json!({
            "event": kind.name(),
            "test": is_test,
            "at": now.to_string(),
            // The field that chat services show.
            "text": text,
            "run": &run,
        });
        Message { kind, run, body: value.to_string().into_bytes() }
    }
}

/// The event in one sentence.
fn text(kind: NoticeKind, run: &RunRecord, is_test: bool) -> String {
    let (test, job, due) = (if is_test { "test: " } else { "" }, &run.job, rfc3339(&run.due));
    let error = run.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    match kind {
        NoticeKind::Failure => format!("{test}exportd: {job}, due {due}, has failed{error}"),
        NoticeKind::Recovery => format!("{test}exportd: {job} delivers again, due {due}"),
        NoticeKind::Late => {
            let stands = match run.state {
                RunState::Delivered => "was delivered late",
                RunState::Failed | RunState::Skipped => "was late and has ended",
                RunState::Queued | RunState::Running | RunState::Waiting => "is late",
            };
            format!("{test}exportd: {job}, due {due}, {stands} ({}){error}", run.state)
        }
        NoticeKind::Clock => format!("{test}exportd: the clock was wrong when {job}, due {due}, ran{error}"),
    }
}

impl Notify {
    /// Calls the command and posts to the URL, as far as they are configured. Returns the outcome of each in this order;
    /// each takes [`LIMIT`] at most.
    pub async fn send(&self, message: &Message) -> Vec<Result<(), NotifyError>> {
        let mut outcomes = Vec::new();
        if let Some(command) = &self.command {
            outcomes.push(command::call(command, message).await);
        }
        if let Some(url) = &self.url {
            outcomes.push(post::post(self, url, message).await);
        }
        outcomes
    }
}

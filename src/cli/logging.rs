//! The log on standard error: for people on a terminal, JSON elsewhere; identifiers as fields, never a secret.
//!
//! Everything that is logged goes through a queue, so that a log that can't be written costs lines and never a run.

mod queue;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{JsonFields, format};

use super::log_lines::WithoutPlaces;

pub use queue::Queue;

/// How long the end of the process waits for what is still to be written.
pub const LAST_LINES: Duration = Duration::from_secs(1);

/// What is said where lines are missing.
const LOST: &str = "lines of the log were lost: it could not be written, or not fast enough";

/// Starts the log. The daemon tells what it does; other commands only what goes wrong, for they print their results.
///
/// `EXPORTD_LOG` chooses levels (`debug`, `exportd=debug,russh=info`).
pub fn start(daemon: bool) -> io::Result<Arc<Queue>> {
    let usual = if daemon { "info,russh=warn,sqlx=warn,tokio_cron_scheduler=warn" } else { "error" };
    let filter = EnvFilter::try_from_env("EXPORTD_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    // What drivers log may hold parts of URLs, and what templates log is noise. Where buffers can't be locked into
    // memory, the service's memory is kept out of swap as a whole: see deploy/exportd.service.
    let quiet = ["sqlx=off", "handlebars=off", "tokio_cron_scheduler=warn", "russh_cryptovec=off"];
    let filter = quiet.into_iter().filter_map(|rule| rule.parse().ok()).fold(filter, EnvFilter::add_directive);
    let is_terminal = io::stderr().is_terminal();
    // A descriptor of its own: a write that blocks must not hold the lock of the standard library's.
    let sink = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let queue = Queue::start(sink, if is_terminal { notice } else { notice_json })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Arc::clone(&queue));
    let log = log.log_internal_errors(false);
    if is_terminal {
        log.with_target(false).init();
    } else {
        let lines = format().json().flatten_event(true).with_current_span(false).with_span_list(false);
        log.fmt_fields(JsonFields::new()).event_format(WithoutPlaces(lines.with_target(false))).init();
    }
    if daemon {
        panic::set_hook(Box::new(log_panic));
    }
    Ok(queue)
}

/// Logs a defect by its place. Its words stay out of the log: they may quote a row.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| in_package(&place.to_string()).to_owned());
    let thread = std::thread::current().name().map(str::to_owned);
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(place, thread, backtrace, "exportd hit a bug (a panic)");
}

/// A place in the code without the path of the machine that built the program: `tokio-1.54.1/src/task/mod.rs:12:5`.
fn in_package(place: &str) -> &str {
    let in_registry = place.split_once("/registry/src/").and_then(|(_, behind)| behind.split_once('/'));
    in_registry.map_or(place, |(_, place)| place)
}

fn notice(lost: u64) -> String {
    format!("{:.6}  WARN {LOST} lost={lost}\n", Timestamp::now())
}

fn notice_json(lost: u64) -> String {
    let timestamp = format!("{:.6}", Timestamp::now());
    format!("{}\n", json!({ "timestamp": timestamp, "level": "WARN", "message": LOST, "lost": lost }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_nothing_of_the_builder() {
        assert_eq!(in_package("src/cli/mod.rs:3:5"), "src/cli/mod.rs:3:5");
        let library = "/home/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tokio-1.54.1/src/lib.rs:1:2";
        assert_eq!(in_package(library), "tokio-1.54.1/src/lib.rs:1:2");
    }
}

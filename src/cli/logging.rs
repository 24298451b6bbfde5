//! The log on standard error: for people on a terminal, JSON elsewhere; identifiers as fields, never a secret.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{JsonFields, format};

use super::log_lines::WithoutPlaces;

/// Starts the log. The daemon tells what it does; other commands only what goes wrong, for they print their results.
///
/// `EXPORTD_LOG` chooses levels (`debug`, `exportd=debug,russh=info`).
pub fn start(daemon: bool) {
    let usual = if daemon { "info,russh=warn,sqlx=warn,tokio_cron_scheduler=warn" } else { "error" };
    let filter = EnvFilter::try_from_env("EXPORTD_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    // What drivers log may hold parts of URLs, and what templates log is noise. Where buffers can't be locked into
    // memory, the service's memory is kept out of swap as a whole: see deploy/exportd.service.
    let quiet = ["sqlx=off", "handlebars=off", "tokio_cron_scheduler=warn", "russh_cryptovec=off"];
    let filter = quiet.into_iter().filter_map(|rule| rule.parse().ok()).fold(filter, EnvFilter::add_directive);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.with_target(false).init();
    } else {
        let lines = format().json().flatten_event(true).with_current_span(false).with_span_list(false);
        log.fmt_fields(JsonFields::new()).event_format(WithoutPlaces(lines.with_target(false))).init();
    }
}

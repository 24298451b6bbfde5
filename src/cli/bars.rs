//! Progress bars for runs in the foreground, on a terminal only.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use crate::plan::Plan;
use crate::progress::Progress;
use crate::run::Stage;

use super::output;

/// How often the bars look at the counters.
const REFRESH: Duration = Duration::from_millis(100);

/// The bars of one run. They vanish when this is dropped.
pub struct Bars {
    shown: MultiProgress,
    painter: Option<JoinHandle<()>>,
}

impl Bars {
    /// Shows how `progress` advances through the files of `plan`.
    pub fn show(plan: &Plan, progress: &Progress) -> Bars {
        let shown = MultiProgress::new();
        if !std::io::stderr().is_terminal() {
            return Bars { shown, painter: None };
        }
        let style = ProgressStyle::with_template("  {spinner} {prefix}  {msg}").expect("the template is a constant");
        let bars: Vec<ProgressBar> = plan
            .files
            .iter()
            .map(|file| shown.add(ProgressBar::new_spinner().with_style(style.clone()).with_prefix(file.name.clone())))
            .collect();
        let progress = progress.clone();
        let painter = tokio::spawn(async move {
            let mut clock = tokio::time::interval(REFRESH);
            loop {
                clock.tick().await;
                for (position, bar) in bars.iter().enumerate() {
                    bar.set_message(message(&progress, position));
                    bar.tick();
                }
            }
        });
        Bars { shown, painter: Some(painter) }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Some(painter) = &self.painter {
            painter.abort();
        }
        // The terminal is gone if this fails, and the bars with it.
        let _ = self.shown.clear();
    }
}

/// What one file is at, in words and figures.
fn message(progress: &Progress, position: usize) -> String {
    let file = &progress.files[position];
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let made = format!("{} rows, {}", output::count(read(&file.rows)), output::size(read(&file.bytes)));
    match progress.stage() {
        Stage::Claimed => "connecting".to_owned(),
        Stage::Querying if read(&file.size) > 0 => format!("{made}, ready"),
        Stage::Querying if read(&file.bytes) == 0 => "waiting".to_owned(),
        Stage::Querying => format!("{made}, reading"),
        Stage::Spooled | Stage::Uploading => {
            format!("{made}, uploading {} of {}", output::size(read(&file.sent)), output::size(read(&file.size)))
        }
        Stage::Uploaded | Stage::Publishing => format!("{made}, publishing"),
        Stage::Published => format!("{made}, published"),
    }
}

//! Progress bars for runs in the foreground, on a terminal only.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use crate::plan::Plan;
use crate::progress::Progress;
use crate::run::Stage;

use super::output;

/// How often the bars look at the counters.
const REFRESH: Duration = Duration::from_millis(100);

/// Over how much time a rate is smoothed.
const SMOOTH: Duration = Duration::from_millis(1000);

/// The bars of one run. They vanish when this is dropped.
pub struct Bars {
    /// Empty once nothing may be painted any more. The lock is held while they are painted.
    bars: Arc<Mutex<Vec<ProgressBar>>>,
    painter: Option<JoinHandle<()>>,
}

impl Bars {
    /// Shows how `progress` advances through the files of `plan`.
    pub fn show(plan: &Plan, progress: &Progress) -> Bars {
        if !std::io::stderr().is_terminal() {
            return Bars { bars: Arc::default(), painter: None };
        }
        Bars::paint(&MultiProgress::new(), plan.files.iter().map(|file| file.name.clone()), progress)
    }

    fn paint(shown: &MultiProgress, names: impl Iterator<Item = String>, progress: &Progress) -> Bars {
        let style = ProgressStyle::with_template("  {spinner} {prefix}  {msg}").expect("the template is a constant");
        let bars: Vec<ProgressBar> = names
            .map(|name| shown.add(ProgressBar::new_spinner().with_style(style.clone()).with_prefix(name)))
            .collect();
        let mut rates = vec![Rate::default(); bars.len()];
        let bars = Arc::new(Mutex::new(bars));
        let (painted, progress) = (bars.clone(), progress.clone());
        let painter = tokio::spawn(async move {
            let mut clock = tokio::time::interval(REFRESH);
            loop {
                clock.tick().await;
                for (position, bar) in lock(&painted).iter().enumerate() {
                    bar.set_message(message(&progress, position, &mut rates[position]));
                    bar.tick();
                }
            }
        });
        Bars { bars, painter: Some(painter) }
    }
}

/// The bars, which are in order at any moment.
fn lock(bars: &Mutex<Vec<ProgressBar>>) -> MutexGuard<'_, Vec<ProgressBar>> {
    bars.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Some(painter) = &self.painter {
            painter.abort();
        }
        // The painter may be in the middle of a tick, and its task is dropped some time later, by another thread. So the
        // bars are taken from it: one that it still had would be painted again, below what is printed by then.
        lock(&self.bars).drain(..).for_each(|bar| bar.finish_and_clear());
    }
}

/// How fast a counter grows, smoothed over a second or so.
#[derive(Clone, Debug, Default)]
struct Rate {
    last: Option<(Instant, u64)>,
    per_second: f64,
}

impl Rate {
    /// Bytes per second, now that the counter stands at `total`.
    fn at(&mut self, now: Instant, total: u64) -> u64 {
        let (before, counted) = *self.last.get_or_insert((now, total));
        let passed = now.duration_since(before).as_secs_f64();
        if total < counted {
            // Another counter: the file is read no more, it is sent.
            (self.last, self.per_second) = (Some((now, total)), 0.0);
        } else if passed > 0.0 {
            let current = (total - counted) as f64 / passed;
            let weight = (passed / SMOOTH.as_secs_f64()).min(1.0);
            self.per_second =
                if self.per_second == 0.0 { current } else { self.per_second + weight * (current - self.per_second) };
            self.last = Some((now, total));
        }
        self.per_second as u64
    }
}

/// What one file is at, in words and figures: stage, rows, bytes, rate.
fn message(progress: &Progress, position: usize, rate: &mut Rate) -> String {
    let file = &progress.files[position];
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (rows, bytes, size, sent) = (read(&file.rows), read(&file.bytes), read(&file.size), read(&file.sent));
    let made = format!("{}, {}", output::plural(rows as usize, "row"), output::size(bytes));
    let mut speed = |total| format!("{}/s", output::size(rate.at(Instant::now(), total)));
    match progress.stage() {
        Stage::Claimed => "connecting".to_owned(),
        Stage::Querying if size > 0 => format!("{made}, ready"),
        Stage::Querying if bytes == 0 => "waiting for the store".to_owned(),
        Stage::Querying => format!("{made}, reading {}", speed(bytes)),
        Stage::Spooled | Stage::Uploading if sent == 0 => format!("{made}, waiting"),
        Stage::Spooled | Stage::Uploading if sent < size => {
            let percent = sent * 100 / size.max(1);
            format!("{} {percent} % of {}, sending {}", bar(percent), output::size(size), speed(sent))
        }
        Stage::Spooled | Stage::Uploading => format!("{made}, sent"),
        Stage::Uploaded | Stage::Publishing => format!("{made}, publishing"),
        Stage::Published => format!("{made}, published"),
    }
}

/// A share as a bar of ten characters.
fn bar(percent: u64) -> String {
    let full = usize::try_from(percent / 10).unwrap_or(10).min(10);
    format!("[{}{}]", "#".repeat(full), ".".repeat(10 - full))
}

#[cfg(test)]
mod tests {
    use std::io;

    use indicatif::{ProgressDrawTarget, TermLike};

    use super::*;

    /// A terminal that keeps what was written to it.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl Paper {
        fn write(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn length(&self) -> usize {
            self.0.lock().unwrap().len()
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            self.write("up")
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            self.write("down")
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            self.write("right")
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            self.write("left")
        }

        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write(line)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.write(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.write("clear")
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn nothing_is_painted_once_the_bars_are_gone() {
        let paper = Paper::default();
        let shown = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(paper.clone())));
        let names = ["agents.csv", "messages.csv"].map(str::to_owned);
        let bars = Bars::paint(&shown, names.into_iter(), &Progress::new(2));
        let (painted, painter) = (bars.bars.clone(), bars.painter.as_ref().unwrap().abort_handle());
        while !paper.0.lock().unwrap().contains("messages.csv") {
            tokio::task::yield_now().await;
        }
        drop(bars);
        let length = paper.length();
        while !painter.is_finished() {
            tokio::task::yield_now().await;
        }
        drop((painted, shown));
        assert_eq!(paper.length(), length, "{}", &paper.0.lock().unwrap()[length..]);
    }

    #[test]
    fn a_file_says_its_stage_rows_bytes_and_rate() {
        let (progress, mut rate) = (Progress::new(1), Rate::default());
        let mut told = |progress: &Progress| message(progress, 0, &mut rate);
        assert_eq!(told(&progress), "connecting");
        progress.enter(Stage::Querying);
        assert_eq!(told(&progress), "waiting for the store");
        progress.files[0].rows.store(1, Ordering::Relaxed);
        progress.files[0].bytes.store(7, Ordering::Relaxed);
        assert!(told(&progress).starts_with("1 row, 7 B, reading "));
        progress.files[0].rows.store(1200, Ordering::Relaxed);
        progress.files[0].bytes.store(34_500, Ordering::Relaxed);
        assert!(told(&progress).starts_with("1,200 rows, 34.5 KB, reading "));
        progress.files[0].size.store(34_500, Ordering::Relaxed);
        progress.enter(Stage::Uploading);
        progress.files[0].sent.store(10_350, Ordering::Relaxed);
        assert!(told(&progress).starts_with("[###.......] 30 % of 34.5 KB, sending "));
    }

    #[test]
    fn rates_are_smoothed_and_begin_anew_for_another_counter() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let mut at = |millis, total| rate.at(start + Duration::from_millis(millis), total);
        assert_eq!(at(0, 0), 0);
        assert_eq!(at(100, 1000), 10_000);
        let slower = at(200, 1000);
        assert!((5000..10_000).contains(&slower), "{slower}");
        assert_eq!(at(300, 10), 0);
    }
}

//! `deploy/exportd.service`, as systemd reads it.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The unit: its directives in order, comments left out.
pub struct Unit(Vec<(String, String)>);

/// Where the unit's file is.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/exportd.service")
}

impl Unit {
    pub fn read() -> Unit {
        let text = std::fs::read_to_string(path()).unwrap();
        let directives = text.lines().filter(|line| !line.starts_with(['#', '[']) && !line.is_empty());
        let split = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Unit(directives.map(|line| split(line).unwrap_or_else(|| panic!("no directive: {line}"))).collect())
    }

    /// The names of all its directives.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The value of a directive; the last one, as systemd has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same for a length of time in seconds or minutes.
    #[track_caller]
    pub fn time(&self, name: &str) -> Option<Duration> {
        let value = self.get(name)?;
        let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit());
        let number: u64 = digits.parse().unwrap_or_else(|_| panic!("{name}={value}"));
        match &value[digits.len()..] {
            "" | "s" => Some(Duration::from_secs(number)),
            "min" => Some(Duration::from_secs(number * 60)),
            unit => panic!("{name}: the unit {unit:?} is not known"),
        }
    }

    /// Whether systemd starts the service again that was killed, after it had been started at these moments, counted
    /// from the first start.
    pub fn restarts_after_kill(&self, starts: &[Duration]) -> bool {
        let restart = self.get("Restart").unwrap_or("no");
        // What systemd has unless a unit says otherwise.
        let interval = self.time("StartLimitIntervalSec").unwrap_or(Duration::from_secs(10));
        let burst = self.get("StartLimitBurst").map_or(5, |burst| burst.parse().unwrap());
        let now = starts.last().copied().unwrap_or_default();
        let counted = starts.iter().filter(|start| now.saturating_sub(**start) < interval).count();
        ["on-failure", "always", "on-abnormal"].contains(&restart) && (interval.is_zero() || counted < burst)
    }
}

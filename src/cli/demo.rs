//! `exportd demo`: the whole main job before one's eyes, and what arrived.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Config;
use crate::demo;

use super::args::DemoArguments;
use super::configuration;
use super::failure::Failure;
use super::output::{self, Listing};
use super::run::{self, Executed};

/// How many bytes of a line are shown: what fits a terminal.
const SHOWN: usize = 100;

/// Makes a store, a server and a configuration, runs every job once, and shows what arrived.
pub async fn demo(options: DemoArguments) -> Result<(), Failure> {
    let started = Timestamp::now();
    let folder = Folder::new(options.keep)?;
    output::line("exportd demo: a contact centre's database, a partner's SFTP server, three jobs between them.\n")?;

    let bar = super::sample::bar();
    let demo = demo::prepare(&folder.path, options.messages, &|progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(progress.table.to_owned());
    })
    .await
    .map_err(Failure::work)?;
    bar.finish_and_clear();
    let size = fs::metadata(folder.path.join("contact_centre.db")).map_or(0, |metadata| metadata.len());
    output::line(format!(
        "  store   SQLite, {}, {}",
        output::plural(options.messages as usize, "message"),
        output::size(size)
    ))?;
    output::line(format!("  server  sftp://{}, host key {}", demo.server.address, demo.server.fingerprint))?;
    output::line(format!(
        "  jobs    jobs.example.toml, as of {}\n",
        output::time(&demo.now.to_zoned_datetime(jiff::tz::TimeZone::UTC))
    ))?;

    let config = Config::load(&demo.config).map_err(|faults| configuration::failure(&faults))?;
    let wanted: Vec<_> =
        config.jobs.iter().map(|job| (Arc::new(job.clone()), job.schedule.latest_due(demo.now))).collect();
    let executed = run::execute_all(&config, wanted, &crate::export::Cancel::new()).await?;
    run::report(&executed)?;

    output::line("\nWhat the partner finds on the server:\n")?;
    show_drop(&demo.drop)?;
    output::line(format!("\nDone in {}. {}", output::elapsed(started, Timestamp::now()), folder.farewell()))?;
    if executed.iter().all(Executed::is_done) { Ok(()) } else { Err(Failure::reported()) }
}

/// The demo's folder: kept where the user said, else gone at the end.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn new(keep: Option<PathBuf>) -> Result<Folder, Failure> {
        let path = match &keep {
            Some(path) => path.clone(),
            None => std::env::temp_dir().join(format!("exportd-demo-{}", std::process::id())),
        };
        fs::create_dir(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::usage(format!("{} exists already; name a new folder", path.display()))
            }
            _ => Failure::usage(format!("can't make the folder {}: {error}", path.display())),
        })?;
        let path = fs::canonicalize(&path)?;
        Ok(Folder { path, keep: keep.is_some() })
    }

    fn farewell(&self) -> String {
        if !self.keep {
            return "Nothing is left behind; --keep DIR keeps the store, the configuration and the drop.".to_owned();
        }
        let config = self.path.join("jobs.toml");
        format!("All of it is in {}; try: exportd --config {} history", self.path.display(), config.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // A leftover in the temporary folder is no reason to end otherwise than the demo did.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The tree of what arrived, and the first lines of each CSV file.
fn show_drop(drop: &Path) -> Result<(), Failure> {
    let mut files = Vec::new();
    collect(drop, &mut files)?;
    let mut listing = Listing::new(&["FILE", "SIZE"]).numbers(&[1]);
    for file in &files {
        let name = file.strip_prefix(drop).unwrap_or(file).display().to_string();
        listing.row([name, output::size(fs::metadata(file)?.len())]);
    }
    listing.print(2)?;
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "csv")) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        output::line(format!("\n  {name}"))?;
        for line in BufReader::new(File::open(file)?).lines().take(3) {
            output::line(format!("    {}", cut(&line?)))?;
        }
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// A line as far as a terminal shows it.
fn cut(line: &str) -> String {
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

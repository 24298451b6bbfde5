//! What must be true at the end of every story, whatever was killed, cut or full in between.
//!
//! A [`Watcher`] reads the destination all the time as a partner would. [`settle`] compares what it saw, what is
//! there, what state says, and what the store would give now.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use exportd::config::Config;
use exportd::run::{RunId, RunRecord, RunState, Trigger, rfc3339};
use exportd::state::{Filter, StoredFile};
use sha2::{Digest, Sha256};

use super::night::with_state;
use super::program::Program;
use super::sshd::names_in;

/// What a reader saw under each final name: files (by inode) and their contents (by SHA-256).
type Seen = BTreeMap<String, BTreeSet<(u64, String)>>;

/// Inode, size, and time of the last change in seconds and nanoseconds: what tells that a file has to be read again.
type Mark = (u64, u64, i64, i64);

/// A reader who looks at every final name of a directory again and again.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    reading: Option<JoinHandle<Seen>>,
    directory: PathBuf,
}

impl Watcher {
    pub fn start(directory: &Path) -> Watcher {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, watched) = (stop.clone(), directory.to_owned());
        let reading = std::thread::spawn(move || {
            let (mut seen, mut marks) = (Seen::new(), HashMap::new());
            while !stopped.load(Ordering::Relaxed) {
                look(&watched, &mut seen, &mut marks);
                // A reader that polls, not a wait for something to happen.
                std::thread::park_timeout(Duration::from_millis(1));
            }
            look(&watched, &mut seen, &mut HashMap::new());
            seen
        });
        Watcher { stop, reading: Some(reading), directory: directory.to_owned() }
    }

    /// The same for files that are written in place: only their names count, and what the directory holds in the end.
    #[track_caller]
    pub fn assert_ends_with(mut self, expected: &BTreeMap<String, String>, case: &str) {
        let seen = self.finish();
        assert_eq!(seen.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{case}");
        for (name, content) in expected {
            assert_eq!(digest(&fs::read(self.directory.join(name)).unwrap()), *content, "{name} {case}");
        }
    }

    /// Ends it, and fails if it saw a name that is not expected, another content, or a file come twice. Digests are
    /// expected by name.
    #[track_caller]
    pub fn assert_saw_only(mut self, expected: &BTreeMap<String, String>, case: &str) {
        let seen = self.finish();
        assert_eq!(seen.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{case}");
        assert_only(&seen, expected, case);
    }

    fn finish(&mut self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.reading.take().expect("a watcher is finished once").join().unwrap()
    }
}

/// Fails if a name ever held anything but the content of that digest, or came more than once.
#[track_caller]
fn assert_only(seen: &Seen, expected: &BTreeMap<String, String>, case: &str) {
    for (name, files) in seen {
        let contents: BTreeSet<&String> = files.iter().map(|(_, content)| content).collect();
        assert_eq!(contents, expected.get(name).into_iter().collect(), "what {name} has ever held {case}");
        assert_eq!(files.len(), 1, "{name} came more than once {case}");
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn look(directory: &Path, seen: &mut Seen, marks: &mut HashMap<String, Mark>) {
    for name in names_in(directory).into_iter().filter(|name| !name.starts_with('.')) {
        // It may be replaced or taken at any time.
        let Ok(mut file) = fs::File::open(directory.join(&name)) else { continue };
        let found = file.metadata().unwrap();
        let mark = (found.ino(), found.size(), found.mtime(), found.mtime_nsec());
        if marks.insert(name.clone(), mark) == Some(mark) {
            continue;
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        seen.entry(name).or_default().insert((found.ino(), digest(&content)));
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What state says when everything is over.
pub struct Settled {
    pub runs: Vec<(RunRecord, Vec<StoredFile>)>,
}

/// Fails unless all of this holds, the daemon having ended:
///
/// - every occurrence has exactly one run, and it is delivered;
/// - the destination holds exactly the files of delivered runs, each with its recorded content;
/// - nobody ever saw anything else under a final name, and each file came once, unless it is written in place;
/// - the files are those that the store gives for the due time;
/// - nothing is left behind: no hidden file, no folder in the spool that no run answers for, no trace of a command.
#[track_caller]
pub fn settle(program: &Program, mut watcher: Watcher) -> Settled {
    let seen = watcher.finish();
    let settled = Settled { runs: runs(program) };
    let in_place = jobs_in_place(program);
    let (mut expected, mut halves) = (BTreeMap::new(), BTreeSet::new());
    for (run, files) in &settled.runs {
        if run.trigger != Trigger::Manual {
            assert_eq!(run.state, RunState::Delivered, "{} of {}: {:?}", run.id, run.due, run.error);
        }
        if run.state == RunState::Delivered {
            assert_made_by_the_store(program, &watcher.directory, run);
            if in_place.contains(&run.job) {
                halves.extend(files.iter().map(|file| file.file.name.clone()));
            }
            expected.extend(files.iter().map(|file| (file.file.name.clone(), file.file.sha256.clone())));
        }
    }
    let mut occurrences: Vec<_> = settled.runs.iter().filter(|(run, _)| run.trigger != Trigger::Manual).collect();
    occurrences.sort_by_key(|(run, _)| run.due.timestamp());
    occurrences.dedup_by_key(|(run, _)| (run.job.clone(), run.due.timestamp()));
    assert_eq!(occurrences.len(), settled.runs.iter().filter(|(run, _)| run.trigger != Trigger::Manual).count());

    let names: Vec<&String> = expected.keys().collect();
    assert_eq!(names_in(&watcher.directory).iter().collect::<Vec<_>>(), names, "what is at the destination");
    let seen = seen.into_iter().filter(|(name, _)| !halves.contains(name)).collect();
    assert_only(&seen, &expected, "");
    assert_nothing_left(program, &settled);
    settled
}

/// The jobs whose files are written in place, where a reader may see half of one.
fn jobs_in_place(program: &Program) -> BTreeSet<String> {
    let config = Config::load(&program.path("jobs.toml")).unwrap_or_else(|_| panic!("the configuration is valid"));
    let jobs = config.jobs.iter().filter(|job| job.destination.is_direct());
    jobs.map(|job| job.label.clone()).collect()
}

/// All runs with their files, the oldest due first.
pub fn runs(program: &Program) -> Vec<(RunRecord, Vec<StoredFile>)> {
    with_state(program, async |state| {
        let mut runs = Vec::new();
        for run in state.history(&Filter { limit: u32::MAX, ..Filter::default() }).await.unwrap() {
            let files = state.files(&run.id).await.unwrap();
            runs.push((run, files));
        }
        runs.sort_by_key(|(run, _)| run.due.timestamp());
        runs
    })
}

fn assert_made_by_the_store(program: &Program, destination: &Path, run: &RunRecord) {
    let due = rfc3339(&run.due);
    program.run(&["run", &run.job, "--at", &due, "--dry-run", "--output", "reference"]).expect(0);
    let reference = program.path("reference");
    for name in names_in(&reference) {
        let (sent, made) = (fs::read(destination.join(&name)).unwrap(), fs::read(reference.join(&name)).unwrap());
        assert!(sent == made, "{name} is not what the store gives for {due}");
    }
    fs::remove_dir_all(reference).unwrap();
}

fn assert_nothing_left(program: &Program, settled: &Settled) {
    let spool = program.path("state/spool");
    let kept: BTreeSet<String> = names_in(&spool).into_iter().collect();
    let has_spool = |files: &[StoredFile]| files.iter().any(|file| file.spool.is_some());
    let known = settled.runs.iter().filter(|(_, files)| has_spool(files)).map(|(run, _)| run.id.to_string());
    assert_eq!(kept, known.collect(), "what is in the spool");
    for (run, files) in settled.runs.iter().filter(|(_, files)| has_spool(files)) {
        let names: BTreeSet<&String> = files.iter().map(|file| &file.file.name).collect();
        assert_eq!(names_in(&spool.join(run.id.as_str())).iter().collect::<BTreeSet<_>>(), names);
    }
    let commands = program.path("state/commands");
    assert!(!commands.exists() || names_in(&commands).is_empty(), "a command is still present");
    let runs: Vec<(RunId, String)> = settled.runs.iter().map(|(run, _)| (run.id.clone(), run.job.clone())).collect();
    with_state(program, async |state| {
        for (run, job) in &runs {
            assert_eq!(state.temporaries(run, job).await.unwrap(), [], "hidden names on record");
        }
    });
}

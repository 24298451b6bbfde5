//! Feeds a decoder with damaged input, to find panics, hangs and memory without bounds.
//!
//! A target is a test `fuzz::NAME` that calls [`attack`]. Its inputs are the files of `tests/fuzz/corpus/NAME` and what
//! [`mutate`] makes of them. An input whose outcome is new becomes a seed too, so that later inputs get further.
//! In the suite a target takes a moment and always sees the same inputs; `scripts/soak --fuzz MINUTES` takes longer and other
//! inputs each time.
//!
//! Every target runs in a process of its own: the limits are those of a process, and an abort would end the other tests.

mod mutate;

use std::collections::HashSet;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

use mutate::Mutator;

/// Names the target in its own process, and the file in which that process notes each input before it is read.
const TARGET: &str = "EXPORTD_FUZZ_TARGET";
const NOTE: &str = "EXPORTD_FUZZ_NOTE";

/// How many minutes each target takes; without it, the moment that the suite can spare.
const MINUTES: &str = "EXPORTD_FUZZ_MINUTES";

/// The number that the inputs follow from; without it 1 in the suite, and any number otherwise.
const SEED: &str = "EXPORTD_FUZZ_SEED";

/// Address space that a target may take beyond what its process has when it begins. Twice what the allocator may reserve
/// for a thread without using it.
const MEMORY: u64 = 128 << 20;

/// How long one input may take. The slowest that is right is a key with as many rounds as we accept: 9 s in a debug build.
const PATIENCE: Duration = Duration::from_secs(30);

/// In the suite: the inputs of a target, and how long it takes at most.
const INPUTS: u64 = 10_000;
const MOMENT: Duration = Duration::from_millis(500);

/// New outcomes that become seeds, and how long each may be: seeds count as memory of the target.
const KEPT: usize = 2_000;
const KEPT_LENGTH: usize = 8 * 1024;

/// Runs the target `name`: `read` gets one input after the other and returns what tells outcomes apart. `words` are
/// texts that mean something to it, for the mutations.
///
/// # Panics
/// If `read` panics, hangs or takes too much memory. The input is kept in `target/fuzz`.
pub fn attack<O: Hash>(name: &str, words: &[&str], read: impl FnMut(&[u8]) -> O) {
    match std::env::var(TARGET) {
        Ok(target) if target == name => bombard(name, words, read),
        _ => supervise(name),
    }
}

/// Runs the target in a process of its own, and keeps the input that ends it.
fn supervise(name: &str) {
    let note = tempfile::NamedTempFile::new().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([&format!("fuzz::{name}"), "--nocapture", "--test-threads=1"]);
    let Output { status, stdout, stderr } = child.env(TARGET, name).env(NOTE, note.path()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if status.success() {
        let report = stdout.lines().find(|line| line.contains(" inputs in ")).expect("the test fuzz::NAME has run");
        println!("{report}");
        return;
    }
    let input = noted(note.path());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    fs::create_dir_all(&folder).unwrap();
    let kept = folder.join(format!("{name}-{:016x}", hash(&input)));
    fs::write(&kept, &input).unwrap();
    let shown = String::from_utf8_lossy(&input[..input.len().min(400)]).into_owned();
    panic!("{name} {status} at {} ({} bytes), {shown:?}\n{stderr}", kept.display(), input.len());
}

/// The input that was noted last: its length in eight bytes, and its bytes.
fn noted(path: &Path) -> Vec<u8> {
    let note = fs::read(path).unwrap();
    let Some((length, input)) = note.split_first_chunk::<8>() else { return Vec::new() };
    input[..u64::from_le_bytes(*length) as usize].to_vec()
}

/// Feeds `read` until the time is over.
fn bombard<O: Hash>(name: &str, words: &[&str], mut read: impl FnMut(&[u8]) -> O) {
    // A panic on any thread ends the process, also one that a runtime would catch.
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(io::stderr(), "{panic}");
        std::process::abort();
    }));
    limit_memory();
    let count = Arc::new(AtomicU64::new(0));
    let _ended = watch(Arc::clone(&count));
    let note = File::options().write(true).open(std::env::var_os(NOTE).unwrap()).unwrap();
    let mut slowest = Duration::ZERO;
    let mut outcome_of = |input: &[u8]| {
        note.write_all_at(&[&(input.len() as u64).to_le_bytes()[..], input].concat(), 0).unwrap();
        let began = Instant::now();
        let outcome = hash(&read(input));
        slowest = slowest.max(began.elapsed());
        count.fetch_add(1, Ordering::Relaxed);
        outcome
    };
    let seeds = corpus(name);
    let mut seen: HashSet<u64> = seeds.iter().map(|seed| outcome_of(seed)).collect();
    let minutes = std::env::var(MINUTES).ok().map(|minutes| minutes.parse::<f64>().unwrap());
    let (inputs, time) = minutes.map_or((INPUTS, MOMENT), |it| (u64::MAX, Duration::from_secs_f64(it * 60.0)));
    let seed = std::env::var(SEED).ok().map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|| if minutes.is_some() { hash(&std::time::SystemTime::now()) } else { 1 });
    let mut mutator = Mutator::new(seed, seeds, words);
    let began = Instant::now();
    let mut done = 0;
    while done < inputs && began.elapsed() < time {
        let input = mutator.next();
        if seen.insert(outcome_of(&input)) && seen.len() <= KEPT && input.len() <= KEPT_LENGTH {
            mutator.keep(input);
        }
        done += 1;
    }
    let (seconds, outcomes, slowest) = (began.elapsed().as_secs_f64(), seen.len(), slowest.as_millis());
    let (rate, memory) = (done as f64 / seconds, status("VmHWM:") >> 10);
    println!(
        "fuzz::{name}: {done} inputs in {seconds:.1} s ({rate:.0}/s), {outcomes} outcomes, slowest {slowest} ms, \
         {memory} MB, seed {seed}"
    );
}

/// Ends the process if one input takes too long. Dropping what is returned ends the watch.
fn watch(count: Arc<AtomicU64>) -> mpsc::Sender<()> {
    let (running, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut before = u64::MAX;
        while ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let now = count.load(Ordering::Relaxed);
            assert_ne!(now, before, "an input takes longer than {PATIENCE:?}");
            before = now;
        }
    });
    running
}

fn limit_memory() {
    let limit = Some(status("VmSize:") * 1024 + MEMORY);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).unwrap();
}

/// A number of kB from what the kernel tells about this process.
fn status(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The seeds of a target, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Where the seeds of a target are.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name)
}

/// What the harness has to notice.
mod tests {
    use super::*;

    /// How the test `fuzz::tests::fuzz::NAME` ends.
    fn end(name: &str) -> String {
        let ended = std::panic::catch_unwind(|| supervise(name)).expect_err("the target has a fault");
        ended.downcast_ref::<String>().unwrap().clone()
    }

    #[test]
    fn a_panic_and_memory_without_bounds_are_found() {
        assert!(end("faulty_index").contains("index out of bounds"));
        assert!(end("faulty_length").contains("memory allocation of"));
    }

    /// Decoders with the usual faults. They do nothing but where the test above runs them.
    mod fuzz {
        use super::*;

        fn is_asked_for(name: &str) -> bool {
            std::env::var(TARGET).is_ok_and(|target| target == name)
        }

        #[test]
        fn faulty_index() {
            if is_asked_for("faulty_index") {
                attack("faulty_index", &[], |input| input[input.len() / 2 + 1]);
            }
        }

        #[test]
        fn faulty_length() {
            if is_asked_for("faulty_length") {
                attack("faulty_length", &[], |input| {
                    let length = input.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
                    std::hint::black_box(vec![1_u8; length as usize]).len().min(1)
                });
            }
        }
    }
}

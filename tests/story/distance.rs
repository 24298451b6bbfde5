//! Over a distance: how many round trips a delivery waits for, and what becomes of a file that goes up before it is
//! known to be what it was.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use exportd::job::Destination;
use sha2::{Digest, Sha256};

use crate::support::distance::Distance;
use crate::support::oracle;
use crate::support::program::{Program, outcome};
use crate::support::shop::{self, ORDERS};
use crate::support::sshd::{Sshd, names_in};

/// Long enough that a slow test still asks in one turn what it asks at once.
const ROUND_TRIP: Duration = Duration::from_millis(80);

/// What a busy machine may add.
const SLACK: usize = 1;

/// A file of this size is large: it may use several channels.
const LARGE: u64 = 6_000_000;

/// More than everything that is said before the first byte of a file.
const TALK: usize = 100_000;

#[test]
fn a_finished_file_waits_for_the_login_and_one_round_trip() {
    let server = Sshd::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let distance = runtime.block_on(Distance::start(server.port(), ROUND_TRIP));
    let program = shop::program_to(&Destination { port: distance.port(), ..server.destination() }, "");
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    assert_eq!(std::fs::read_to_string(server.directory().join(&server.names()[0])).unwrap(), ORDERS);
    // Greeting and keys 2, login 3, channel 1, subsystem 1, SFTP 1; probe 3, temporary name 1, content 1, final name 1.
    let whole = distance.round_trips_before(usize::MAX);
    assert!((8..=14 + SLACK).contains(&whole), "a run over {whole} round trips");

    let content = vec![b'x'; LARGE as usize];
    let run = spool(&program, |path| std::fs::write(path, &content).unwrap(), LARGE, &Sha256::digest(&content));
    program.run(&["redeliver", &run]).expect(0);
    assert!(std::fs::read(server.directory().join(&server.names()[0])).unwrap() == content);
    // The same up to SFTP; the probe goes beside the temporary name, which takes 1.
    let before = distance.round_trips_before(TALK);
    assert!((8..=9 + SLACK).contains(&before), "the first byte after {before} round trips");
}

#[test]
fn a_file_that_is_found_to_be_another_on_its_way_up_is_taken_away() {
    let server = Sshd::start();
    let program = shop::program(&server, "max_rate = \"2 MB/s\"");
    program.run(&["run", "shop", "--at", "2026-11-21"]).expect(0);
    std::fs::remove_file(server.directory().join(&server.names()[0])).unwrap();
    // Large enough to be hashed no earlier than it goes up, and for that to take longer than its beginning does.
    let size = 400_000_000;
    let make = |path: &Path| File::create(path).unwrap().set_len(size).unwrap();
    let run = spool(&program, make, size, &Sha256::digest("something else"));
    let mut child = program.command(&["redeliver", &run]);
    let mut child = child.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut was_under_way = false;
    while child.try_wait().unwrap().is_none() {
        let size = |name: &String| std::fs::metadata(server.directory().join(name)).map_or(0, |file| file.len());
        was_under_way |= names_in(&server.directory()).iter().any(|name| name.ends_with(".part") && size(name) > 0);
        std::thread::yield_now();
    }
    let failed = outcome(child.wait_with_output().unwrap()).expect(1);
    assert!(failed.err.contains("of other content than recorded"), "{}", failed.err);
    assert!(was_under_way, "it was not found out too early for this test");
    assert_eq!(server.names(), Vec::<String>::new(), "nothing is published, nothing is left");
}

/// Puts another file into the spool for the program's only run, with a record that fits its size. Returns the run.
fn spool(program: &Program, make: impl FnOnce(&Path), bytes: u64, sha256: &[u8]) -> String {
    let run = oracle::runs(program)[0].0.id.to_string();
    let state = rusqlite::Connection::open(program.path("state/state.db")).unwrap();
    let path: String = state.query_row("SELECT spool FROM file", [], |row| row.get(0)).unwrap();
    make(program.path(path).as_path());
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    state.execute("UPDATE file SET bytes = ?1, sha256 = ?2", (bytes as i64, sha256)).unwrap();
    run
}

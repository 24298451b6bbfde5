//! `kill -9` at any time: whatever the daemon was doing, everything is delivered in the end, once and whole.
//!
//! The times are drawn from a seed. `EXPORTD_KILLS` and `EXPORTD_SEED` say how many and which; `scripts/soak` sets them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use exportd::store::StoreKind;

use crate::support::databases::Database;
use crate::support::oracle::{self, Watcher};
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::shop::everything_in;
use crate::support::sshd::Sshd;
use crate::support::storm::{self, Begun, CANARY, Dice, Figures};

/// As many as the suite has time for.
const KILLS: usize = 30;

/// The longest life of a daemon.
const LIFE: Duration = Duration::from_millis(700);

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")))
}

#[test]
fn a_daemon_killed_at_any_time_delivers_everything_once_and_whole() {
    let kills = from_environment("EXPORTD_KILLS").unwrap_or(KILLS);
    let seed = from_environment("EXPORTD_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    eprintln!("seed {seed}; again with: scripts/soak --kills {kills} --seed {seed}");
    let began = Instant::now();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(Database::new(StoreKind::Postgres));
    runtime.block_on(storm::fill(&database));
    let (mut dice, mut figures) = (Dice(seed), Figures::default());
    while figures.kills < kills {
        let server = Sshd::start();
        let program = storm::program(&server, &database);
        round(&server, &program, kills, &mut dice, &mut figures);
        if figures.rounds.is_multiple_of(10) {
            eprintln!("{} kills after {} s", figures.kills, began.elapsed().as_secs());
        }
    }
    let hit = figures.kills - figures.idle;
    assert!(hit * 2 >= figures.kills, "most kills are to hit runs, not {hit} of {}", figures.kills);
    eprintln!("{figures}seed {seed}, {} s", began.elapsed().as_secs());
}

/// Kills daemons until the work is done or there were kills enough, lets the last one go on in peace, and asks the
/// oracles.
fn round(server: &Sshd, program: &Program, kills: usize, dice: &mut Dice, figures: &mut Figures) {
    let watcher = Watcher::start(&server.directory());
    let (mut begun, mut said) = (Begun::new(), String::new());
    let mut undone = storm::occurrences();
    while undone > 0 && figures.kills < kills {
        let life = Duration::from_micros(dice.below(LIFE.as_micros() as u64));
        let service = Service::start(program);
        // Not a wait for something: the moment is the test.
        std::thread::sleep(life);
        said.push_str(&service.kill());
        let left = storm::left(program, &mut begun);
        undone = left.undone;
        figures.count(&left);
    }
    let mut service = Service::start(program);
    service.says("the daemon is up");
    (0..undone).for_each(|_| drop(service.says("\"delivered\"")));
    write!(said, "{}", service.said()).unwrap();
    service.stop();
    let settled = oracle::settle(program, watcher);
    assert_eq!(settled.runs.len(), storm::occurrences(), "each occurrence has its run");
    for place in [program.path("state"), server.directory()] {
        said.push_str(&String::from_utf8_lossy(&everything_in(&place)));
    }
    assert!(!said.contains(CANARY), "a value of a sensitive column got out");
    figures.rounds += 1;
    figures.delivered += settled.runs.len();
    figures.attempts += settled.runs.iter().map(|(run, _)| run.attempts as usize).sum::<usize>();
}

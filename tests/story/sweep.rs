//! Every request of a delivery refused, cut off before and after it was done, or left without a reply, one after the
//! other: each run is delivered once and whole, at once, with the next attempt, or by hand where the server said no.
//!
//! `EXPORTD_SWEEP=all` lets every request meet every fault and every status code; else each meets one of them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use exportd::clearance::Recipient;
use exportd::config::Config;
use exportd::deliver::Hosts;
use exportd::export::{self, Cancel, Context, RunError};
use exportd::job::Job;
use exportd::period::Period;
use exportd::plan::Plan;
use exportd::progress::Progress;
use exportd::run::{Origin, RunId, RunRecord, RunState};
use exportd::spool::Spool;
use exportd::state::{Presence, State};
use exportd::tuning::Tuning;
use jiff::{Timestamp, ZonedDateTime};

use crate::support::night;
use crate::support::oracle::Watcher;
use crate::support::program::Program;
use crate::support::relay::Relay;
use crate::support::sftp_pipe::Fate;

const CODES: [u32; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 11, 14, 15, 99];

/// The code of a server that knows of no such file.
const NO_SUCH_FILE: u32 = 2;

/// Codes that say that trying again is of no use.
const FINAL: [u32; 5] = [NO_SUCH_FILE, 3, 8, 11, 14];

/// How long a server may be silent: short for the test, and long for servers that are busy with it.
const STALL: Duration = Duration::from_millis(1500);

/// How many share the requests: a number that has nothing in common with how faults are mixed.
const LANES: usize = 3;

/// A request that is still part of the last upload.
const PUBLISHING: usize = 25;

/// A delivery of three files has more requests than this.
const LEAST: usize = 15;

/// What every request in turn meets.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Same(Fate),
    /// Something else each time.
    Mixed,
}

impl Fault {
    fn of(self, nth: usize) -> Fate {
        match (self, nth % 4) {
            (Fault::Same(fate), _) => fate,
            (Fault::Mixed, 0) => Fate::CutBefore,
            (Fault::Mixed, 1) => Fate::CutAfter,
            (Fault::Mixed, 2) => Fate::Silence,
            (Fault::Mixed, _) => Fate::Answer(CODES[nth / 4 % CODES.len()]),
        }
    }
}

/// How a spoiled run came to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    AtOnce,
    NextAttempt,
    ByHand,
}

/// A job, its destination, and a place to run it.
struct World {
    relay: Relay,
    /// For first attempts: gives up early when nothing moves.
    hurried: Context,
    /// For all others.
    context: Context,
    job: Arc<Job>,
    due: ZonedDateTime,
    presence: Presence,
    _program: Program,
}

impl World {
    async fn new(more: &str) -> World {
        let relay = Relay::start().await;
        let program = tokio::task::block_in_place(|| night::program(&relay.server, more));
        let config = Config::load(&program.path("jobs.toml")).unwrap_or_else(|_| panic!("the configuration is valid"));
        let job = config.jobs[0].clone();
        let state = State::open(&config.state_dir).await.unwrap();
        let spool = Spool::open(&config.state_dir).unwrap();
        let presence = state.presence().unwrap();
        let origin = Origin { actor: "daemon".to_owned(), config: String::new() };
        let tuning = Tuning::of_environment().unwrap();
        let spool = spool.with_tuning(tuning);
        let context = Context::new(config.store, spool, state, config.keep, origin, tuning, Hosts::default());
        let mut hurried = context.clone();
        hurried.stall = STALL;
        let due = job.schedule.latest_due(Timestamp::now());
        World { relay, hurried, context, job: Arc::new(job), due, presence, _program: program }
    }

    async fn begin(&self) -> RunRecord {
        let period = Period::of_cadence(&self.due, &self.job.schedule);
        let begun = self.context.state.begin_manual("shop", &self.due, &period, &self.presence, Timestamp::now());
        begun.await.unwrap()
    }

    async fn attempt(&self, context: &Context, run: &RunRecord) -> Result<(), RunError> {
        let files = Plan::new(&self.job, &self.due, run.id.as_str()).files.len();
        let permit = context.hosts.permit(&Recipient::of(&self.job.destination)).await;
        export::execute(context, &self.job, run, &Progress::new(files), &Cancel::new(), permit).await
    }

    /// Goes on after a failure as the daemon does, or, where it would not, as a person does.
    async fn go_on(&self, run: RunRecord, error: &RunError) -> (RunRecord, Ending) {
        let (state, now) = (&self.context.state, Timestamp::now());
        if error.is_passing() {
            state.wait(&run.id, &error.to_string(), now, now).await.unwrap();
            let again = state.start(std::slice::from_ref(&run.id), now).await.unwrap().remove(0);
            self.attempt(&self.context, &again).await.unwrap_or_else(|later| panic!("{error}; then {later}"));
            return (again, Ending::NextAttempt);
        }
        state.finish(&run.id, RunState::Failed, Some(&error.to_string()), now).await.unwrap();
        let again = match state.reopen(&run.id, &self.presence, now).await.unwrap() {
            Some(again) => again,
            None => self.begin().await,
        };
        self.attempt(&self.context, &again).await.unwrap_or_else(|later| panic!("{error}; then {later}"));
        (again, Ending::ByHand)
    }

    /// One run whose `nth` request meets `fate`. Returns how many requests its first attempt made, and how it ended.
    async fn deliver(&mut self, nth: usize, fate: Fate) -> (usize, Ending) {
        // The faults of a run are those of a connection that it opens.
        self.context.hosts.close().await;
        let requests = self.relay.spoil(nth, fate);
        let watcher = Watcher::start(&self.relay.server.directory());
        let run = self.begin().await;
        let first = self.attempt(&self.hurried, &run).await;
        let made = requests.load(Ordering::Relaxed);
        if made < nth {
            // One fault in each run: not that of the test, after one of the machine.
            self.relay.spoil(0, Fate::Pass);
        }
        let (run, ending) = match first {
            Ok(()) => (run, Ending::AtOnce),
            Err(error) => {
                let may_be_final = matches!(fate, Fate::Answer(code) if FINAL.contains(&code));
                assert!(error.is_passing() || may_be_final, "request {nth}, {fate:?}: {error}");
                self.go_on(run, &error).await
            }
        };
        self.context.state.finish(&run.id, RunState::Delivered, None, Timestamp::now()).await.unwrap();
        let denied = matches!(fate, Fate::Answer(NO_SUCH_FILE));
        self.check(&run.id, watcher, denied, &format!("request {nth}, {fate:?}, delivered {ending:?}")).await;
        (made, ending)
    }

    /// Asks the oracles. A server that has `denied` a file that is there is believed: what it hides stays with it.
    async fn check(&self, run: &RunId, watcher: Watcher, denied: bool, case: &str) {
        let state = &self.context.state;
        let files = state.files(run).await.unwrap();
        assert!(files.len() == 3 && files.iter().all(|file| file.file.published), "{case}: {files:?}");
        let expected = files.into_iter().map(|file| (file.file.name, file.file.sha256)).collect();
        match self.job.destination.is_direct() {
            true => watcher.assert_ends_with(&expected, case),
            false => watcher.assert_saw_only(&expected, case),
        }
        let (hidden, shown): (Vec<String>, Vec<String>) =
            self.relay.server.names().into_iter().partition(|name| name.starts_with('.'));
        assert_eq!(shown, expected.keys().cloned().collect::<Vec<_>>(), "{case}");
        self.clear();
        let known = state.temporaries(run, "shop").await.unwrap();
        let known: Vec<&String> = known.iter().map(|temporary| &temporary.name).collect();
        let unknown: Vec<&String> = hidden.iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty() || denied, "{case}: {unknown:?} are not on record: {known:?}");
        for name in unknown {
            fs::remove_file(self.relay.server.directory().join(name)).unwrap();
        }
        if !known.is_empty() {
            // What a server did not let go is removed by the job's next run.
            let next = self.begin().await;
            self.attempt(&self.context, &next).await.unwrap_or_else(|error| panic!("{case}; then {error}"));
            state.finish(&next.id, RunState::Delivered, None, Timestamp::now()).await.unwrap();
            assert!(self.relay.server.names().iter().all(|name| !name.starts_with('.')), "{case}");
            assert_eq!(state.temporaries(&next.id, "shop").await.unwrap(), [], "{case}");
            self.clear();
        }
    }

    /// Takes what was delivered, as a partner does.
    fn clear(&self) {
        for name in self.relay.server.names().iter().filter(|name| !name.starts_with('.')) {
            fs::remove_file(self.relay.server.directory().join(name)).unwrap();
        }
    }
}

/// Spoils every `step`th request from the `nth` on, until a run makes fewer. Returns what happened, in a line.
async fn sweep(more: &str, fault: Fault, mut nth: usize, step: usize) -> String {
    let mut world = World::new(more).await;
    let mut endings: BTreeMap<Ending, usize> = BTreeMap::new();
    loop {
        let (made, ending) = world.deliver(nth, fault.of(nth)).await;
        match ending {
            Ending::AtOnce if made < nth => {
                assert!(made > LEAST, "a delivery of three files has more than {made} requests");
                return format!("{made} requests, {fault:?}, {more:?}: {endings:?}");
            }
            // A server too busy to answer in time, before its turn had come.
            _ if made < nth => continue,
            _ => *endings.entry(ending).or_default() += 1,
        }
        nth += step;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_request_that_fails_in_any_way_ends_in_one_whole_delivery() {
    // Until it publishes, a run does the same whether it replaces or refuses.
    let (faults, refuse_from): (Vec<Fault>, usize) = match std::env::var("EXPORTD_SWEEP").as_deref() {
        Ok("all") => {
            let fates = [Fate::CutBefore, Fate::CutAfter, Fate::Silence].into_iter();
            (fates.chain(CODES.map(Fate::Answer)).map(Fault::Same).collect(), 1)
        }
        _ => (vec![Fault::Mixed], PUBLISHING),
    };
    for fault in faults {
        let mut sweeps = tokio::task::JoinSet::new();
        for (more, from) in [("", 1), ("publish = \"refuse\"", refuse_from), ("publish = \"direct\"", 1)] {
            (from..from + LANES).for_each(|first| drop(sweeps.spawn(sweep(more, fault, first, LANES))));
        }
        while let Some(swept) = sweeps.join_next().await {
            eprintln!("{}", swept.unwrap());
        }
    }
}

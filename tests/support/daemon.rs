//! A daemon without stores and servers: its clock is set by the test, and its runs are answered by the test.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exportd::clearance::Location;
use exportd::daemon::{Clock, Configuration, Daemon, DaemonError, Limits, Load, Refusal};
use exportd::daemon::{RunResult, Runner, Signal, serve};
use exportd::deliver::{Hosts, Permit};
use exportd::job::Job;
use exportd::run::{Origin, RunRecord, RunState};
use exportd::state::{DaemonLock, Filter, State};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything may take before it counts as never.
const LIMIT: Duration = Duration::from_secs(20);

/// Clocks that stand still until they are set, and that know how often they were looked at.
struct SetClock {
    shown: Mutex<Shown>,
    pokes: Notify,
    looks: watch::Sender<Looks>,
}

/// What the clocks show.
struct Shown {
    wall: Timestamp,
    since_boot: Duration,
    is_synchronised: bool,
}

#[derive(Clone, Copy, Default)]
struct Looks {
    /// How many ticks were taken.
    taken: u64,
    /// Whether the next one is awaited: then all that the last one led to is done.
    is_resting: bool,
}

impl SetClock {
    fn new(now: &str) -> Arc<SetClock> {
        let looks = watch::Sender::new(Looks::default());
        let (wall, since_boot) = (now.parse().unwrap(), Duration::from_secs(1000));
        let shown = Mutex::new(Shown { wall, since_boot, is_synchronised: false });
        Arc::new(SetClock { shown, pokes: Notify::new(), looks })
    }

    /// Has the daemon look at the clock, and returns when it has done what follows from it.
    async fn poke(&self) {
        let mut looks = self.looks.subscribe();
        let taken = looks.borrow_and_update().taken;
        self.pokes.notify_one();
        let done = looks.wait_for(|looks| looks.taken > taken && looks.is_resting);
        tokio::time::timeout(LIMIT, done).await.expect("the daemon does not look at the clock").unwrap();
    }
}

/// The daemon's hold on the clock.
struct DaemonClock(Arc<SetClock>);

impl Clock for DaemonClock {
    fn now(&self) -> Timestamp {
        self.0.shown.lock().unwrap().wall
    }

    fn since_boot(&self) -> Duration {
        self.0.shown.lock().unwrap().since_boot
    }

    async fn is_synchronised(&self) -> bool {
        self.0.shown.lock().unwrap().is_synchronised
    }

    async fn tick(&self) {
        self.0.looks.send_modify(|looks| looks.is_resting = true);
        self.0.pokes.notified().await;
        self.0.looks.send_modify(|looks| *looks = Looks { taken: looks.taken + 1, is_resting: false });
    }
}

/// A run that a daemon has begun, and that goes on until it is answered.
pub struct Begun {
    pub job: Arc<Job>,
    pub run: RunRecord,
    pub stop: CancellationToken,
    answer: oneshot::Sender<Answer>,
}

enum Answer {
    Result(RunResult),
    Panic,
}

impl Begun {
    pub fn end(self, result: RunResult) {
        assert!(self.answer.send(Answer::Result(result)).is_ok(), "the run is gone");
    }

    pub fn panic(self) {
        assert!(self.answer.send(Answer::Panic).is_ok(), "the run is gone");
    }
}

fn configuration(jobs: Vec<Job>, accepted: &watch::Sender<u32>) -> Configuration {
    let accepted = accepted.clone();
    let accept = Box::new(move || accepted.send_modify(|count| *count += 1));
    Configuration { jobs, digest: "of the test".to_owned(), changes: Vec::new(), notify: None, accept }
}

/// Sets out for the destination, as far as state knows, and waits for the test's answer.
struct Recorder {
    state: State,
    tell: mpsc::UnboundedSender<Begun>,
}

impl Runner for Recorder {
    async fn run(&self, job: Arc<Job>, run: RunRecord, permit: Permit, stop: CancellationToken) -> RunResult {
        let _permit = permit;
        let (answer, answered) = oneshot::channel();
        let location = Location::of(&job.destination);
        self.state.reaching(&run.id, &[], &Origin::default(), &location, None).await.unwrap();
        self.tell.send(Begun { job, run, stop: stop.clone(), answer }).unwrap();
        tokio::select! {
            answer = answered => match answer {
                Ok(Answer::Result(result)) => result,
                Ok(Answer::Panic) => panic!("as the test wants it"),
                Err(_) => std::future::pending().await,
            },
            () = stop.cancelled() => RunResult::Stopped,
        }
    }

    async fn tidy(&self, _now: Timestamp) {}
}

/// A running daemon, and the test's hold on it.
pub struct TestDaemon {
    pub state: State,
    clock: Arc<SetClock>,
    config: watch::Sender<Result<Vec<Job>, String>>,
    reloads: watch::Receiver<u32>,
    /// How many configurations were accepted, the first one too.
    pub accepted: watch::Sender<u32>,
    signals: mpsc::Sender<Signal>,
    begun: mpsc::UnboundedReceiver<Begun>,
    serving: JoinHandle<Result<(), DaemonError>>,
}

impl TestDaemon {
    pub async fn start(dir: &Path, now: &str, jobs: Vec<Job>) -> TestDaemon {
        TestDaemon::with_limits(dir, now, jobs, Limits::default()).await
    }

    pub async fn with_limits(dir: &Path, now: &str, jobs: Vec<Job>, limits: Limits) -> TestDaemon {
        TestDaemon::with_hosts(dir, now, jobs, limits, Hosts::default()).await
    }

    pub async fn with_hosts(dir: &Path, now: &str, jobs: Vec<Job>, limits: Limits, hosts: Hosts) -> TestDaemon {
        let state = State::open(dir).await.unwrap();
        let lock = DaemonLock::acquire(dir).unwrap();
        let clock = SetClock::new(now);
        let config = watch::Sender::new(Ok::<_, String>(jobs.clone()));
        let (reloaded, reloads) = watch::channel(0);
        let (signals, heard) = mpsc::channel(8);
        let (tell, begun) = mpsc::unbounded_channel();
        let written = config.subscribe();
        let accepted = watch::Sender::new(0);
        let accepts = accepted.clone();
        let load: Load = Arc::new(move || {
            reloaded.send_modify(|count| *count += 1);
            match &*written.borrow() {
                Ok(jobs) => Ok(configuration(jobs.clone(), &accepts)),
                Err(faults) => Err(Refusal { faults: faults.clone(), digest: None }),
            }
        });
        let daemon = Daemon {
            state: state.clone(),
            lock,
            configuration: configuration(jobs, &accepted),
            load,
            runner: Recorder { state: state.clone(), tell },
            clock: DaemonClock(clock.clone()),
            signals: heard,
            limits,
            hosts,
        };
        let serving = tokio::spawn(serve(daemon));
        let daemon = TestDaemon { state, clock, config, reloads, accepted, signals, begun, serving };
        daemon.clock.poke().await;
        daemon
    }

    /// Lets time pass until `now`, and returns when the daemon has looked at the clock.
    pub async fn set(&self, now: &str) {
        let now: Timestamp = now.parse().unwrap();
        {
            let mut shown = self.clock.shown.lock().unwrap();
            let passed = now.duration_since(shown.wall);
            assert!(!passed.is_negative(), "time does not pass backwards");
            shown.since_boot += passed.unsigned_abs();
            shown.wall = now;
        }
        self.clock.poke().await;
    }

    /// Sets the wall clock to `now` while no time passes, and returns when the daemon has looked at it.
    pub async fn jump(&self, now: &str) {
        self.clock.shown.lock().unwrap().wall = now.parse().unwrap();
        self.clock.poke().await;
    }

    /// Has the system say from now on whether its clock is synchronised.
    pub async fn synchronise(&self, is_synchronised: bool) {
        self.clock.shown.lock().unwrap().is_synchronised = is_synchronised;
        self.clock.poke().await;
    }

    /// The next run that begins.
    pub async fn begun(&mut self) -> Begun {
        let begun = tokio::time::timeout(LIMIT, self.begun.recv()).await;
        begun.expect("no run began").expect("the daemon is gone")
    }

    /// That nothing else has begun by all that was said to the daemon so far.
    pub async fn assert_nothing_began(&mut self) {
        self.clock.poke().await;
        // What was begun announces itself in state first, and writes take turns: ours come after it.
        for _ in 0..3 {
            self.state.decided(Timestamp::MIN).await.unwrap();
        }
        if let Ok(begun) = self.begun.try_recv() {
            panic!("{} of {} began", begun.run.job, begun.run.due);
        }
    }

    /// Puts `config` where the daemon reads it and tells it to; returns when it has.
    pub async fn reload(&self, config: Result<Vec<Job>, String>) {
        self.config.send_modify(|current| *current = config);
        let mut reloads = self.reloads.clone();
        let before = *reloads.borrow_and_update();
        self.signals.send(Signal::Reload).await.unwrap();
        let read = tokio::time::timeout(LIMIT, reloads.wait_for(|&count| count > before)).await;
        read.expect("the daemon does not read its configuration again").unwrap();
        self.clock.poke().await;
    }

    pub async fn signal(&self, signal: Signal) {
        self.signals.send(signal).await.unwrap();
    }

    /// Stops it and waits for its end.
    pub async fn stop(self) -> State {
        self.signals.send(Signal::Stop).await.unwrap();
        self.ended().await
    }

    /// Waits for its end.
    pub async fn ended(self) -> State {
        let ended = tokio::time::timeout(LIMIT, self.serving).await.expect("the daemon does not end");
        ended.unwrap().unwrap();
        self.state
    }

    /// Kills it: nothing that it would do at its end is done.
    pub async fn kill(self) -> State {
        self.serving.abort();
        assert!(self.serving.await.unwrap_err().is_cancelled());
        self.state
    }

    /// `due state trigger` of every run of `job`, the first due first.
    pub async fn runs(&self, job: &str) -> Vec<String> {
        runs(&self.state, job).await
    }

    /// Waits until the run has left the state `running`.
    pub async fn settled(&self, run: &RunRecord) -> RunRecord {
        let settled = async {
            loop {
                let record = self.state.run(&run.id).await.unwrap().unwrap();
                if record.state != RunState::Running {
                    return record;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, settled).await.expect("the run's end is not recorded")
    }
}

/// `due state trigger` of every run of `job`, the first due first.
pub async fn runs(state: &State, job: &str) -> Vec<String> {
    let mut runs = state.history(&Filter { job: Some(job.to_owned()), ..Filter::default() }).await.unwrap();
    runs.sort_by_key(|run| run.due.timestamp());
    runs.iter().map(|run| format!("{} {} {}", run.due.timestamp(), run.state, run.trigger)).collect()
}

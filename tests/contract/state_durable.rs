//! State of runs that are interrupted, or taken over by commands.

use std::slice::from_ref;

use exportd::clearance::{Location, Recipient};
use exportd::job::{Cadence, Schedule};
use exportd::period::Period;
use exportd::run::{Origin, RunId, RunRecord, RunState, Stage, Trigger};
use exportd::state::{Decision, NewRun, State, Temporary};
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tempfile::TempDir;

use crate::support::jobs::{here, spooled_file as file};

fn now() -> Timestamp {
    "2026-11-21T03:00:05Z".parse().unwrap()
}

async fn open() -> (TempDir, State) {
    let dir = TempDir::new().unwrap();
    let state = State::open(dir.path()).await.unwrap();
    (dir, state)
}

/// Begins an attempt of the daemon.
async fn started(state: &State, run: &RunRecord, now: Timestamp) {
    assert_eq!(state.start(from_ref(&run.id), now).await.unwrap().len(), 1);
}

/// A run of an occurrence that the daemon has begun and brought to `stage`.
async fn begun(state: &State, stage: Stage) -> RunRecord {
    let zone = TimeZone::UTC;
    let schedule = Schedule { cadence: Cadence::Daily, at: time(3, 0, 0, 0), week_starts: Weekday::Monday, zone };
    let due = schedule.latest_due(now());
    let period = Period::of_cadence(&due, &schedule);
    let run = NewRun { due, trigger: Trigger::Schedule, state: RunState::Queued, period, reason: None };
    let decision = Decision { job: "nightly".to_owned(), until: now(), runs: vec![run] };
    let run = state.decide(&[decision], now()).await.unwrap().remove(0);
    started(state, &run, now()).await;
    if stage >= Stage::Spooled {
        state.spooled(&run.id, &here().recipient, &[file("a.csv"), file("b.csv")], now()).await.unwrap();
    }
    if stage >= Stage::Uploading {
        let names = [(0, ".a.part".to_owned()), (1, ".b.part".to_owned())];
        state.uploading(&run.id, &names, now()).await.unwrap();
    }
    state.stage(&run.id, stage, now()).await.unwrap();
    run
}

fn names(temporaries: Vec<Temporary>) -> Vec<String> {
    temporaries.into_iter().map(|temporary| temporary.name).collect()
}

#[tokio::test]
async fn each_step_of_a_file_is_found_again() {
    let (dir, state) = open().await;
    let run = begun(&state, Stage::Publishing).await;
    state.published(&run.id, &[0]).await.unwrap();
    state.close().await;
    let state = State::open(dir.path()).await.unwrap();
    let detail = state.detail(&run.id).await.unwrap().unwrap();
    assert_eq!(detail.stage, Some(Stage::Publishing));
    let steps: Vec<_> = detail.files.iter().map(|file| (file.file.published, file.temp_name.as_deref())).collect();
    assert_eq!(steps, [(true, Some(".a.part")), (false, Some(".b.part"))]);
    assert_eq!(names(state.temporaries(&run.id, "nightly").await.unwrap()), [".b.part"], "the other has gone");
}

#[tokio::test]
async fn a_hidden_name_stays_on_record_until_it_is_known_to_be_gone() {
    let (_dir, state) = open().await;
    let run = begun(&state, Stage::Uploaded).await;
    state.reaching(&run.id, &[".probe.part".to_owned()], &Origin::default(), &here(), None).await.unwrap();
    let other = RunId::from_stored("other");
    assert!(state.temporaries(&other, "nightly").await.unwrap().is_empty(), "the run is under way, and its names too");
    state.finish(&run.id, RunState::Failed, Some("refused"), now()).await.unwrap();
    let left = state.temporaries(&other, "NIGHTLY").await.unwrap();
    assert_eq!(names(left.clone()), [".a.part", ".b.part", ".probe.part"]);
    assert!(state.temporaries(&other, "another job").await.unwrap().is_empty());
    state.forget_temporaries(&left[..1]).await.unwrap();
    assert_eq!(names(state.temporaries(&other, "nightly").await.unwrap()), [".b.part", ".probe.part"]);
    let files = state.files(&run.id).await.unwrap();
    assert_eq!(files[0].temp_name, None, "nothing is up under a name that is gone");
    assert_eq!(files[1].temp_name.as_deref(), Some(".b.part"));
}

#[tokio::test]
async fn a_command_that_fails_leaves_a_run_as_it_was() {
    let (_dir, state) = open().await;
    let run = begun(&state, Stage::Publishing).await;
    let presence = state.presence().unwrap();
    assert!(state.reopen(&run.id, &presence, now()).await.unwrap().is_none(), "the daemon has it");
    let later = now() + 1.hour();
    state.wait(&run.id, "the partner is away", later, now()).await.unwrap();
    let taken = state.reopen(&run.id, &presence, now()).await.unwrap().unwrap();
    assert_eq!((taken.state, taken.retry_at), (RunState::Running, None));
    assert!(state.unfinished().await.unwrap().is_empty(), "the daemon leaves it alone");
    assert!(state.start(from_ref(&run.id), now()).await.unwrap().is_empty());
    state.fall_back(&run.id, &presence, "still away", now()).await.unwrap();
    let waiting = state.run(&run.id).await.unwrap().unwrap();
    assert_eq!(
        (waiting.state, waiting.retry_at, waiting.error.as_deref()),
        (RunState::Waiting, Some(later), Some("still away"))
    );

    started(&state, &run, later).await;
    state.stage(&run.id, Stage::Published, later).await.unwrap();
    state.finish(&run.id, RunState::Delivered, None, later).await.unwrap();
    state.reopen(&run.id, &presence, later + 1.hour()).await.unwrap().unwrap();
    let detail = state.detail(&run.id).await.unwrap().unwrap();
    assert_eq!((detail.stage, detail.files[0].file.published), (Some(Stage::Spooled), false), "all is sent again");
    state.fall_back(&run.id, &presence, "refused", later + 2.hours()).await.unwrap();
    let delivered = state.run(&run.id).await.unwrap().unwrap();
    assert_eq!((delivered.state, delivered.finished, delivered.error), (RunState::Delivered, Some(later), None));
}

#[tokio::test]
async fn a_run_falls_back_when_its_command_is_gone_and_not_before() {
    let (dir, state) = open().await;
    let run = begun(&state, Stage::Spooled).await;
    state.finish(&run.id, RunState::Failed, Some("refused"), now()).await.unwrap();
    let command = State::open(dir.path()).await.unwrap();
    let presence = command.presence().unwrap();
    command.reopen(&run.id, &presence, now()).await.unwrap().unwrap();
    assert!(state.settle_commands(now()).await.unwrap().is_empty(), "it is present");
    drop(presence);
    assert_eq!(state.settle_commands(now()).await.unwrap(), std::slice::from_ref(&run.id));
    let settled = state.run(&run.id).await.unwrap().unwrap();
    assert_eq!(settled.state, RunState::Failed);
    assert!(settled.error.unwrap().contains("ended in the middle"));
    assert!(state.settle_commands(now()).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_spool_is_kept_for_runs_that_need_it_and_for_a_time_after() {
    let (_dir, state) = open().await;
    let run = begun(&state, Stage::Spooled).await;
    assert!(state.spool_users().await.unwrap().contains(&run.id));
    assert!(state.spooled_before(Timestamp::MAX).await.unwrap().is_empty(), "it has not ended");
    assert_eq!(state.last_size("nightly").await.unwrap(), None);
    state.finish(&run.id, RunState::Delivered, None, now()).await.unwrap();
    assert_eq!(state.last_size("Nightly").await.unwrap(), Some(240));
    assert!(state.spooled_before(now() - 1.second()).await.unwrap().is_empty());
    assert!(state.spooled_before(now()).await.unwrap().contains(&run.id));
    state.forget_spool(&run.id).await.unwrap();
    assert!(state.spool_users().await.unwrap().is_empty());
    let presence = state.presence().unwrap();
    assert!(state.reopen(&run.id, &presence, now()).await.unwrap().is_none(), "nothing is left to deliver");
    assert_eq!(state.run(&run.id).await.unwrap().unwrap().state, RunState::Delivered);
}

#[tokio::test]
async fn files_that_are_discarded_are_forgotten_and_hidden_names_are_not() {
    let (_dir, state) = open().await;
    let run = begun(&state, Stage::Uploaded).await;
    let detail = state.detail(&run.id).await.unwrap().unwrap();
    assert_eq!(detail.recipient, Some(here().recipient));
    state.discard(&run.id, "a column is withdrawn", &Origin::default(), now()).await.unwrap();
    let detail = state.detail(&run.id).await.unwrap().unwrap();
    assert_eq!((detail.stage, detail.files.len(), detail.recipient.clone()), (Some(Stage::Claimed), 0, None));
    assert_eq!(detail.attempts[0].discarded.as_deref(), Some("a column is withdrawn"));
    assert!(detail.last_set_out().is_none());
    assert_eq!(names(state.temporaries(&run.id, "nightly").await.unwrap()), [".a.part", ".b.part"]);
}

#[tokio::test]
async fn files_for_another_recipient_count_as_never_sent() {
    let (_dir, state) = open().await;
    let run = begun(&state, Stage::Publishing).await;
    state.published(&run.id, &[0]).await.unwrap();
    let other = Recipient::Sftp { user: "drop".to_owned(), host: "other.example".to_owned(), port: 22 };
    state.hand_over(&run.id, &other, now()).await.unwrap();
    let detail = state.detail(&run.id).await.unwrap().unwrap();
    assert_eq!((detail.stage, detail.recipient), (Some(Stage::Spooled), Some(other)));
    assert!(detail.files.iter().all(|file| !file.file.published && file.temp_name.is_none()));
}

#[tokio::test]
async fn every_attempt_keeps_where_it_went_and_why() {
    let (_dir, state) = open().await;
    let run = begun(&state, Stage::Claimed).await;
    let elsewhere = Location { directory: "elsewhere".to_owned(), ..here() };
    for (location, reason) in [(here(), Some("they asked")), (elsewhere.clone(), None)] {
        state
            .reaching(&run.id, &[format!(".{}.part", location.directory)], &Origin::default(), &location, reason)
            .await
            .unwrap();
        state.wait(&run.id, "away", now(), now()).await.unwrap();
        started(&state, &run, now()).await;
    }
    let detail = state.detail(&run.id).await.unwrap().unwrap();
    let attempts: Vec<_> =
        detail.attempts.iter().map(|attempt| (attempt.location.clone(), attempt.reason.as_deref())).collect();
    assert_eq!(attempts, [(Some(here()), Some("they asked")), (Some(elsewhere), None), (None, None)]);
    assert_eq!(detail.last_set_out().map(|attempt| attempt.number), Some(2));
    let places = state.temporaries(&run.id, "nightly").await.unwrap().into_iter();
    let places: Vec<_> = places.map(|temporary| temporary.location.map(|location| location.directory)).collect();
    assert_eq!(places, [Some(".".to_owned()), Some("elsewhere".to_owned())]);
}

//! State: what was decided stays decided, what was recorded is found again, what can't be trusted is refused.

use std::fs;
use std::slice::from_ref;

use exportd::job::{Cadence, Schedule};
use exportd::period::Period;
use exportd::run::{Origin, RunId, RunRecord, RunState, Stage, Trigger};
use exportd::state::{Decision, Filter, NewRun, State, StateError, StoredFile};
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tempfile::TempDir;

use crate::support::jobs::{here, spooled_file as file};

#[path = "state_folder.rs"]
mod folder;
#[path = "state_warnings.rs"]
mod warnings;

const NOW: &str = "2026-11-21T03:00:05Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn paris() -> Schedule {
    let zone = TimeZone::get("Europe/Paris").unwrap();
    Schedule { cadence: Cadence::Daily, at: time(4, 0, 0, 0), week_starts: Weekday::Monday, zone }
}

/// The decision that the occurrences of `job` in the `days` before `until` are queued.
fn queued(job: &str, until: &str, days: i32) -> Decision {
    let schedule = paris();
    let runs = schedule.occurrences(at(until) - (days * 24).hours(), at(until)).map(|due| NewRun {
        period: Period::of_cadence(&due, &schedule),
        due,
        trigger: Trigger::Schedule,
        state: RunState::Queued,
        reason: None,
    });
    Decision { job: job.to_owned(), until: at(until), runs: runs.collect() }
}

async fn open() -> (TempDir, State) {
    let dir = TempDir::new().unwrap();
    let state = State::open(dir.path()).await.unwrap();
    (dir, state)
}

async fn one_run(state: &State) -> RunRecord {
    state.decide(&[queued("nightly", NOW, 1)], at(NOW)).await.unwrap().remove(0)
}

#[tokio::test]
async fn an_occurrence_is_decided_once_by_whomever_it_is_looked_at() {
    let (dir, state) = open().await;
    let other = State::open(dir.path()).await.unwrap();
    let decision = [queued("nightly", NOW, 3)];
    let upper = [queued("NIGHTLY", NOW, 3)];
    let (here, there) = tokio::join!(state.decide(&decision, at(NOW)), other.decide(&upper, at(NOW)));
    assert_eq!(here.unwrap().len() + there.unwrap().len(), 3);
    assert!(state.decide(&decision, at(NOW)).await.unwrap().is_empty());
    let queued = other.queued(10).await.unwrap();
    let days: Vec<i8> = queued.iter().map(|run| run.due.day()).collect();
    assert_eq!(days, [19, 20, 21], "oldest first");
}

#[tokio::test]
async fn thousands_of_runs_of_one_second_get_identifiers_of_their_own() {
    let (_dir, state) = open().await;
    let made = state.decide(&[queued("nightly", NOW, 9000)], at(NOW)).await.unwrap();
    let mut ids: Vec<&str> = made.iter().map(|run| run.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 9000);
}

#[tokio::test]
async fn a_job_starts_when_it_is_first_seen_and_anew_after_an_absence() {
    let (_dir, state) = open().await;
    let (day1, day2, day3) = (at("2026-11-01T00:00:00Z"), at("2026-11-02T00:00:00Z"), at("2026-11-03T00:00:00Z"));
    assert_eq!(state.in_force(&["Nightly"], day1).await.unwrap()["nightly"], day1);
    assert_eq!(state.in_force(&["nightly", "weekly"], day2).await.unwrap()["nightly"], day1, "already known");
    state.decided(day2).await.unwrap();
    assert_eq!(state.in_force(&["nightly"], day3).await.unwrap()["nightly"], day2);
    let again = state.in_force(&["nightly", "weekly"], at(NOW)).await.unwrap();
    assert_eq!((again["nightly"], again["weekly"]), (day2, at(NOW)));
    state.decide(&[queued("nightly", NOW, 0)], at(NOW)).await.unwrap();
    state.decided(day1).await.unwrap();
    assert_eq!(state.in_force(&["nightly"], at(NOW)).await.unwrap()["nightly"], at(NOW), "never backward");
}

#[tokio::test]
async fn history_has_the_documented_fields() {
    let (_dir, state) = open().await;
    let run = one_run(&state).await;
    started(&state, &run, at("2026-11-21T03:00:06Z")).await;
    state.warned(&run.id, &[warnings::hidden()]).await.unwrap();
    state.spooled(&run.id, &here().recipient, &[file("nightly_2026_11_21_agents.csv")], at(NOW)).await.unwrap();
    state.finish(&run.id, RunState::Delivered, None, at("2026-11-21T03:00:09.5Z")).await.unwrap();
    let history = state.history(&Filter::default()).await.unwrap();
    let json = serde_json::to_string_pretty(&history).unwrap().replace(run.id.as_str(), "RUN");
    insta::assert_snapshot!(json, @r#"
    [
      {
        "run": "RUN",
        "job": "nightly",
        "due": "2026-11-21T04:00:00+01:00",
        "trigger": "schedule",
        "state": "delivered",
        "attempts": 1,
        "started": "2026-11-21T03:00:06Z",
        "finished": "2026-11-21T03:00:09.5Z",
        "waiting_since": null,
        "retry_at": null,
        "period": {
          "from": "2026-11-20T00:00:00+01:00",
          "to": "2026-11-21T00:00:00+01:00"
        },
        "files": [
          {
            "name": "nightly_2026_11_21_agents.csv",
            "export": "agents",
            "rows": 3,
            "bytes": 120,
            "sha256": "abababababababababababababababababababababababababababababababab",
            "published": false,
            "unreadable": {
              "note": 2
            }
          }
        ],
        "error": null,
        "warnings": [
          {
            "exports": [
              "agents"
            ],
            "text": "rows are hidden"
          }
        ]
      }
    ]
    "#);
}

#[tokio::test]
async fn history_is_filtered_and_newest_first() {
    let (_dir, state) = open().await;
    state.decide(&[queued("a", "2026-11-20T12:00:00Z", 2)], at("2026-11-20T12:00:00Z")).await.unwrap();
    state.decide(&[queued("b", NOW, 1)], at(NOW)).await.unwrap();
    let schedule = paris();
    let old = schedule.latest_due(at("2026-01-01T12:00:00Z"));
    let later = at(NOW) + 1.hour();
    let (period, presence) = (Period::of_cadence(&old, &schedule), state.presence().unwrap());
    let manual = state.begin_manual("a", &old, &period, &presence, later).await.unwrap();
    state.begin_manual("a", &old, &period, &presence, later).await.expect("manual runs can repeat");
    let list = async |filter: Filter| {
        let runs = state.history(&filter).await.unwrap();
        runs.iter().map(|run| format!("{} {}", run.job, run.due.date())).collect::<Vec<_>>()
    };
    let all = list(Filter::default()).await;
    assert_eq!(all, ["a 2026-01-01", "a 2026-01-01", "b 2026-11-21", "a 2026-11-20", "a 2026-11-19"]);
    assert_eq!(list(Filter { job: Some("B".to_owned()), ..Filter::default() }).await, ["b 2026-11-21"]);
    assert_eq!(list(Filter { limit: 1, ..Filter::default() }).await.len(), 1);
    assert_eq!(list(Filter { since: Some(at(NOW)), ..Filter::default() }).await.len(), 3);
    assert_eq!(list(Filter { state: Some(RunState::Running), ..Filter::default() }).await.len(), 2);
    let found = state.find(manual.id.as_str()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].trigger, found[0].due.clone()), (Trigger::Manual, old));
    assert_eq!(state.find(&manual.id.as_str()[..6]).await.unwrap().len(), 2);
    assert!(state.find("zzz").await.unwrap().is_empty());
}

/// Begins an attempt of the daemon.
async fn started(state: &State, run: &RunRecord, now: Timestamp) {
    assert_eq!(state.start(from_ref(&run.id), now).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_is_begun_by_one_and_every_attempt_is_kept() {
    let (_dir, state) = open().await;
    let run = one_run(&state).await;
    let (first, second) =
        tokio::join!(state.start(from_ref(&run.id), at(NOW)), state.start(from_ref(&run.id), at(NOW)));
    assert_eq!([first.unwrap(), second.unwrap()].concat().len(), 1);
    let retry_at = at(NOW) + 30.seconds();
    state.wait(&run.id, "the partner is away", retry_at, at(NOW)).await.unwrap();
    let pending = state.unfinished().await.unwrap().remove(0);
    assert_eq!((pending.retry_at, pending.first_failed), (Some(retry_at), Some(at(NOW))));
    started(&state, &run, retry_at).await;
    state.finish(&run.id, RunState::Failed, Some("refused"), retry_at).await.unwrap();
    let detail = state.detail(&run.id).await.unwrap().unwrap();
    let errors: Vec<_> = detail.attempts.iter().map(|attempt| attempt.error.as_deref()).collect();
    assert_eq!(errors, [Some("the partner is away"), Some("refused")]);
    assert_eq!((detail.record.attempts, detail.record.error.as_deref()), (2, Some("refused")));
    assert!(state.start(from_ref(&run.id), at(NOW)).await.unwrap().is_empty(), "it has ended");
}

#[tokio::test]
async fn what_a_daemon_leaves_running_is_queued_again_with_its_stage_and_files() {
    let (dir, state) = open().await;
    let run = one_run(&state).await;
    let schedule = paris();
    let due = schedule.latest_due(at(NOW));
    let (period, presence) = (Period::of_cadence(&due, &schedule), state.presence().unwrap());
    state.begin_manual("by-hand", &due, &period, &presence, at(NOW)).await.unwrap();
    started(&state, &run, at(NOW)).await;
    state.reaching(&run.id, &[], &Origin::default(), &here(), None).await.unwrap();
    state.spooled(&run.id, &here().recipient, &[file("a.csv"), file("b.csv")], at(NOW)).await.unwrap();
    state.uploading(&run.id, &[(1, ".b.csv.part".to_owned())], at(NOW)).await.unwrap();
    state.close().await;

    let state = State::open(dir.path()).await.unwrap();
    assert_eq!(state.requeue_abandoned().await.unwrap(), 1, "the command's run is its own");
    let pending = state.unfinished().await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!((pending[0].record.state, pending[0].record.attempts), (RunState::Queued, 1));
    assert_eq!(pending[0].stage, Some(Stage::Uploading));
    assert_eq!(pending[0].record.due, run.due, "in the same zone");
    assert_eq!(pending[0].record.due.time_zone().iana_name(), Some("Europe/Paris"));
    let files = state.files(&run.id).await.unwrap();
    assert_eq!(files[1], StoredFile { temp_name: Some(".b.csv.part".to_owned()), ..file("b.csv") });
    state.forget_spool(&run.id).await.unwrap();
    assert_eq!(state.files(&run.id).await.unwrap()[0].spool, None);
}

#[tokio::test]
async fn a_missing_run_is_no_error() {
    let (_dir, state) = open().await;
    assert!(state.detail(&RunId::from_stored("0")).await.unwrap().is_none());
    assert!(state.start(&[RunId::from_stored("0")], at(NOW)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let (dir, state) = open().await;
    state.close().await;
    let url = format!("sqlite:{}", dir.path().join("state.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'of the future', 1, x'00', 0)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    pool.close().await;
    let error = State::open(dir.path()).await.unwrap_err();
    assert!(matches!(error, StateError::Newer { .. }), "{error}");
    assert!(error.to_string().contains("newer exportd"));
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_left_as_it_is() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("state.db");
    fs::write(&path, b"this was a database once, now it is not one any more").unwrap();
    let error = State::open(dir.path()).await.unwrap_err();
    assert!(matches!(error, StateError::Corrupt { .. }), "{error}");
    assert!(fs::read(&path).unwrap().starts_with(b"this was"));

    let (dir, state) = open().await;
    state.decide(&[queued("nightly", NOW, 500)], at(NOW)).await.unwrap();
    state.verify().await.unwrap();
    state.close().await;
    let path = dir.path().join("state.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let refused = match State::open(dir.path()).await {
        Ok(state) => state.verify().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(refused, StateError::Corrupt { .. }), "{refused}");
}

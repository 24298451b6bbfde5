//! What is older than history is kept is removed, and nothing else; what was done is not done again.

use exportd::job::{Cadence, Schedule};
use exportd::period::Period;
use exportd::run::{EventKind, NoticeKind, Origin, RunRecord, RunState, Trigger};
use exportd::state::{Decision, Filter, NewEvent, NewRun, State, Subject};
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::jobs::{here, spooled_file as file};

fn day(number: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + (number * 24 + 3).hours()
}

async fn open() -> (TempDir, State) {
    let dir = TempDir::new().unwrap();
    let state = State::open(dir.path()).await.unwrap();
    (dir, state)
}

/// The occurrences of `job` on those days.
fn nights(job: &str, days: std::ops::RangeInclusive<i64>) -> Decision {
    let zone = TimeZone::UTC;
    let schedule = Schedule { cadence: Cadence::Daily, at: time(3, 0, 0, 0), week_starts: Weekday::Monday, zone };
    let until = day(*days.end());
    let runs = days.map(|number| {
        let due = day(number).to_zoned_datetime(TimeZone::UTC);
        let period = Period::of_cadence(&due, &schedule);
        NewRun { due, trigger: Trigger::Schedule, state: RunState::Queued, period, reason: None }
    });
    Decision { job: job.to_owned(), until, runs: runs.collect() }
}

/// Decides the occurrence of that day, and ends its run then.
async fn ended(state: &State, job: &str, number: i64, outcome: RunState) -> RunRecord {
    let run = state.decide(&[nights(job, number..=number)], day(number)).await.unwrap().remove(0);
    state.start(std::slice::from_ref(&run.id), day(number)).await.unwrap();
    state.spooled(&run.id, &here().recipient, &[file("a.csv")], day(number)).await.unwrap();
    state.forget_spool(&run.id).await.unwrap();
    state.finish(&run.id, outcome, None, day(number)).await.unwrap();
    run
}

async fn days(state: &State) -> Vec<i64> {
    let runs = state.history(&Filter { limit: 1000, ..Filter::default() }).await.unwrap();
    runs.iter().rev().map(|run| run.due.timestamp().as_second() / 86400).collect()
}

#[tokio::test]
async fn what_is_old_goes_with_all_that_belongs_to_it() {
    let (dir, state) = open().await;
    for number in 0..250 {
        ended(&state, "nightly", number, RunState::Delivered).await;
    }
    assert_eq!(state.forget_before(day(240)).await.unwrap(), 240);
    assert_eq!(days(&state).await, (240..250).collect::<Vec<i64>>());
    assert_eq!(state.forget_before(day(240)).await.unwrap(), 0);
    let db = Connection::open(dir.path().join("state.db")).unwrap();
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    for table in ["attempt", "passage", "file"] {
        let left = format!("SELECT count(*) FROM {table} WHERE run NOT IN (SELECT id FROM run)");
        assert_eq!(number(&left), 0, "{table}");
    }
    let (pages, free) = (number("PRAGMA page_count"), number("PRAGMA freelist_count"));
    assert!(free > 0, "{free} of {pages}");
    for number in 250..300 {
        ended(&state, "nightly", number, RunState::Delivered).await;
    }
    assert_eq!(number("PRAGMA page_count"), pages, "what is free is used again");
}

#[tokio::test]
async fn what_still_has_a_purpose_stays_however_old_it_is() {
    let (_dir, state) = open().await;
    ended(&state, "nightly", 0, RunState::Delivered).await;
    let delivered = ended(&state, "nightly", 1, RunState::Delivered).await;
    ended(&state, "nightly", 2, RunState::Failed).await;
    let last = ended(&state, "nightly", 3, RunState::Failed).await;

    ended(&state, "others", 10, RunState::Delivered).await;
    let spooled = ended(&state, "others", 11, RunState::Failed).await;
    state.spooled(&spooled.id, &here().recipient, &[file("a.csv")], day(11)).await.unwrap();
    let hidden = ended(&state, "others", 12, RunState::Failed).await;
    state.reaching(&hidden.id, &[".a.part".to_owned()], &Origin::default(), &here(), None).await.unwrap();
    let queued = state.decide(&[nights("others", 13..=13)], day(13)).await.unwrap().remove(0);
    ended(&state, "others", 14, RunState::Delivered).await;
    let late = ended(&state, "others", 15, RunState::Failed).await;
    state.finish(&late.id, RunState::Failed, Some("refused"), day(100)).await.unwrap();
    ended(&state, "others", 16, RunState::Delivered).await;
    // Failures that nobody has been told of yet are still to be told.
    state.drop_notices().await.unwrap();
    let untold = ended(&state, "untold", 20, RunState::Failed).await;
    ended(&state, "untold", 21, RunState::Delivered).await;

    state.forget_before(day(50)).await.unwrap();
    assert_eq!(days(&state).await, [1, 3, 11, 12, 13, 15, 16, 20, 21]);
    assert_eq!(state.last_ended("nightly").await.unwrap().unwrap().id, last.id);
    assert_eq!(state.last_size("nightly").await.unwrap(), Some(120), "of {}", delivered.id);
    assert_eq!(state.unfinished().await.unwrap()[0].record.id, queued.id);
    let pending = state.pending_notices(day(60), 10).await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].subject, Subject::Run(untold.id));
}

#[tokio::test]
async fn an_occurrence_whose_run_is_forgotten_is_not_done_again() {
    let (_dir, state) = open().await;
    state.in_force(&["nightly"], day(-1)).await.unwrap();
    for number in 0..20 {
        ended(&state, "nightly", number, RunState::Delivered).await;
    }
    state.forget_before(day(15)).await.unwrap();
    assert_eq!(days(&state).await, [15, 16, 17, 18, 19]);
    assert!(state.decide(&[nights("nightly", 0..=19)], day(20)).await.unwrap().is_empty());
    assert!(state.decide(&[nights("NIGHTLY", 0..=19)], day(20)).await.unwrap().is_empty());

    // A clock that began in the past for a moment: all since then is looked at again.
    state.clock_set_back(day(2), day(2)).await.unwrap();
    assert_eq!(state.in_force(&["nightly"], day(3)).await.unwrap()["nightly"], day(2));
    let made = state.decide(&[nights("nightly", 3..=20)], day(20)).await.unwrap();
    assert_eq!(made.iter().map(|run| run.due.timestamp()).collect::<Vec<_>>(), [day(20)]);
}

#[tokio::test]
async fn events_and_notices_are_forgotten_but_for_the_latest_events() {
    let (dir, state) = open().await;
    for number in 0..250 {
        let event =
            NewEvent { kind: EventKind::Started, config: None, text: format!("{number}"), detail: "{}".to_owned() };
        state.record_event(event, std::iter::empty(), day(number)).await.unwrap();
        state.notice(NoticeKind::Clock, "a text", day(number)).await.unwrap();
    }
    state.forget_before(day(10)).await.unwrap();
    assert_eq!(state.events(0, 1000).await.unwrap().len(), 240);
    assert_eq!(state.pending_notices(day(300), 1000).await.unwrap().len(), 250, "nobody was told of these");
    state.drop_notices().await.unwrap();
    state.forget_before(day(249)).await.unwrap();
    let events = state.events(0, 1000).await.unwrap();
    assert_eq!((events.len(), events[0].text.as_str()), (100, "249"));
    let db = Connection::open(dir.path().join("state.db")).unwrap();
    assert_eq!(db.query_row("SELECT count(*) FROM notice", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

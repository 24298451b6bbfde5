//! What a configuration changes, above all which columns it newly lets out, and that a refused one changes nothing.

use std::sync::Arc;

use exportd::catalogue::{Column, Source};
use exportd::daemon::RunResult;
use exportd::definition::Definition;
use exportd::job::{Channels, CsvOptions, DatetimeStyle, Format, Job, JobExport, PeriodRule, Trust, Verify};
use exportd::run::EventKind;
use exportd::state::{Event, State};
use exportd::value::ColumnType;
use jiff::civil::Weekday;
use tempfile::TempDir;

use crate::support::daemon::TestDaemon;
use crate::support::jobs::{daily, on_host, sftp};

/// A job that exports these columns; what ends with `*` is sensitive.
fn exporting(label: &str, columns: &[&str]) -> Job {
    let column = |name: &&str| Column {
        sensitive: name.ends_with('*'),
        ..Column::new(name.trim_end_matches('*'), ColumnType::String)
    };
    let export = JobExport {
        name: "people".to_owned(),
        source: Source::Table("people".to_owned()),
        columns: Arc::from_iter(columns.iter().map(column)),
        order: Vec::new(),
        period: PeriodRule::All,
        filter: None,
    };
    Job { exports: vec![Arc::new(export)], ..daily(label, 4, 0) }
}

async fn start(dir: &TempDir, jobs: Vec<Job>) -> TestDaemon {
    TestDaemon::start(dir.path(), "2026-11-21T03:00:00Z", jobs).await
}

async fn last(daemon: &TestDaemon) -> Event {
    daemon.state.events(0, 1).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_reload_lists_what_it_changes_and_every_column_that_newly_leaves() {
    let dir = TempDir::new().unwrap();
    let daemon = start(&dir, vec![exporting("a", &["id", "city"]), daily("gone", 4, 0)]).await;
    let started = last(&daemon).await;
    assert_eq!(started.kind, EventKind::Started);
    assert!(
        started
            .text
            .contains("for the first time: added a, gone\nnewly leaves to drop@a.example:22: a, people: id, city")
    );

    let mut job = exporting("a", &["id", "city", "email*"]);
    job.description = "more".to_owned();
    daemon.reload(Ok(vec![job, exporting("new", &["name*"])])).await;
    let accepted = last(&daemon).await;
    let text = "added new; removed gone; changed a (description, exports)\n\
                newly leaves to drop@a.example:22: a, people: email*\n\
                newly leaves to drop@new.example:22: new, people: name*";
    assert_eq!((accepted.kind, accepted.text.as_str()), (EventKind::Accepted, text));
    assert_eq!(accepted.detail["exposed"][0]["sensitive"], serde_json::json!(["email"]));
    assert_eq!(*daemon.accepted.borrow(), 2);

    daemon.reload(Ok(vec![exporting("a", &["city", "id"]), exporting("new", &["name*"])])).await;
    assert_eq!(last(&daemon).await.text, "changed a (description, exports)", "what leaves no more is no exposure");
}

#[tokio::test]
async fn changes_are_found_over_a_restart_too() {
    let dir = TempDir::new().unwrap();
    start(&dir, vec![exporting("a", &["id"])]).await.kill().await.close().await;
    let daemon = start(&dir, vec![exporting("a", &["id", "phone*"])]).await;
    let text = last(&daemon).await.text;
    assert!(text.ends_with(": changed a (exports)\nnewly leaves to drop@a.example:22: a, people: phone*"), "{text}");
}

#[tokio::test]
async fn a_refused_configuration_changes_nothing_and_is_on_record() {
    let dir = TempDir::new().unwrap();
    let daemon = start(&dir, vec![exporting("a", &["id"])]).await;
    daemon.reload(Err("jobs.toml:3:1: unknown key".to_owned())).await;
    let refused = last(&daemon).await;
    assert_eq!((refused.kind, refused.text.as_str()), (EventKind::Refused, "jobs.toml:3:1: unknown key"));
    assert_eq!(*daemon.accepted.borrow(), 1, "of the start");
    // The file is sound and state can't be written: nothing of the new one may come into force.
    daemon.state.close().await;
    daemon.reload(Ok(vec![exporting("b", &["id"])])).await;
    assert_eq!(*daemon.accepted.borrow(), 1);
}

#[tokio::test]
async fn a_run_that_goes_on_ends_by_the_job_it_began_with() {
    let dir = TempDir::new().unwrap();
    let mut daemon = start(&dir, vec![exporting("a", &["id"])]).await;
    daemon.set("2026-11-21T04:00:00Z").await;
    let begun = daemon.begun().await;
    daemon.reload(Ok(vec![exporting("a", &["id", "city"])])).await;
    assert_eq!(begun.job.exports[0].columns.len(), 1);
    begun.end(RunResult::Delivered);
    daemon.set("2026-11-22T04:00:00Z").await;
    assert_eq!(daemon.begun().await.job.exports[0].columns.len(), 2);
}

#[test]
fn all_columns_of_a_job_are_new_to_a_new_recipient() {
    let job = exporting("a", &["id", "email*"]);
    let before = Definition::of(&job);
    let exposed =
        |job: &Job| Definition::of(job).exposed_since(Some(&before)).into_iter().flat_map(|e| e.columns).count();
    assert_eq!(exposed(&job), 0);
    let mut elsewhere = job.clone();
    on_host(&mut elsewhere, "other.example");
    assert_eq!(exposed(&elsewhere), 2);
    assert_eq!(exposed(&Job { enabled: false, ..elsewhere }), 0, "switched off, nothing leaves");
    let mut another = job.clone();
    Arc::make_mut(&mut another.exports[0]).source = Source::Table("patients".to_owned());
    assert_eq!(exposed(&another), 2, "the same names of another table");
    let read = Definition::parse(&before.text()).unwrap();
    assert_eq!((read.changed_keys(&before), read.schedule()), (Vec::new(), Some(job.schedule)));
}

/// What the first version stored of two jobs: whole debug texts of types among the values.
const OLDER: [(&str, &str); 2] = [
    (
        "a",
        r#"{"label":"a","description":"","reason":null,"enabled":true,"run":"daily","at":"04:00","week_starts":"monday",
"timezone":"UTC","exports":[{"name":"people","source":"Table(\"people\")","columns":[{"name":"id"},
{"name":"email","sensitive":true}],"period":"all","filter_by":null}],"format":"bi","host":"a.example","port":22,
"user":"drop","directory":".","key":"key","key_passphrase":false,"trust":{"host_keys":[]},"publish":"replace",
"allow_gap":false,"verify":"size","requests":128,"max_rate":null,"channels":"auto","filename":"{{label}}",
"extension":"csv","zip":false,"missed":"all","retry":[30,3600,172800],"manifest":false}"#,
    ),
    (
        "b",
        r#"{"label":"b","description":"","reason":null,"enabled":true,"run":"daily","at":"04:00","week_starts":"sunday",
"timezone":"UTC","exports":[{"name":"people","source":"Query(\"SELECT \\\"id\\\"\\nFROM people\")",
"columns":[{"name":"id"}],"period":"all","filter_by":null}],"format":{"csv":"CsvOptions { delimiter: 59, line_ending: CrLf,
 bom: true, header: true, null: \"\\\\N\", quote: Minimal, boolean: (\"yes\", \"no\"), datetime: Utc,
 decimal_separator: 44, formula_guard: false }"},"host":"b.example","port":22,"user":"drop","directory":".","key":"key",
"key_passphrase":false,"trust":{"known_hosts":"/etc/ssh/known"},"publish":"replace","allow_gap":false,"verify":"readback",
"requests":128,"max_rate":null,"channels":"atmost(4)","filename":"{{label}}","extension":"csv","zip":false,"missed":"all",
"retry":[30,3600,172800],"manifest":false}"#,
    ),
];

/// The jobs that [`OLDER`] was stored of.
fn older_jobs() -> Vec<Job> {
    let mut b = exporting("b", &["id"]);
    Arc::make_mut(&mut b.exports[0]).source = Source::Query("SELECT \"id\"\nFROM people".to_owned());
    b.schedule.week_starts = Weekday::Sunday;
    b.format = Format::Csv(CsvOptions {
        delimiter: b';',
        bom: true,
        null: "\\N".to_owned(),
        boolean: ("yes".to_owned(), "no".to_owned()),
        datetime: DatetimeStyle::Utc,
        decimal_separator: b',',
        ..CsvOptions::default()
    });
    let to = sftp(&mut b);
    to.trust = Trust::KnownHosts("/etc/ssh/known".into());
    (to.verify, to.channels) = (Verify::Readback, Channels::AtMost(4));
    vec![exporting("a", &["id", "email*"]), b]
}

/// A state folder in which a daemon of the first version has accepted [`OLDER`].
async fn older_state() -> TempDir {
    let dir = TempDir::new().unwrap();
    State::open(dir.path()).await.unwrap().close().await;
    let db = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    for (key, text) in OLDER {
        let insert = "INSERT INTO definition (job_key, definition) VALUES (?, ?)";
        db.execute(insert, (key, text.replace('\n', ""))).unwrap();
    }
    dir
}

#[tokio::test]
async fn an_upgrade_changes_no_job() {
    let dir = older_state().await;
    let daemon = start(&dir, older_jobs()).await;
    let text = last(&daemon).await.text;
    assert!(text.ends_with(": no job changed"), "{text}");
    let stored = daemon.state.definitions("", 10).await.unwrap();
    let present: Vec<String> = older_jobs().iter().map(|job| Definition::of(job).text()).collect();
    assert_eq!(stored.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), present, "stored in the present form");
}

#[tokio::test]
async fn a_start_with_many_jobs_lists_some_of_them_and_stores_once_what_they_have_in_common() {
    let dir = TempDir::new().unwrap();
    let names: Vec<String> = (0..40).map(|number| format!("column_{number}")).collect();
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let job = |number: usize| match number < 1195 {
        true => exporting(&format!("job{number:04}"), &columns),
        false => exporting(&format!("job{number:04}"), &["id", "email*"]),
    };
    let jobs: Vec<Job> = (0..1200).map(job).collect();
    let daemon = start(&dir, jobs.clone()).await;
    let started = last(&daemon).await;
    assert_eq!(started.detail["changes"]["added"].as_array().unwrap().len(), 1000);
    assert_eq!(started.detail["changes"]["unlisted"]["added"], 200);
    let exposed = started.detail["changes"]["exposed"].as_array().unwrap();
    let sensitive = exposed.iter().filter(|exposure| exposure["sensitive"] == serde_json::json!(["email"])).count();
    assert_eq!((exposed.len(), sensitive), (1000, 5), "sensitive columns first");
    assert!(started.text.contains("added job0000, ") && started.text.contains(" and 1180 more\n"), "{}", started.text);
    assert!(started.text.ends_with("newly leaves: columns of 200 more exports"), "{}", started.text);

    let stored = daemon.state.definitions("", 2000).await.unwrap();
    let present: Vec<String> = jobs.iter().map(|job| Definition::of(job).text()).collect();
    assert_eq!(stored.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), present);
    let db = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("SELECT count(*) FROM common"), 2);
    assert!(number("SELECT max(length(definition)) FROM definition") < 300);
    daemon.reload(Ok(jobs[..10].to_vec())).await;
    assert_eq!(number("SELECT count(*) FROM common"), 1, "what nothing refers to goes");
}

#[tokio::test]
async fn a_change_together_with_an_upgrade_is_told() {
    let dir = older_state().await;
    let mut jobs = older_jobs();
    Arc::make_mut(&mut jobs[0].exports[0]).source = Source::Table("patients".to_owned());
    if let Format::Csv(options) = &mut jobs[1].format {
        options.delimiter = b'|';
    }
    let to = sftp(&mut jobs[1]);
    (to.verify, to.channels) = (Verify::Size, Channels::AtMost(5));
    let daemon = start(&dir, jobs).await;
    let text = last(&daemon).await.text;
    let told =
        ": changed a (exports), b (csv, verify, channels)\nnewly leaves to drop@a.example:22: a, people: id, email*";
    assert!(text.ends_with(told), "{text}");
}

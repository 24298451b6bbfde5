//! Ctrl-C, or SIGTERM: the command ends at once, leaves nothing behind, and the store stops working on the query.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use exportd::store::StoreKind;
use rustix::process::Signal;

use crate::support::databases::Database;
use crate::support::program::{Outcome, Program, outcome};
use crate::support::shop;
use crate::support::sshd::{Sshd, names_in};

/// The generous limit for what takes a second or two.
const LIMIT: Duration = Duration::from_secs(30);

/// A program whose job asks its store for something that takes ten minutes.
fn program(server: &Sshd, database: &Database, sleep: &str) -> Program {
    let program = Program::new(&shop::config(server, "").replace("sqlite:shop.db", &database.url));
    let catalogue =
        format!("[[export]]\nname = \"orders\"\nquery = \"SELECT {sleep} AS id\"\n[export.columns]\nid = \"id\"\n");
    fs::write(program.path("catalogue.toml"), catalogue).unwrap();
    program
}

fn start(program: &Program) -> Child {
    program.command(&["run", "shop"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn wait_until_asleep(database: &Database, expected: i64) {
    let started = Instant::now();
    while database.count(asleep(database.kind)).await != expected {
        assert!(started.elapsed() < LIMIT, "the store never had {expected} such queries");
        tokio::task::yield_now().await;
    }
}

fn asleep(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
             AND query LIKE 'COPY%pg_sleep%'"
        }
        _ => {
            "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND command = 'Execute' \
             AND info LIKE '%SLEEP(600%' AND id <> connection_id()"
        }
    }
}

fn send(child: &Child, signal: Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

async fn interrupt(kind: StoreKind, sleep: &str, signal: Signal) -> Outcome {
    let server = Sshd::start();
    let database = Database::new(kind).await;
    let program = program(&server, &database, sleep);
    let child = start(&program);
    wait_until_asleep(&database, 1).await;
    let told = Instant::now();
    send(&child, signal);
    let ended = outcome(child.wait_with_output().unwrap()).expect(1);
    assert!(told.elapsed() < Duration::from_secs(8), "it took {:?} to end", told.elapsed());
    assert!(ended.err.contains("was stopped before it was done"), "{}", ended.err);
    wait_until_asleep(&database, 0).await;
    assert_eq!(server.names(), Vec::<String>::new());
    assert_eq!(names_in(&program.path("state/spool")), Vec::<String>::new());
    let history = program.run(&["history", "--json"]).expect(0).json();
    assert_eq!(history[0]["state"], "failed", "{history}");
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_postgres_ends_with_the_command_that_asked() {
    interrupt(StoreKind::Postgres, "pg_sleep(600)::text", Signal::INT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_mariadb_ends_with_the_command_that_asked() {
    interrupt(StoreKind::Mysql, "SLEEP(600)", Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_notices_that_a_killed_command_is_gone() {
    let server = Sshd::start();
    let database = Database::new(StoreKind::Postgres).await;
    let program = program(&server, &database, "pg_sleep(600)::text");
    let mut child = start(&program);
    wait_until_asleep(&database, 1).await;
    send(&child, Signal::KILL);
    child.wait().unwrap();
    wait_until_asleep(&database, 0).await;
}

#[test]
fn off_a_terminal_nothing_but_the_result_is_printed() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let run = program.run(&["run", "shop", "--at", shop::DAY]).expect(0);
    assert_eq!(run.err, "");
    let lines: Vec<&str> = run.out.lines().collect();
    let covered = ["", "What the files cover:", "  shop  day 2026-11-19: orders"];
    assert!(lines[0].starts_with("JOB ") && lines[2..] == covered, "{}", run.out);
    assert!(!run.out.contains('\u{1b}'), "{}", run.out);
}

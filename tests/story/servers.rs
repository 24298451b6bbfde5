//! Servers that die in the middle of a run, and runs that do: the next attempt delivers, once and whole.

use std::fs;
use std::time::{Duration, Instant};

use exportd::run::RunState;
use exportd::store::StoreKind;
use sqlx::{Connection, Executor, PgConnection};

use crate::support::databases::Database;
use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::Program;
use crate::support::service::Service;
use crate::support::sshd::Sshd;

/// The generous limit for what takes a second or two.
const LIMIT: Duration = Duration::from_secs(60);

const ROWS: usize = 20_000;

/// A table that nobody reads beyond one row while somebody else holds the gate.
const GATED: &str = "
    CREATE FUNCTION gate(number int) RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN number; END $$;
    CREATE VIEW gated AS SELECT CASE WHEN i = GATE THEN gate(i) ELSE i END AS id, md5(i::text) AS text
        FROM generate_series(1, ROWS) AS i";

const AT_THE_GATE: &str = "FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Makes the job export one thing alone.
fn export_only(program: &Program, name: &str, columns: &str) {
    let catalogue = format!("[[export]]\nname = \"{name}\"\nfrom = \"{name}\"\n[export.columns]\n{columns}");
    fs::write(program.path("catalogue.toml"), catalogue).unwrap();
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("[\"orders\", \"invoices\"]", &format!("[\"{name}\"]")));
}

#[test]
fn a_store_that_ends_the_connection_at_any_row_is_read_again_from_the_start() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Sshd::start();
    let ended = format!("SELECT count(pg_terminate_backend(pid)) {AT_THE_GATE}");
    for row in [1, 7000, ROWS] {
        let database = runtime.block_on(Database::new(StoreKind::Postgres));
        let tables = GATED.replace("GATE", &row.to_string()).replace("ROWS", &ROWS.to_string());
        runtime.block_on(database.run(&tables));
        let program = night::program(&server, "");
        export_only(&program, "gated", "id = \"id\"\ntext = \"string\"\n");
        let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
        program.configure(&config.replace("sqlite:shop.db", &database.url));
        night::last_up(&program, 1);

        let mut keeper = runtime.block_on(PgConnection::connect(&database.url)).unwrap();
        runtime.block_on(keeper.execute("SELECT pg_advisory_lock(1)")).unwrap();
        let watcher = Watcher::start(&server.directory());
        let mut service = Service::start(&program);
        let mut end = || {
            let ended = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(ended.clone()));
            runtime.block_on(ended.fetch_one(&mut keeper)).unwrap()
        };
        let began = Instant::now();
        while end() == 0 {
            assert!(began.elapsed() < LIMIT, "row {row} was never read");
        }
        let failure = service.says("retry_at");
        assert!(failure.contains("gated"), "{failure}");
        assert_eq!(server.names(), Vec::<String>::new(), "nothing is up yet");
        runtime.block_on(keeper.close()).unwrap();
        service.says("\"delivered\"");
        service.stop();
        let settled = oracle::settle(&program, watcher);
        let (run, _) = &settled.runs[0];
        assert_eq!((run.attempts, run.files[0].rows), (2, ROWS as u64));
        server.names().iter().for_each(|name| fs::remove_file(server.directory().join(name)).unwrap());
    }
}

#[test]
fn a_partner_whose_server_dies_in_the_middle_of_a_file_gets_it_whole_when_it_is_up_again() {
    let mut server = Sshd::start();
    let program = night::program(&server, "");
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    let numbers = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 400000)";
    store
        .execute_batch(&format!("CREATE TABLE tall AS {numbers} SELECT id, hex(zeroblob(40)) AS text FROM n"))
        .unwrap();
    export_only(&program, "tall", "id = \"id\"\ntext = \"string\"\n");
    night::last_up(&program, 1);
    let watcher = Watcher::start(&server.directory());
    let mut service = Service::start(&program);
    let is_on_its_way = |name: &String| {
        let is_part = name.contains("tall") && name.ends_with(".part");
        is_part && fs::metadata(server.directory().join(name)).is_ok_and(|file| file.len() > 0)
    };
    let began = Instant::now();
    while !server.names().iter().any(is_on_its_way) {
        assert!(began.elapsed() < LIMIT, "nothing is ever uploaded");
    }
    server.stop_sessions();
    let failure = service.says("retry_at");
    assert!(failure.contains("lost") || failure.contains("can't be reached"), "{failure}");
    server.start_again();
    service.says("\"delivered\"");
    service.stop();
    let settled = oracle::settle(&program, watcher);
    assert!(settled.runs[0].0.attempts >= 2);
}

#[test]
fn a_defect_in_one_run_leaves_the_others_and_the_daemon_alone() {
    let server = Sshd::start();
    let program = night::program(&server, "");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    let job = config.split_once("[[job]]").expect("there is a job").1.replace("\"shop\"", "\"other\"");
    program.configure(&format!("{config}\n[[job]]{job}"));
    for place in ["spool:write:before", "destination:upload:before", "destination:rename:after"] {
        fs::remove_dir_all(program.path("state")).unwrap_or_default();
        night::last_up_all(&program, &["shop", "other"], 1);
        let mut service = Service::with_failpoint(&program, &format!("{place}=panic"));
        let (mut failed, mut delivered) = (String::new(), String::new());
        while failed.is_empty() || delivered.is_empty() {
            let line = service.says("\"job\":");
            match line.contains("failed: ") {
                true => failed = line,
                false if line.contains("\"delivered\"") => delivered = line,
                false => {}
            }
        }
        assert!(failed.contains("bug in exportd"), "{failed}");
        service.stop();
        let runs = oracle::runs(&program);
        let hurt = &runs.iter().find(|(run, _)| run.state == RunState::Failed).expect("one run failed").0;
        let due = exportd::run::rfc3339(&hurt.due);
        program.run(&["run", &hurt.job, "--at", &due]).expect(0);
        let names = server.names();
        assert!(names.len() == 6 && names.iter().all(|name| !name.starts_with('.')), "{place}: {names:?}");
        names.iter().for_each(|name| fs::remove_file(server.directory().join(name)).unwrap());
    }
}

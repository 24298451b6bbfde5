//! Every tuning delivers the same bytes, also when a run is continued with another tuning than it was begun with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use exportd::store::StoreKind;

use crate::support::counted::Counted;
use crate::support::databases::Database;
use crate::support::night;
use crate::support::oracle::{self, Watcher};
use crate::support::program::{Program, outcome};
use crate::support::service::Service;
use crate::support::shop;
use crate::support::sshd::Sshd;

const BOTH: [&str; 2] = ["eager", "plain"];

/// Rows of the table that is tall: some 2 MB of them.
const ROWS: usize = 20_000;

const JOBS: &str = r#"
exports = ["tall", "small", "empty"]
filename = "{{export_name}}"
manifest = true
[[job]]
label = "zipped"
run = "daily"
timezone = "Europe/Paris"
exports = ["small", "tall"]
filename = "zipped"
zip = true
"#;

const CATALOGUE: &str = r#"
[[export]]
name = "tall"
from = "tall"
order = ["id"]
[export.columns]
id = "id"
price = { type = "decimal", scale = 2 }
text = "text"
[[export]]
name = "small"
from = "small"
order = ["id"]
[export.columns]
id = "id"
text = "text"
[[export]]
name = "empty"
query = "SELECT id FROM small WHERE id < 0"
[export.columns]
id = "id"
"#;

/// What came of a delivery: what the partner has, and what history says of the files.
#[derive(PartialEq, Eq)]
struct Delivered {
    /// Contents by name, without the run's identifier.
    files: BTreeMap<String, Vec<u8>>,
    /// Name, rows, size and digest of every file that is not a manifest.
    recorded: Vec<(String, u64, u64, String)>,
}

/// The tables of [`CATALOGUE`]; texts that need quoting, and one that is longer than a block of anything.
async fn store(kind: StoreKind) -> Database {
    let numbers = match kind {
        StoreKind::Postgres => format!("SELECT i AS id FROM generate_series(1, {ROWS}) AS i"),
        StoreKind::Mysql => format!("SELECT seq AS id FROM seq_1_to_{ROWS}"),
        StoreKind::Sqlite => {
            let numbers = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT";
            format!("{numbers} {ROWS}) SELECT id FROM n")
        }
    };
    let (plain, long) = ("number after number, row after row", "long ".repeat(60_000));
    let text = format!("CASE WHEN id = 777 THEN '{long}' WHEN id % 7 = 0 THEN 'a \"quoted\", text' ELSE '{plain}' END");
    // SQLite would make a binary fraction of a number.
    let price = if kind == StoreKind::Sqlite { "id || '.25'" } else { "id + 0.25" };
    let database = Database::new(kind).await;
    database
        .run(&format!("CREATE TABLE tall AS SELECT id, {price} AS price, {text} AS text FROM ({numbers}) AS n"))
        .await;
    database
        .run("CREATE TABLE small (id INTEGER, text VARCHAR(40)); INSERT INTO small VALUES (1, 'one'), (2, NULL)")
        .await;
    database
}

fn program(server: &Sshd, database: &Database) -> Program {
    let (head, place) = shop::config(server, "").split_once("exports = [\"orders\"]\n").map(owned).unwrap();
    let (own, other) = JOBS.split_once("[[job]]").map(owned).unwrap();
    let config = format!("{head}{own}{place}[[job]]{other}{place}").replace("sqlite:shop.db", &database.url);
    let program = Program::new(&config);
    fs::write(program.path("catalogue.toml"), CATALOGUE).unwrap();
    program
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[track_caller]
fn run(program: &Program, paths: &str, arguments: &[&str]) {
    let output = program.command(arguments).env("EXPORTD_TUNING", paths).output().unwrap();
    outcome(output).expect(0);
}

fn serve(program: &Program, paths: &str) -> Command {
    let mut command = program.command(&["serve"]);
    command.env("EXPORTD_TUNING", paths);
    command
}

/// What is at the destination, which is empty afterwards, and what the program's history says of `job`'s only run.
fn take(server: &Sshd, program: &Program, job: &str) -> Delivered {
    let runs = oracle::runs(program);
    let (record, files) = runs.iter().find(|(record, _)| record.job == job).unwrap();
    assert_eq!(record.state.name(), "delivered");
    let mut taken = BTreeMap::new();
    for name in server.names() {
        let path = server.directory().join(&name);
        let content = fs::read(&path).unwrap();
        let content = match name.ends_with(".json") {
            true => String::from_utf8(content).unwrap().replace(record.id.as_str(), "RUN").into_bytes(),
            false => content,
        };
        taken.insert(name.replace(record.id.as_str(), "RUN"), content);
        fs::remove_file(path).unwrap();
    }
    let files = files.iter().filter(|file| !file.is_manifest).map(|file| &file.file);
    let recorded = files.map(|file| (file.name.clone(), file.rows, file.bytes, file.sha256.clone())).collect();
    Delivered { files: taken, recorded }
}

#[track_caller]
fn assert_same(one: &Delivered, other: &Delivered, case: &str) {
    assert_eq!(one.recorded, other.recorded, "{case}");
    assert_eq!(one.files.keys().collect::<Vec<_>>(), other.files.keys().collect::<Vec<_>>(), "{case}");
    for (name, content) in &one.files {
        assert!(*content == other.files[name], "{name} differs: {case}");
    }
}

#[test]
fn all_stores_and_all_tunings_deliver_the_same_bytes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Sshd::start();
    let mut expected: BTreeMap<&str, Delivered> = BTreeMap::new();
    for kind in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
        let database = runtime.block_on(store(kind));
        for (way, other) in [BOTH, ["plain", "eager"]].map(|ways| (ways[0], ways[1])) {
            let program = program(&server, &database);
            for job in ["shop", "zipped"] {
                let case = format!("{job} from {kind:?}, {way}");
                run(&program, way, &["run", job, "--at", "2026-11-21"]);
                let delivered = take(&server, &program, job);
                assert_eq!(delivered.files.len(), if job == "shop" { 4 } else { 1 }, "{case}");
                assert!(delivered.recorded.iter().any(|(_, _, bytes, _)| *bytes > 100_000), "{case}");
                // From the spool, by the way that did not make it.
                let id = oracle::runs(&program).into_iter().find(|(run, _)| run.job == job).unwrap().0.id;
                run(&program, other, &["redeliver", id.as_str()]);
                assert_same(&take(&server, &program, job), &delivered, &format!("{case}, again {other}"));
                match expected.get(job) {
                    Some(first) => assert_same(&delivered, first, &case),
                    None => drop(expected.insert(job, delivered)),
                }
            }
        }
    }
}

#[test]
fn only_an_eager_tuning_uses_several_channels_for_a_small_file() {
    let server = Counted::start();
    for (tuning, is_eager) in [("eager", true), ("plain", false), ("default", false)] {
        let program = night::program(&server.sshd, "");
        many_orders(&program.path("shop.db"));
        let before = server.sessions().len();
        run(&program, tuning, &["run", "shop"]);
        assert_eq!(server.sessions().len() - before > 1, is_eager, "{tuning}: every channel is a session");
    }
}

#[test]
fn a_tuning_that_is_unknown_is_refused() {
    let program = shop::program(&Sshd::start(), "");
    let mut command = program.command(&["run", "shop"]);
    let refused = outcome(command.env("EXPORTD_TUNING", "fast").output().unwrap()).expect(2);
    assert!(refused.err.contains("set it to default, plain or eager"), "{}", refused.err);
}

/// Where a run is cut short, and at which passage: in small pieces a file has more of them.
const CUTS: [(&str, [usize; 2]); 5] = [
    ("spool:write:before", [90, 2]),
    ("destination:upload:after", [1, 1]),
    ("state:spooled:after", [1, 1]),
    ("state:uploading:after", [1, 1]),
    ("destination:rename:after", [2, 2]),
];

#[test]
fn a_run_that_was_killed_is_continued_with_another_tuning() {
    let server = Sshd::start();
    for (cut, passages) in CUTS {
        for (way, passage) in BOTH.into_iter().zip(passages) {
            let program = night::program(&server, "");
            many_orders(&program.path("shop.db"));
            night::last_up(&program, 1);
            let watcher = Watcher::start(&server.directory());
            let mut killed = serve(&program, way);
            killed.env("EXPORTD_FAILPOINT", format!("{cut}=kill@{passage}"));
            Service::launch(killed).was_killed();
            let mut service = Service::launch(serve(&program, if way == "eager" { "plain" } else { "eager" }));
            service.says("\"delivered\"");
            service.stop();
            assert_eq!(oracle::settle(&program, watcher).runs.len(), 1, "{cut}, {way}");
            clear(&server);
        }
    }
}

#[test]
fn a_spooled_file_that_changed_is_made_again() {
    let server = Sshd::start();
    for change in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| fs::write(path, "short").unwrap()] {
        let program = night::program(&server, "");
        night::last_up(&program, 1);
        let watcher = Watcher::start(&server.directory());
        Service::with_failpoint(&program, "state:uploading:after=kill").was_killed();
        let spooled = oracle::runs(&program)[0].1[0].spool.clone();
        change(&program.path(spooled.expect("the file is in the spool")));
        let mut service = Service::launch(serve(&program, "eager"));
        service.says("made again");
        service.says("\"delivered\"");
        service.stop();
        oracle::settle(&program, watcher);
        clear(&server);
    }
}

/// The writer waits for its disk at every block, or the upload for its line: it follows closely, or falls behind.
#[test]
fn a_file_is_whole_whoever_of_its_writer_and_its_upload_is_faster() {
    let server = Sshd::start();
    for is_upload_slow in [false, true] {
        for paths in ["eager", "default"] {
            let program = night::program(&server, if is_upload_slow { "max_rate = \"2 MB/s\"" } else { "" });
            many_orders(&program.path("shop.db"));
            let watcher = Watcher::start(&server.directory());
            let mut command = program.command(&["run", "shop"]);
            command.env("EXPORTD_TUNING", paths);
            if !is_upload_slow {
                command.env("EXPORTD_FAILPOINT", "spool:write:before=slow");
            }
            outcome(command.output().unwrap()).expect(0);
            assert_eq!(oracle::settle(&program, watcher).runs.len(), 1, "{is_upload_slow}, {paths}");
            clear(&server);
        }
    }
}

fn clear(server: &Sshd) {
    server.names().iter().for_each(|name| fs::remove_file(server.directory().join(name)).unwrap());
}

/// So many that a file of them has more than one block, whichever way it is written.
fn many_orders(store: &Path) {
    let store = rusqlite::Connection::open(store).unwrap();
    store
        .execute_batch(
            r#"INSERT INTO "order""; --" ("placed at", "größe", total, paid)
               WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 12000)
               SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || (i * 15) || ' seconds'), 'size ' || i, '12.5', 1 FROM n"#,
        )
        .unwrap();
}

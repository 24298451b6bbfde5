//! `init`: a newcomer's database and a partner's server become a configuration that `check --connect` accepts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use exportd::store::StoreKind;

use crate::support::databases::Database;
use crate::support::program::{Program, outcome};
use crate::support::sshd::Sshd;

mod data_zone;
mod retries;

const TABLES: &str =
    "CREATE TABLE orders (id integer PRIMARY KEY, created_at timestamptz NOT NULL, total numeric(10, 2));
    CREATE TABLE customers (id integer PRIMARY KEY, email text, country_code text);
    INSERT INTO orders VALUES (1, '2026-11-20 12:00:00+00', 19.90);
    INSERT INTO customers VALUES (1, 'canary.person@example.com', 'FR');";

/// A password that must not be seen; the server of the tests takes any.
const PASSWORD: &str = "hunter2";

/// A folder without a configuration.
fn newcomer() -> Program {
    let program = Program::new("");
    fs::remove_file(program.path("jobs.toml")).unwrap();
    program
}

async fn database() -> Database {
    let database = Database::new(StoreKind::Postgres).await;
    database.run(TABLES).await;
    database
}

fn with_password(database: &Database) -> String {
    database.url.replacen("postgres@", &format!("postgres:{PASSWORD}@"), 1)
}

struct Flags(Vec<String>);

impl Flags {
    fn of(server: &Sshd, store: &str) -> Flags {
        let to = server.destination();
        let host = format!("{}:{}", to.host, to.port);
        let key = to.key.display().to_string();
        let flags = [
            "init",
            "--store",
            store,
            "--host",
            &host,
            "--user",
            &to.user,
            "--directory",
            &to.directory,
            "--key",
            &key,
        ];
        Flags(flags.map(str::to_owned).to_vec())
    }

    fn and(mut self, more: &[&str]) -> Flags {
        self.0.extend(more.iter().map(|&flag| flag.to_owned()));
        self
    }

    fn run(&self, program: &Program) -> crate::support::program::Outcome {
        program.run(&self.0.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

fn mode(program: &Program, name: &str) -> u32 {
    fs::metadata(program.path(name)).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_make_a_configuration_that_works_at_once() {
    let (server, database, program) = (Sshd::start(), database().await, newcomer());
    let pin = server.fingerprint("ed25519");
    let flags =
        Flags::of(&server, &with_password(&database)).and(&["--host-key", &pin, "--timezone", "Europe/Paris", "--yes"]);
    let made = flags.run(&program).expect(0);
    assert!(made.out.contains("were tried, and both work."), "{}\n{}", made.out, made.err);
    assert_eq!((mode(&program, "jobs.toml"), mode(&program, "store-url")), (0o600, 0o600));
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    assert!(config.contains("url = { file = \"store-url\" }") && !config.contains(PASSWORD), "{config}");
    assert!(!made.out.contains(PASSWORD) && !made.err.contains(PASSWORD), "{}", made.err);

    let check = program.run(&["check", "--connect"]).expect(0);
    assert!(check.out.contains("All is well."), "{}", check.out);
    let state = [("XDG_STATE_HOME", program.path("state")), ("HOME", program.path("home"))];
    let config = config.replace("# dir = \"/var/lib/exportd\"", "dir = \"state\"");
    fs::write(program.path("jobs.toml"), config).unwrap();
    let run =
        outcome(program.command(&["run", "nightly", "--at", "2026-11-21"]).envs(state).output().unwrap()).expect(0);
    assert_eq!(server.names(), ["nightly_2026_11_21_customers.csv", "nightly_2026_11_21_orders.csv"], "{}", run.out);
    let customers = fs::read_to_string(server.directory().join("nightly_2026_11_21_customers.csv")).unwrap();
    assert!(!customers.contains("canary"), "{customers}");

    let again = flags.run(&program).expect(2);
    assert!(again.err.contains("jobs.toml exists already and is not overwritten"), "{}", again.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_host_key_is_trusted_because_it_was_seen() {
    let (server, database, program) = (Sshd::start(), database().await, newcomer());
    let unsaid = Flags::of(&server, &database.url).and(&["--yes"]).run(&program).expect(2);
    assert!(
        unsaid.err.contains("--host-key is missing") && unsaid.err.contains(&server.fingerprint("ed25519")),
        "{}",
        unsaid.err
    );
    let other = "SHA256:9ePjU1CY5Dz0pWkV6mYc3nXh2rTqLs8bGfAoI7wJuRM";
    let wrong = Flags::of(&server, &database.url).and(&["--host-key", other, "--yes"]).run(&program).expect(1);
    assert!(wrong.err.contains("somebody is in between"), "{}", wrong.err);
    assert!(!program.path("jobs.toml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_know_the_new_key_gets_a_line_to_add() {
    let (server, database, program) = (Sshd::start(), database().await, newcomer());
    let pin = server.fingerprint("ed25519");
    let key = program.path("keys-of-ours").display().to_string();
    let flags = Flags::of(&server, &database.url).and(&["--host-key", &pin, "--yes"]);
    let flags = Flags(flags.0.into_iter().map(|flag| if flag.ends_with("/id") { key.clone() } else { flag }).collect());
    let made = flags.run(&program).expect(0);
    let line = fs::read_to_string(program.path("keys-of-ours.pub")).unwrap();
    assert!(made.out.contains("does not know the new key yet") && made.out.contains(line.trim()), "{}", made.out);
    assert!(!program.path("store-url").exists(), "a URL without a password is no secret");
    program.run(&["check", "--connect"]).expect(1);
    server.authorize(&program.path("keys-of-ours.pub"));
    program.run(&["check", "--connect"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_work_writes_nothing() {
    let (server, database) = (Sshd::start(), database().await);
    let pin = server.fingerprint("ed25519");
    let try_with = |store: &str, more: &[&str], code: i32, words: &str| {
        let program = newcomer();
        let flags = Flags::of(&server, store).and(&["--host-key", &pin, "--yes"]).and(more);
        let tried = flags.run(&program).expect(code);
        assert!(tried.err.contains(words), "{words} is missing in: {}", tried.err);
        assert!(!program.path("jobs.toml").exists(), "{words}");
    };
    try_with("postgres://postgres@127.0.0.1:1/shop", &[], 3, "can't be reached");
    try_with("oracle://db/shop", &[], 2, "--store");
    try_with(&database.url, &["--exports", "order"], 2, "no export \"order\"");
    try_with(&database.url, &["--timezone", "Paris"], 2, "no time zone");
    try_with(&database.url, &["--at", "4"], 2, "--at: `at` is not a time of day");
    try_with(&database.url, &["--label", "4:00"], 2, "--label: this is a time of day");
    let program = newcomer();
    let missing = program.run(&["init", "--yes"]).expect(2);
    assert!(missing.err.contains("--store is missing"), "{}", missing.err);
}

/// What the terminal shows when `exportd init` is answered: questions, what is typed after each, and perhaps a command
/// that is run before.
fn talk(program: &Program, dialogue: &serde_json::Value, flags: &[&str]) -> crate::support::program::Outcome {
    let python = std::env::var("EXPORTD_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/story/init/terminal.py");
    let mut command = Command::new(python);
    command.args([script, &dialogue.to_string(), env!("CARGO_BIN_EXE_exportd"), "init"]).args(flags);
    command.current_dir(program.path("")).env_remove("EXPORTD_STORE_URL").stdin(Stdio::null());
    outcome(command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_at_a_terminal_is_asked() {
    let (server, database, program) = (Sshd::start(), database().await, newcomer());
    let to = server.destination();
    let dialogue = serde_json::json!([
        ["Where is the data?", database.url],
        ["Password for it", PASSWORD],
        ["SFTP server", format!("{}:{}", to.host, to.port)],
        ["their fingerprint", "SHA256:nothing"],
        ["their fingerprint", server.fingerprint("ed25519")],
        ["user to log in", to.user],
        ["directory there", to.directory],
        ["Time zone", "Europe/Pariss"],
        ["Time zone", "Europe/Paris"],
        ["Time of day", ""],
        ["job's name", ""],
        ["Which exports?", "orders"],
    ]);
    let talk = talk(&program, &dialogue, &["--key", &to.key.display().to_string()]);
    let talk = talk.expect(0);
    assert!(!talk.out.contains(PASSWORD), "what is typed as a password is not shown: {}", talk.out);
    assert!(talk.out.contains("there is no fingerprint in this") && talk.out.contains("no time zone"), "{}", talk.out);
    assert!(talk.out.contains("\n  day: orders"), "{}", talk.out);
    let check = program.run(&["check", "--connect"]).expect(0);
    assert!(check.out.contains("orders, day, 3 columns") && !check.out.contains("customers"), "{}", check.out);
}

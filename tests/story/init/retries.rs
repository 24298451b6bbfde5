//! At a terminal nothing that is mistyped or fails ends `init`: it says what is wrong and asks again, and all other
//! answers are kept.

use std::fs;

use exportd::store::StoreKind;
use serde_json::{Value, json};

use super::{database, newcomer, talk};
use crate::support::certificates::{SelfSigned, assert_plain};
use crate::support::presenter::Presenter;
use crate::support::program::{Program, outcome};
use crate::support::sshd::{Sshd, run};

const TABLES: &str = "CREATE TABLE orders (id integer PRIMARY KEY, created_at timestamptz NOT NULL);
    INSERT INTO orders VALUES (1, '2026-11-20 12:00:00+00')";

/// The right password, and one that is refused; neither may be seen.
const PASSWORDS: [&str; 2] = ["right/horse", "wrong battery"];

/// A port of this machine at which nobody answers.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The line that `ssh-keygen -lf` prints of a public key.
fn line_of(server: &Sshd, kind: &str) -> String {
    run(std::process::Command::new("ssh-keygen").arg("-lf").arg(server.file(&format!("host_{kind}.pub"))))
}

/// Runs the job that `init` has configured, with its state in the folder.
fn deliver(program: &Program) {
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("# dir = \"/var/lib/exportd\"", "dir = \"state\""));
    program.run(&["run", "nightly", "--at", "2026-11-21"]).expect(0);
}

/// What is said of every mistake, and how often.
const TOLD: [(&str, usize); 19] = [
    ("has an unknown scheme", 1),
    ("connection refused", 3),
    ("type one of these letters", 1),
    ("password authentication failed", 1),
    ("database \"shoop\" does not exist", 1),
    ("without user and folder", 1),
    ("partner.invalid can't be resolved", 1),
    ("there is no fingerprint in this", 1),
    ("presents no key with it", 1),
    ("it is equal to that of the ssh-ed25519 key", 1),
    ("`user` is empty", 1),
    ("did you mean `Europe/Paris`?", 1),
    ("\"00:00\" to \"23:59\"", 1),
    ("understood as 23:30", 1),
    ("this is a time of day; write a name", 1),
    ("no export \"order\"", 1),
    ("refuses user", 1),
    ("no-such-directory does not exist", 1),
    ("were tried, and both work", 1),
];

/// A scheme, a port, a password and a name of a database that are wrong, and each is put right.
fn store_dialogue(right: &str, port: &str) -> Vec<Value> {
    listed(json!([
        ["Where is the data?", "oracle://db/shop"],
        ["Where is the data?", right.replace(port, &free_port().to_string())],
        ["Password for it", PASSWORDS[0]],
        // Nobody answers there.
        ["What now?", "maybe"],
        ["What now?", ""],
        ["What now?", "c"],
        ["Where is the data?", right.replace("/shop", "/shoop")],
        ["Password for it", PASSWORDS[1]],
        // The password is wrong, and then the database.
        ["What now?", "c"],
        ["Where is the data?", ""],
        ["the same as before", PASSWORDS[0]],
        ["What now?", "c"],
        ["Where is the data?", right],
        ["Password for it", PASSWORDS[0]],
    ]))
}

/// Servers that are none, and fingerprints of others.
fn server_dialogue(server: &Sshd, other: &Sshd) -> Vec<Value> {
    let to = server.destination();
    listed(json!([
        ["SFTP server", "sftp://partner.example"],
        ["SFTP server", "partner.invalid"],
        ["What now?", "c"],
        ["SFTP server", format!("127.0.0.1:{}", free_port())],
        ["What now?", "c"],
        ["SFTP server", format!("127.0.0.1:{}", to.port)],
        ["their fingerprint", "ED25519"],
        ["their fingerprint", line_of(other, "ed25519").trim()],
        ["their fingerprint", line_of(server, "ed25519").trim()],
        ["user to log in", ""],
        ["user to log in", to.user],
    ]))
}

/// Wrong answers about the job, a key that is not known yet and a directory that does not exist.
fn job_dialogue(directory: &str, add_key: [String; 4]) -> Vec<Value> {
    listed(json!([
        ["directory there", "no-such-directory"],
        ["Time zone", "Paris"],
        ["Time zone", "Europe/Paris"],
        ["Time of day", "25:00"],
        ["Time of day", "23h30"],
        ["job's name", "4:00"],
        ["job's name", ""],
        ["Which exports?", "order"],
        ["Which exports?", "orders"],
        // The key was made just now; the partner adds it.
        ["What now?", "", add_key],
        ["What now?", "c"],
        ["SFTP server", ""],
        ["user to log in", ""],
        ["directory there", directory],
    ]))
}

fn listed(dialogue: Value) -> Vec<Value> {
    dialogue.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_with_every_mistake_ends_in_a_delivery() {
    let (server, other, program) = (Sshd::start(), Sshd::start(), newcomer());
    let store = Presenter::start(StoreKind::Postgres);
    store.ask_for_password("clerk", PASSWORDS[0], "shop", TABLES).await;
    let admin = store.settings("127.0.0.1", "").url;
    let right = admin.expose().replace("postgres@", "clerk@").replace("/postgres?", "/shop");
    let port = right.rsplit_once(':').unwrap().1.split('/').next().unwrap();
    let to = server.destination();
    let typed_key = "cat id_ed25519.pub >> \"$0\"";
    let add_key = ["sh", "-c", typed_key, &server.file("authorized_keys").display().to_string()].map(str::to_owned);
    let mut dialogue = store_dialogue(&right, port);
    dialogue.extend(server_dialogue(&server, &other));
    dialogue.extend(job_dialogue(&to.directory, add_key));
    let talk = talk(&program, &dialogue.into(), &[]).expect(0);
    for (told, times) in TOLD {
        assert_eq!(talk.out.matches(told).count(), times, "{told} in:\n{}", talk.out);
    }
    for password in PASSWORDS.into_iter().chain(["right%2Fhorse"]) {
        assert!(!talk.out.contains(password), "{}", talk.out);
    }
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    assert!(config.contains("at = \"23:30\"") && config.contains(&server.fingerprint("ed25519")), "{config}");
    deliver(&program);
    assert_eq!(server.names(), ["nightly_2026_11_21_orders.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_trusted_when_its_certificate_is_given() {
    let (server, program) = (Sshd::start(), newcomer());
    let store = Presenter::start(StoreKind::Postgres);
    let own = SelfSigned::USUAL.make(&program.path(""));
    store.present(&own).await;
    store.ask_for_password("clerk", PASSWORDS[0], "shop", TABLES).await;
    let url = store.settings("localhost", "sslmode=verify-full").url;
    let url = url.expose().replace("/postgres?", "/shop?");
    let to = server.destination();
    let dialogue = json!([
        ["Where is the data?", url],
        ["Password for it", ""],
        ["What now?", "c"],
        ["Where is the data?", ""],
        ["Password for it", ""],
        ["certificates to trust", "nowhere.pem"],
        ["certificates to trust", own.server.file_name().unwrap().to_str().unwrap()],
        ["SFTP server", format!("127.0.0.1:{}", to.port)],
        ["their fingerprint", "yes"],
        ["user to log in", to.user],
        ["directory there", to.directory],
        ["Time zone", "UTC"],
        ["Time of day", ""],
        ["job's name", ""],
        ["Which exports?", ""],
    ]);
    let talk = talk(&program, &dialogue, &["--key", &to.key.display().to_string()]).expect(0);
    assert!(talk.out.contains("set `ca` of [store]") && talk.out.contains("nowhere.pem: no such file"), "{}", talk.out);
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    assert!(config.contains(&format!("ca = {:?}", own.server)), "{config}");
    deliver(&program);
    assert_eq!(server.names(), ["nightly_2026_11_21_orders.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_a_certificate_is_a_flag() {
    let (server, program) = (Sshd::start(), newcomer());
    let store = Presenter::start(StoreKind::Postgres);
    let own = SelfSigned::USUAL.make(&program.path(""));
    store.present(&own).await;
    let url = store.settings("localhost", "sslmode=verify-full").url;
    let pin = line_of(&server, "ed25519");
    let flags = super::Flags::of(&server, url.expose()).and(&["--host-key", pin.trim(), "--yes"]);
    let refused = flags.run(&program).expect(3);
    assert_plain(&refused.err.replace(&program.path("").display().to_string(), ""));
    assert!(refused.err.contains("set `ca` of [store]"), "{}", refused.err);
    let ca = own.server.display().to_string();
    let empty = flags.and(&["--ca", &ca]).run(&program);
    assert!(empty.err.contains("it has 0 tables"), "{}", empty.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_up_yet_is_left_for_later() {
    let (mut server, database, program) = (Sshd::start(), database().await, newcomer());
    server.stop();
    let to = server.destination();
    let dialogue = json!([
        ["Where is the data?", database.url],
        ["Password for it", ""],
        ["SFTP server", format!("127.0.0.1:{}", to.port)],
        ["What now?", ""],
        ["What now?", "g"],
        ["as its operators told you", "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"],
        ["as its operators told you", line_of(&server, "ed25519").trim()],
        ["user to log in", to.user],
        ["directory there", to.directory],
        ["Time zone", "UTC"],
        ["Time of day", ""],
        ["job's name", ""],
        ["Which exports?", ""],
    ]);
    let talk = talk(&program, &dialogue, &["--key", &to.key.display().to_string()]).expect(0);
    assert!(talk.out.contains("The partner's server is left for later"), "{}", talk.out);
    assert!(talk.out.contains("can only be compared"), "{}", talk.out);
    server.start_again();
    program.run(&["check", "--connect"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn quitting_leaves_no_configuration() {
    let program = newcomer();
    let url = format!("postgres://clerk@127.0.0.1:{}/shop", free_port());
    let dialogue = json!([["Where is the data?", url], ["Password for it", ""], ["What now?", "q"]]);
    let talk = talk(&program, &dialogue, &[]).expect(1);
    assert!(talk.out.contains("stopped; no configuration was written"), "{}", talk.out);
    assert!(!program.path("jobs.toml").exists());
    let again = outcome(program.command(&["init", "--store", &url, "--yes"]).output().unwrap()).expect(3);
    assert!(again.err.contains("connection refused") && !again.err.contains("os error"), "{}", again.err);
}

//! The zone of times that the database keeps without one: asked for, and written into the catalogue.

use std::fs;

use exportd::store::StoreKind;
use serde_json::json;

use super::{Flags, newcomer, talk};
use crate::support::databases::Database;
use crate::support::sshd::Sshd;

async fn database() -> Database {
    let database = Database::new(StoreKind::Postgres).await;
    database.run("CREATE TABLE orders (id integer PRIMARY KEY, created_at timestamp NOT NULL)").await;
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_for_the_zone_of_the_data() {
    let (server, database, program) = (Sshd::start(), database().await, newcomer());
    let to = server.destination();
    let dialogue = json!([
        ["Where is the data?", database.url],
        ["Password for it", ""],
        ["Which zone's clock", "Europe/Berlinn"],
        ["Which zone's clock", "Europe/Berlin"],
        ["SFTP server", format!("{}:{}", to.host, to.port)],
        ["their fingerprint", server.fingerprint("ed25519")],
        ["user to log in", to.user],
        ["directory there", to.directory],
        ["Time zone of the job", "UTC"],
        ["Time of day", ""],
        ["job's name", ""],
        ["Which exports?", ""],
    ]);
    talk(&program, &dialogue, &["--key", &to.key.display().to_string()]).expect(0);
    let catalogue = fs::read_to_string(program.path("catalogue.toml")).unwrap();
    assert!(catalogue.contains("created_at = { type = \"datetime\", zone = \"Europe/Berlin\" }\n"), "{catalogue}");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    assert!(config.contains("timezone = \"UTC\""), "{config}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_it_is_a_flag_and_a_remark_without_it() {
    for (more, expected) in [
        (&["--data-zone", "Asia/Tokyo"][..], "zone = \"Asia/Tokyo\" }\n"),
        (&[], "zone = \"UTC\" }  # kept without a zone, read as UTC; put the zone that it was written in\n"),
    ] {
        let (server, database, program) = (Sshd::start(), database().await, newcomer());
        let pin = server.fingerprint("ed25519");
        Flags::of(&server, &database.url).and(&["--host-key", &pin, "--yes"]).and(more).run(&program).expect(0);
        let catalogue = fs::read_to_string(program.path("catalogue.toml")).unwrap();
        assert!(catalogue.contains(expected), "{catalogue}");
    }
}

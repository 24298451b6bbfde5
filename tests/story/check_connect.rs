//! What `check --connect` tells about a store that is not what the catalogue says.

use std::fs;

use exportd::store::StoreKind;

use crate::support::databases::Database;
use crate::support::program::Program;
use crate::support::servers::{Kind, Server};
use crate::support::shop;
use crate::support::sshd::Sshd;

const TABLE: &str =
    "CREATE TABLE orders (id integer PRIMARY KEY, paid boolean, total numeric(10, 2), passport_no text)";

fn catalogue(columns: &str) -> String {
    format!(
        "[[export]]\nname = \"orders\"\ntitle = \"Orders\"\nfrom = \"orders\"\norder = [\"id\"]\n[export.columns]\n{columns}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_differs_from_its_catalogue_is_described() {
    let server = Sshd::start();
    let database = Database::new(StoreKind::Postgres).await;
    database.run(TABLE).await;
    let program = Program::new(&shop::config(&server, "").replace("sqlite:shop.db", &database.url));

    let write = |columns: &str| fs::write(program.path("catalogue.toml"), catalogue(columns)).unwrap();
    write("id = \"id\"\npaid = \"boolean\"\ntotal = \"decimal\"\n");
    let hint = program.run(&["check", "--connect"]).expect(0);
    assert!(hint.out.contains("does not know passport_no, so it is never exported"), "{}", hint.out);

    write("id = \"id\"\npaid = \"integer\"\ntotal = \"decimal\"\n");
    let misfit = program.run(&["check", "--connect"]).expect(1);
    assert!(misfit.out.contains("column paid is declared integer, but it is boolean in the store"), "{}", misfit.out);

    write("id = \"id\"\npayed = \"boolean\"\ntotals = \"decimal\"\n");
    let missing = program.run(&["check", "--connect"]).expect(1);
    for part in ["\"payed\"", "\"paid\"", "\"totals\"", "\"total\""] {
        assert!(missing.out.contains(part), "{part} is missing in: {}", missing.out);
    }

    program.configure(&shop::config(&server, "").replace("sqlite:shop.db", "postgres://nobody@127.0.0.1:1/shop"));
    let unreachable = program.run(&["check", "--connect"]).expect(3);
    assert!(unreachable.out.contains("can't be reached"), "{}", unreachable.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_can_not_do_is_named_with_the_setting_to_write() {
    let lacking: &[&str] = &["--", "-P", "posix-rename,fsync,limits,statvfs"];
    for (habits, job, code, lacks, says) in [
        (&[][..], "", 0, &[][..], "All is well."),
        (lacking, "", 1, &["posix_rename", "fsync", "limits", "statvfs"][..], "FAULT"),
        (lacking, "allow_gap = true", 0, &["posix_rename", "fsync", "limits", "statvfs"], "allow_gap accepts"),
        (&["one-handle"], "", 0, &["several_handles"], "channels = 1"),
        (&["write-only"], "", 1, &[], "set verify = \"none\""),
        (&["write-only"], "verify = \"none\"", 0, &["stat", "list"], "sizes are not compared"),
        (&["takes-closed"], "", 1, &[], "have it leave names alone that start with a dot"),
    ] {
        let server = Server::start(Kind::Odd(habits));
        let program = shop::program_to(&server.destination(), job);
        let text = program.run(&["check", "--connect"]).expect(code);
        assert!(text.out.contains(says), "{habits:?} {job}: {}", text.out);
        let json = program.run(&["check", "--connect", "--json"]).expect(code).json();
        let server = &json["destinations"][0]["server"];
        for ability in ["posix_rename", "fsync", "limits", "statvfs", "stat", "list", "several_handles"] {
            let expected = if server.is_null() { None } else { Some(!lacks.contains(&ability)) };
            assert_eq!(server[ability].as_bool(), expected, "{habits:?} {job}: {ability} in {server}");
        }
        assert_eq!(server["free_bytes"].is_u64(), server["statvfs"] == true, "{server}");
        assert_eq!(json["store"]["findings"][0]["level"], "ok");
    }
}

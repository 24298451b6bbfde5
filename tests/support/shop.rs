//! A small shop in SQLite: a foreign database with odd names, and the configuration of a job that exports from it.

use std::path::Path;

use exportd::job::{SftpDestination, Trust};

use super::program::Program;
use super::sshd::Sshd;

/// Values that stand only in sensitive columns: none of them may turn up anywhere unless a job names the column.
pub const CANARIES: [&str; 3] = ["canary.person@example.com", "+44 7700 900123", "Zoë Canary-Müller"];

/// The day that the shop's orders were made on.
pub const DAY: &str = "2026-11-20";

const TABLES: &str = r#"
CREATE TABLE "order""; --" (
  id INTEGER PRIMARY KEY, "placed at" TEXT NOT NULL, "größe" TEXT, total TEXT, paid INTEGER, "e-mail" TEXT, phone TEXT,
  "customer`s name" TEXT
);
INSERT INTO "order""; --" VALUES
  (1, '2026-11-19T22:59:59Z', 'before the day', '1.00', 1, NULL, NULL, NULL),
  (2, '2026-11-19T23:00:00Z', 'a, "b"', '19.90', 1, 'canary.person@example.com', '+44 7700 900123', 'Zoë Canary-Müller'),
  (3, '2026-11-20 12:00:00.25', '', '0.10', 0, '', NULL, NULL),
  (4, '2026-11-20T22:59:59.999999Z', NULL, '-5', NULL, NULL, NULL, NULL),
  (5, '2026-11-20T23:00:00Z', 'after the day', '1.00', 1, NULL, NULL, NULL);
"#;

/// What may leave the shop.
pub const CATALOGUE: &str = r#"
[[export]]
name = "orders"
title = "Orders"
from = 'order"; --'
created = "placed_at"
order = ["placed at", "id"]

[export.columns]
id = "id"
placed_at = { type = "datetime", column = "placed at" }
"größe" = "string"
total = { type = "decimal", scale = 2 }
paid = "boolean"
email = { type = "string", column = "e-mail", sensitive = true }
phone = { type = "string", sensitive = true }
customer = { type = "string", column = "customer`s name", sensitive = true }
"#;

/// What the job of [`config`] delivers for [`DAY`].
pub const ORDERS: &str = "id,placed_at,größe,total,paid\n\
    2,2026-11-20T00:00:00+01:00,\"a, \"\"b\"\"\",19.90,1\n\
    3,2026-11-20T13:00:00.25+01:00,\"\",0.10,0\n\
    4,2026-11-20T23:59:59.999999+01:00,,-5.00,\n";

/// A program with the shop beside its configuration, delivering to `server`.
pub fn program(server: &Sshd, more: &str) -> Program {
    program_to(&server.destination(), more)
}

/// The same, delivering to `destination`.
pub fn program_to(destination: &SftpDestination, more: &str) -> Program {
    program_with(&config_to(destination, more))
}

fn program_with(config: &str) -> Program {
    let program = Program::new(config);
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    store.execute_batch(TABLES).unwrap();
    std::fs::write(program.path("catalogue.toml"), CATALOGUE).unwrap();
    program
}

/// The same, delivering into a folder of this machine.
pub fn program_into(folder: &Path, more: &str) -> Program {
    program_with(&config_with(&format!("folder = {folder:?}\n{more}")))
}

/// A daily job, `shop`, with `more` keys of its own.
pub fn config(server: &Sshd, more: &str) -> String {
    config_to(&server.destination(), more)
}

/// The same, with the place and the keys of `destination`.
pub fn config_to(destination: &SftpDestination, more: &str) -> String {
    let Trust::Pinned(keys) = &destination.trust else { panic!("the test server is trusted by its fingerprint") };
    let SftpDestination { host, port, user, directory, .. } = destination;
    let key = destination.key.display();
    config_with(&format!(
        "host = \"{host}\"\nport = {port}\nuser = \"{user}\"\nkey = \"{key}\"\ndirectory = \"{directory}\"\n\
         host_keys = {keys:?}\n{more}"
    ))
}

/// The same, with the keys of any destination.
fn config_with(keys: &str) -> String {
    format!(
        r#"[store]
url = "sqlite:shop.db"
[state]
dir = "state"
[catalogue]
files = ["catalogue.toml"]
[[job]]
label = "shop"
run = "daily"
timezone = "Europe/Paris"
exports = ["orders"]
{keys}
"#
    )
}

/// Everything that can be read below a folder, names included.
pub fn everything_in(folder: &Path) -> Vec<u8> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.extend(path.file_name().unwrap().as_encoded_bytes());
        found.push(b'\n');
        if path.is_dir() {
            found.extend(everything_in(&path));
        } else {
            found.extend(std::fs::read(&path).unwrap());
        }
    }
    found
}

//! A nightly job of two files and a manifest, for stories of runs that are interrupted.
//!
//! The daemon is started long after the job was due, so that nothing has to wait for a minute to come.

use std::path::Path;

use exportd::state::State;
use jiff::{Timestamp, ToSpan};

use super::program::Program;
use super::shop;
use super::sshd::Sshd;

/// The job's file names contain its due date, so every night has names of its own.
pub const JOB: &str = "exports = [\"orders\", \"invoices\"]\nmanifest = true\n\
                       retry = { first = \"1s\", max = \"1s\", for = \"1h\" }";

/// A program with the job `shop`, and orders on each of the last days. `more` are keys of the job.
pub fn program(server: &Sshd, more: &str) -> Program {
    let program = shop::program(server, "");
    configure(&program, server, more);
    fill(program)
}

/// The same, delivering into a folder of this machine.
pub fn program_into(folder: &Path, more: &str) -> Program {
    let program = shop::program_into(folder, &format!("{JOB}\n{more}"));
    let config = std::fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replacen("exports = [\"orders\"]\n", "", 1));
    fill(program)
}

fn fill(program: Program) -> Program {
    let invoices = shop::CATALOGUE.replace("name = \"orders\"", "name = \"invoices\"");
    std::fs::write(program.path("catalogue.toml"), format!("{}{invoices}", shop::CATALOGUE)).unwrap();
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    let order = r#"INSERT INTO "order""; --" ("placed at", "größe", total, paid) VALUES (?1, 'XL', '12.5', 1)"#;
    // One transaction: each of them waits for the disk.
    store.execute_batch("BEGIN").unwrap();
    for hours in 0..24 * 5 {
        let at = Timestamp::now() - hours.hours();
        store.execute(order, [at.to_string()]).unwrap();
    }
    store.execute_batch("COMMIT").unwrap();
    program
}

/// Replaces the job's own keys.
pub fn configure(program: &Program, server: &Sshd, more: &str) {
    let config = shop::config(server, &format!("{JOB}\n{more}"));
    program.configure(&config.replacen("exports = [\"orders\"]\n", "", 1));
}

/// Leaves the state as a daemon would that was last up `days` days ago, so that the next one finds as many
/// occurrences missed.
pub fn last_up(program: &Program, days: i64) {
    last_up_all(program, &["shop"], days);
}

/// The same for several jobs.
pub fn last_up_all(program: &Program, labels: &[&str], days: i64) {
    with_state(program, async |state| {
        state.in_force(labels, Timestamp::now() - (days * 24).hours()).await.unwrap();
    });
}

/// Asks the program's state, which nobody may be using in a hurry.
pub fn with_state<T>(program: &Program, ask: impl AsyncFnOnce(&State) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let state = State::open(&program.path("state")).await.unwrap();
        let answer = ask(&state).await;
        state.close().await;
        answer
    })
}

/// The job's exports with a sensitive column, and without.
pub const WITH_EMAIL: &str = r#"[{ name = "orders", add = ["email"] }, "invoices"]"#;
pub const WITHOUT_EMAIL: &str = r#"["orders", "invoices"]"#;

/// Replaces the job's own keys and its exports.
pub fn configure_exports(program: &Program, server: &Sshd, exports: &str, more: &str) {
    configure(program, server, &format!("reason = \"they asked\"\n{more}"));
    let config = std::fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace(WITHOUT_EMAIL, exports));
}

/// A program whose job exports a sensitive column, with [`shop::CANARIES`]`[0]` in every order.
pub fn program_with_email(server: &Sshd, more: &str) -> Program {
    let program = program(server, "");
    change_orders(&program, &format!("\"e-mail\" = '{}'", shop::CANARIES[0]));
    configure_exports(&program, server, WITH_EMAIL, more);
    program
}

/// Changes all orders of the store.
pub fn change_orders(program: &Program, set: &str) {
    let store = rusqlite::Connection::open(program.path("shop.db")).unwrap();
    store.execute_batch(&format!(r#"UPDATE "order""; --" SET {set}"#)).unwrap();
}

/// Whether a folder holds the sensitive column's values, or its name, in plain text.
pub fn holds_email(folder: &Path) -> bool {
    let all = shop::everything_in(folder);
    [shop::CANARIES[0], "email"].iter().any(|text| all.windows(text.len()).any(|part| part == text.as_bytes()))
}

/// Makes state what an earlier version has left, which recorded neither recipients nor the sources of columns.
pub fn forget_clearance(program: &Program) {
    let state = rusqlite::Connection::open(program.path("state/state.db")).unwrap();
    let forget = "UPDATE file SET contents = NULL; UPDATE run SET recipient = NULL;
                  UPDATE temporary SET location = NULL; UPDATE attempt SET location = NULL";
    state.execute_batch(forget).unwrap();
}

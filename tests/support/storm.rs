//! Work in plenty: many nights of many kinds of jobs, from PostgreSQL to an OpenSSH server, for daemons that are killed.
//!
//! What was going on when a daemon died is read from a copy of its state, so that the next daemon finds the database
//! as the dead one left it.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use exportd::job::Trust;
use exportd::run::{RunId, RunState, Stage};
use exportd::state::{Filter, State};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::databases::Database;
use super::night;
use super::program::Program;
use super::sshd::Sshd;

/// How many nights every job has to make up for.
pub const NIGHTS: i64 = 6;

/// A value that stands only in a sensitive column.
pub const CANARY: &str = "canary +44 7700 900456";

/// The jobs, by label and own keys.
const JOBS: [(&str, &str); 7] = [
    ("plain", r#"exports = ["calls"]"#),
    ("listed", "exports = [\"calls\", \"agents\", \"notes\"]\nmanifest = true"),
    ("zipped", "exports = [\"calls\", \"agents\"]\nzip = true\nfilename = \"{{label}}_{{year}}_{{month}}_{{day}}\""),
    ("kept", "exports = [\"agents\", \"notes\"]\npublish = \"refuse\"\nmanifest = true"),
    ("zip-kept", "exports = [\"notes\"]\nzip = true\nfilename = \"zk_{{month}}_{{day}}\"\npublish = \"refuse\""),
    ("in-place", "exports = [\"calls\", \"notes\"]\nmanifest = true\npublish = \"direct\""),
    ("whole", "exports = [{ name = \"calls\", period = \"all\" }]\nformat = \"csv\""),
];

const TABLES: &str = "
    CREATE TABLE calls AS SELECT i AS id, now() - i * interval '40 s' AS at, 'call ' || md5(i::text) AS title,
        i * 0.25 AS price, CANARY AS phone FROM generate_series(1, 20000) AS i;
    CREATE TABLE agents AS SELECT i AS id, 'agent ' || i AS name, CANARY AS phone FROM generate_series(1, 300) AS i;
    CREATE TABLE notes AS SELECT i AS id, now() - i * interval '9 min' AS at, repeat('note ', i % 50) AS text
        FROM generate_series(1, 1500) AS i;";

const CATALOGUE: &str = r#"
[[export]]
name = "calls"
from = "calls"
created = "at"
order = ["id"]
[export.columns]
id = "id"
at = "datetime"
title = "string"
price = { type = "decimal", scale = 2 }
phone = { type = "string", sensitive = true }
[[export]]
name = "agents"
from = "agents"
order = ["id"]
[export.columns]
id = "id"
name = "string"
phone = { type = "string", sensitive = true }
[[export]]
name = "notes"
from = "notes"
created = "at"
order = ["id"]
[export.columns]
id = "id"
at = "datetime"
text = "text"
"#;

/// How many occurrences there are.
pub fn occurrences() -> usize {
    JOBS.len() * NIGHTS as usize
}

/// Makes the tables.
pub async fn fill(database: &Database) {
    database.run(&TABLES.replace("CANARY", &format!("'{CANARY}'"))).await;
}

/// A program whose jobs have all missed as many nights, and a daemon still to be started.
pub fn program(server: &Sshd, database: &Database) -> Program {
    let destination = server.destination();
    let Trust::Pinned(keys) = &destination.trust else { panic!("the test server is trusted by its fingerprint") };
    // No night falls while the test lasts.
    let at = (Timestamp::now() - 12.hours()).to_zoned_datetime(TimeZone::UTC).strftime("%H:%M").to_string();
    let mut config = format!(
        "[store]\nurl = \"{}\"\n[state]\ndir = \"state\"\n[catalogue]\nfiles = [\"catalogue.toml\"]\n\
         [defaults]\nrun = \"daily\"\nat = \"{at}\"\nhost = \"127.0.0.1\"\nport = {}\nuser = \"{}\"\nkey = \"{}\"\n\
         directory = \"{}\"\nhost_keys = {keys:?}\nretry = {{ first = \"1s\", max = \"1s\", for = \"1h\" }}\n",
        database.url,
        destination.port,
        destination.user,
        destination.key.display(),
        destination.directory,
    );
    for (label, keys) in JOBS {
        config.push_str(&format!("[[job]]\nlabel = \"{label}\"\n{keys}\n"));
    }
    let program = Program::new(&config);
    fs::write(program.path("catalogue.toml"), CATALOGUE).unwrap();
    night::last_up_all(&program, &JOBS.map(|(label, _)| label), NIGHTS);
    program
}

/// What a daemon that was killed has left.
pub struct Left {
    /// Runs that are not delivered yet; those that were not even decided count.
    pub undone: usize,
    /// How far the runs had come that were going on.
    pub caught: Vec<Stage>,
}

/// How often each run had been begun when the last daemon was killed.
pub type Begun = HashMap<RunId, u32>;

/// Looks at what a killed daemon has left, and brings `begun` up to date.
pub fn left(program: &Program, begun: &mut Begun) -> Left {
    let copy = tempfile::tempdir().unwrap();
    for name in ["state.db", "state.db-wal"] {
        match fs::copy(program.path("state").join(name), copy.path().join(name)) {
            Err(error) if name == "state.db" => panic!("{error}"),
            _ => {}
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let state = State::open(copy.path()).await.unwrap();
        let runs = state.history(&Filter { limit: u32::MAX, ..Filter::default() }).await.unwrap();
        let mut caught = Vec::new();
        for run in &runs {
            let before = begun.insert(run.id.clone(), run.attempts).unwrap_or(0);
            // Else it was running under an earlier daemon, and this one had not come to it.
            if run.state == RunState::Running && run.attempts > before {
                let detail = state.detail(&run.id).await.unwrap().unwrap();
                caught.push(detail.stage.expect("a run that was begun has a stage"));
            }
        }
        state.close().await;
        let delivered = runs.iter().filter(|run| run.state == RunState::Delivered).count();
        Left { undone: occurrences() - delivered, caught }
    })
}

/// What kills have hit.
#[derive(Default)]
pub struct Figures {
    pub kills: usize,
    /// Rounds, each with a state of its own.
    pub rounds: usize,
    /// Runs delivered in the end.
    pub delivered: usize,
    /// Attempts that those took.
    pub attempts: usize,
    /// Kills that hit no run.
    pub idle: usize,
    /// Runs cut short, by the stage that they had come to.
    pub caught: BTreeMap<Stage, usize>,
}

impl Figures {
    pub fn count(&mut self, left: &Left) {
        self.kills += 1;
        self.idle += usize::from(left.caught.is_empty());
        left.caught.iter().for_each(|stage| *self.caught.entry(*stage).or_default() += 1);
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} kills in {} rounds; {} runs delivered in {} attempts; 0 lost, 0 doubled, 0 short, 0 left over",
            self.kills, self.rounds, self.delivered, self.attempts
        )?;
        writeln!(f, "kills that hit no run: {}; runs cut short, by the stage they had come to:", self.idle)?;
        for (stage, count) in &self.caught {
            writeln!(f, "  {:<12}{count:>6}  {}", stage.name(), "#".repeat(count.div_ceil(20)))?;
        }
        Ok(())
    }
}

/// Numbers that are the same for the same seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0 up to, and without, `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

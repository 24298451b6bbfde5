//! Memory: what large cells cost, and that cells beyond `max_cell` are refused.

use std::fs;
use std::process::Command;

use exportd::store::StoreKind;

use crate::support::databases::Database;
use crate::support::program::{Outcome, Program, outcome};
use crate::support::shop;

/// Runs a command, then prints the most memory that it had, in kilobytes.
const PEAK: &str = "import resource, subprocess, sys\n\
    code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode\n\
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n\
    sys.exit(code)";

/// Buffers that a run of small cells does not fill.
const BUFFERS: u64 = 16_000_000;

/// Of one cell.
const MEGABYTES: u64 = 40;

/// A program that exports a table of `kind` with this many large cells.
async fn program(kind: StoreKind, cells: u32, folder: &tempfile::TempDir) -> (Database, Program) {
    let database = Database::new(kind).await;
    if kind == StoreKind::Mysql {
        database.run("SET GLOBAL max_allowed_packet = 1073741824").await;
    }
    let (sql_type, text) = match kind {
        StoreKind::Sqlite => ("text", format!("hex(zeroblob({}))", MEGABYTES * 500_000)),
        StoreKind::Postgres => ("text", format!("repeat('0', {})", MEGABYTES * 1_000_000)),
        StoreKind::Mysql => ("longtext", format!("repeat('0', {})", MEGABYTES * 1_000_000)),
    };
    database.run(&format!("CREATE TABLE orders (id INT PRIMARY KEY, body {sql_type})")).await;
    database.run("INSERT INTO orders VALUES (0, 'small')").await;
    for id in 1..=cells {
        database.run(&format!("INSERT INTO orders VALUES ({id}, {text})")).await;
    }
    let program = shop::program_into(folder.path(), "filename = \"orders\"");
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace("sqlite:shop.db", &database.url));
    fs::write(program.path("catalogue.toml"), CATALOGUE).unwrap();
    (database, program)
}

const CATALOGUE: &str = "[[export]]\nname = \"orders\"\nfrom = \"orders\"\norder = [\"id\"]\n\
    [export.columns]\nid = \"id\"\nbody = { type = \"text\" }\n";

/// What a run says, and its peak in bytes.
fn run(program: &Program) -> (Outcome, u64) {
    let python = std::env::var("EXPORTD_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.args(["-c", PEAK, env!("CARGO_BIN_EXE_exportd"), "run", "shop"]).current_dir(program.path(""));
    let told = outcome(command.output().unwrap());
    let peak = told.out.lines().last().and_then(|line| line.parse::<u64>().ok());
    (told, peak.unwrap() * 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_cost_a_small_multiple_of_their_size_however_many_there_are() {
    let mut measured = Vec::new();
    // The drivers of the servers keep a row in up to two buffers while it arrives, and the allocator some of what was freed.
    for (kind, bound) in [(StoreKind::Sqlite, 2.2), (StoreKind::Postgres, 3.3), (StoreKind::Mysql, 3.8)] {
        let folder = tempfile::tempdir().unwrap();
        let (_small, program_of_small) = program(kind, 0, &folder).await;
        let (told, usual) = run(&program_of_small);
        told.expect(0);
        let (_large, program_of_large) = program(kind, 6, &folder).await;
        let (told, peak) = run(&program_of_large);
        told.expect(0);
        let times = (peak - usual - BUFFERS) as f64 / (MEGABYTES * 1_000_000) as f64;
        measured.push((kind, times, bound));
    }
    assert!(measured.iter().all(|(_, times, bound)| times < bound), "times the size of a cell: {measured:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_beyond_the_limit_is_refused_or_null() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
        let folder = tempfile::tempdir().unwrap();
        let (_database, program) = program(kind, 1, &folder).await;
        let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
        program.configure(&config.replace("[state]", "max_cell = \"39 MB\"\n[state]"));
        let told = run(&program).0.expect(1).err;
        let fault = "export orders, row 2, column body: a cell of 40,000,000 bytes (`max_cell` of [store] allows \
                     39,000,000) can't be read as text";
        assert!(told.contains(fault), "{kind:?}: {told}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is delivered");

        fs::write(program.path("catalogue.toml"), CATALOGUE.replace(" }", ", unreadable = \"null\" }")).unwrap();
        run(&program).0.expect(0);
        assert_eq!(fs::read_to_string(folder.path().join("orders.csv")).unwrap(), "id,body\n0,small\n1,\n", "{kind:?}");

        program.configure(&config.replace("[state]", "max_cell = \"40 MB\"\n[state]"));
        fs::write(program.path("catalogue.toml"), CATALOGUE).unwrap();
        run(&program).0.expect(0);
    }
}

//! Readers that share no code with what they check: the csv crate, and Python's csv, DuckDB and pandas.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// The readers, and whether each tells NULL from the empty string.
pub const READERS: [(&str, bool); 4] = [("csv crate", false), ("python", false), ("duckdb", true), ("pandas", false)];

/// A file to read.
#[derive(Clone, Serialize)]
pub struct CsvFile {
    pub path: PathBuf,
    pub delimiter: char,
    pub null: String,
}

/// The rows of a file, its header first.
pub type Rows = Vec<Vec<Option<String>>>;

/// The rows of each file as `reader` sees them.
pub fn read_all(reader: &str, files: &[CsvFile]) -> Vec<Rows> {
    match reader {
        "csv crate" => files.iter().map(read_with_csv_crate).collect(),
        reader => ask_python("read.py", &[reader], files),
    }
}

fn read_with_csv_crate(file: &CsvFile) -> Rows {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).delimiter(file.delimiter as u8);
    let mut reader = builder.from_path(&file.path).unwrap();
    let record = |record: csv::StringRecord| record.iter().map(|cell| Some(cell.to_owned())).collect();
    reader.records().map(|row| record(row.unwrap())).collect()
}

/// Runs one of the scripts beside this file: `input` goes in as JSON, and the answer comes back as JSON.
pub fn ask_python<T: for<'de> Deserialize<'de>>(
    script: &str,
    arguments: &[&str],
    input: &(impl Serialize + ?Sized),
) -> T {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python =
        std::env::var_os("EXPORTD_TEST_PYTHON").map_or(root.join("target/test-venv/bin/python"), PathBuf::from);
    let lacking = "these tests need a Python with duckdb and pandas: make one with `python3 -m venv target/test-venv && \
                   target/test-venv/bin/pip install duckdb pandas`, or name one in EXPORTD_TEST_PYTHON";
    let mut child = Command::new(&python)
        .arg(root.join("tests/contract/format").join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} can't be started: {error}; {lacking}", python.display()));
    // A script that dies early closes its input; what it said on stderr is more telling than the broken pipe.
    let _ = child.stdin.take().unwrap().write_all(&serde_json::to_vec(input).unwrap());
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("ModuleNotFoundError"), "{errors}\n{lacking}");
    assert!(output.status.success(), "{script} {arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

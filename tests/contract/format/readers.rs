//! Readers that share no code with what they check: the crates csv and serde_json, Python, DuckDB and pandas.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The readers.
pub const READERS: [&str; 4] = ["crates", "python", "duckdb", "pandas"];

/// A file to read: CSV with these choices, or JSON if its name says so.
#[derive(Clone, Serialize)]
pub struct FileToRead {
    pub path: PathBuf,
    pub delimiter: char,
    pub null: String,
}

impl FileToRead {
    /// A file of one of the formats in [`formats`](super::formats).
    pub fn usual(path: PathBuf) -> FileToRead {
        FileToRead { path, delimiter: ',', null: String::new() }
    }

    /// What `reader` sees where a cell is NULL: of the readers of CSV, only DuckDB tells NULL from its text.
    pub fn null_for(&self, reader: &str) -> Option<String> {
        let tells_null = reader == "duckdb" || self.is_json();
        (!tells_null).then(|| self.null.clone())
    }

    fn is_json(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending == "ndjson")
    }
}

/// The rows of a file, the columns' names first. JSON without rows has no names.
pub type Rows = Vec<Vec<Option<String>>>;

/// The rows of each file as `reader` sees them.
pub fn read_all(reader: &str, files: &[FileToRead]) -> Vec<Rows> {
    match reader {
        "crates" => files.iter().map(|file| if file.is_json() { read_json(file) } else { read_csv(file) }).collect(),
        reader => ask_python("format/read.py", &[reader], files),
    }
}

fn read_csv(file: &FileToRead) -> Rows {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).delimiter(file.delimiter as u8);
    let mut reader = builder.from_path(&file.path).unwrap();
    let record = |record: csv::StringRecord| record.iter().map(|cell| Some(cell.to_owned())).collect();
    reader.records().map(|row| record(row.unwrap())).collect()
}

fn read_json(file: &FileToRead) -> Rows {
    let text = std::fs::read_to_string(&file.path).unwrap();
    let rows: Vec<Map<String, Value>> =
        text.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect();
    let names = rows.first().map(|row| row.keys().cloned().map(Some).collect()).unwrap_or_default();
    let cell = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    std::iter::once(names).chain(rows.iter().map(|row| row.values().map(cell).collect())).collect()
}

/// Runs a script of `tests/contract`: `input` goes in as JSON, and the answer comes back as JSON.
pub fn ask_python<T: for<'de> Deserialize<'de>>(
    script: &str,
    arguments: &[&str],
    input: &(impl Serialize + ?Sized),
) -> T {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python =
        std::env::var_os("EXPORTD_TEST_PYTHON").map_or(root.join("target/test-venv/bin/python"), PathBuf::from);
    let lacking = "these tests need a Python with the packages that scripts/test installs into target/test-venv; name one \
                   in EXPORTD_TEST_PYTHON";
    let mut child = Command::new(&python)
        .arg(root.join("tests/contract").join(script))
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

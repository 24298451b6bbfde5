//! What every format promises: its files say the same to every reader that is not ours.

mod every;
pub mod readers;
mod texts;
mod typed;
mod zip;

use exportd::catalogue::Column;
use exportd::encode::Encoder;
use exportd::job::{CsvOptions, Format};
use exportd::pipeline::{Watch, plain};
use exportd::run::RunId;
use exportd::spool::{Artifact, RunFolder, Spool};
use exportd::value::{RowSink, Value};
use jiff::tz::TimeZone;
use tempfile::TempDir;

/// Every format with its usual choices. To put a new one under contract, add it here; `read.py` reads its files back.
pub fn formats() -> [(&'static str, Format); 3] {
    [("bi", Format::Bi), ("csv", Format::Csv(CsvOptions::default())), ("ndjson", Format::Ndjson)]
}

/// A spool of its own with the folder of one run; files vanish with the first of the two.
fn run_folder() -> (TempDir, RunFolder) {
    let state = tempfile::tempdir().unwrap();
    let folder = Spool::open(state.path()).unwrap().run(&RunId::from_stored("run")).unwrap();
    (state, folder)
}

/// Writes rows the way a run does.
fn write(folder: &RunFolder, name: &str, format: &Format, columns: &[Column], rows: &[Vec<Value<'_>>]) -> Artifact {
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let encoder = Encoder::new(format, columns, &zone);
    let mut sink = plain("export", encoder, folder.writer(name).unwrap(), Watch::default());
    push(&mut sink, rows);
    sink.finish().unwrap()
}

fn push(sink: &mut dyn RowSink, rows: &[Vec<Value<'_>>]) {
    for row in rows {
        for cell in row {
            sink.cell(*cell).unwrap();
        }
        sink.end_row().unwrap();
    }
}

//! Tests of the pipeline: whole files, or none and a reason.

use std::fs;
use std::sync::atomic::Ordering::Relaxed;

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::*;
use crate::catalogue::Column;
use crate::encode::Encoder;
use crate::job::Format;
use crate::run::RunId;
use crate::spool::{RunFolder, Spool};
use crate::value::{ColumnType, RowSink, Stop, Value};

fn folder() -> (TempDir, RunFolder) {
    let state = tempfile::tempdir().unwrap();
    let folder = Spool::open(state.path()).unwrap().run(&RunId::from_stored("run1")).unwrap();
    (state, folder)
}

fn encoder() -> Encoder {
    let columns = [Column::new("id", ColumnType::Integer), Column::new("body", ColumnType::Text)];
    Encoder::new(&Format::Bi, &columns, &TimeZone::UTC)
}

fn due() -> ZonedDateTime {
    "2026-11-21T04:00:00+01:00[Europe/Paris]".parse().unwrap()
}

fn push(sink: &mut dyn RowSink, id: i64, body: &[u8]) -> Result<(), Stop> {
    sink.cell(Value::Int(id))?;
    sink.cell(Value::Text(body))?;
    sink.end_row()
}

fn is_empty(folder: &RunFolder) -> bool {
    fs::read_dir(folder.path()).unwrap().count() == 0
}

#[test]
fn rows_become_a_file_across_many_blocks() {
    let (_state, folder) = folder();
    let watch = Watch::default();
    let mut sink = plain("messages", encoder(), folder.writer("messages.csv").unwrap(), watch.clone());
    let mut expected = b"id,body\n".to_vec();
    for id in 0..30_000 {
        let body = vec![b'a' + (id % 26) as u8; (id % 97) as usize + 1];
        push(&mut sink, id, &body).unwrap();
        expected.extend_from_slice(format!("{id},").as_bytes());
        expected.extend_from_slice(&body);
        expected.push(b'\n');
    }
    let artifact = sink.finish().unwrap();
    assert_eq!(fs::read(&artifact.path).unwrap(), expected);
    assert_eq!((artifact.rows, artifact.bytes), (30_000, expected.len() as u64));
    assert_eq!((artifact.export.as_str(), artifact.columns.join(" ")), ("messages", "id body".to_owned()));
    assert_eq!(watch.progress.rows.load(Relaxed), 30_000);
    assert_eq!(watch.progress.bytes.load(Relaxed), expected.len() as u64);
    artifact.verify().unwrap();
}

#[test]
fn an_export_of_no_rows_still_has_its_header() {
    let (_state, folder) = folder();
    let artifact = plain("messages", encoder(), folder.writer("m.csv").unwrap(), Watch::default()).finish().unwrap();
    assert_eq!(fs::read(&artifact.path).unwrap(), b"id,body\n");
    assert_eq!(artifact.rows, 0);
}

#[test]
fn a_fault_names_row_and_column_and_leaves_no_file() {
    let (_state, folder) = folder();
    let mut sink = plain("messages", encoder(), folder.writer("m.csv").unwrap(), Watch::default());
    push(&mut sink, 1, b"fine").unwrap();
    push(&mut sink, 2, b"not \xff UTF-8").unwrap();
    push(&mut sink, 3, b"fine").unwrap();
    let stop = sink.end_rows().unwrap_err();
    assert_eq!(stop.to_string(), "row 2, column body: text that is not UTF-8 can't be read as text");
    assert!(matches!(sink.finish(), Err(PipelineError::Unfinished { name }) if name == "m.csv"));
    assert!(is_empty(&folder));
}

#[test]
fn faults_of_all_columns_are_looked_for() {
    let (_state, folder) = folder();
    let mut zip = Zip::new(folder.writer("all.zip").unwrap(), &due());
    let mut member = zip.member("messages", encoder(), Watch::default());
    for body in [&b"a\0b"[..], b"fine", b"\xff"] {
        member.cell(Value::Text(b"seven")).unwrap();
        member.cell(Value::Text(body)).unwrap();
        member.end_row().unwrap();
    }
    let stop = member.end_rows().unwrap_err();
    assert_eq!(
        stop.to_string(),
        "row 1, column id: text that is no number can't be read as integer (the first of 3); \
         row 1, column body: text with a NUL character can't be read as text (the first of 2)"
    );
    assert_eq!(member.finish(), Err(Stop::Closed));
    assert!(zip.finish().is_err());
    assert!(is_empty(&folder));
}

#[test]
fn the_search_for_further_faults_ends() {
    let (_state, folder) = folder();
    let mut sink = plain("messages", encoder(), folder.writer("m.csv").unwrap(), Watch::default());
    push(&mut sink, 1, b"\xff").unwrap();
    // Ten seconds are the other limit, which a slow machine may meet first.
    let stop = (2..=1_000_001).find_map(|id| push(&mut sink, id, b"fine").err());
    assert!(stop.unwrap().to_string().ends_with(" were not looked at"));
}

#[test]
fn half_a_row_makes_no_file() {
    let (_state, folder) = folder();
    let mut sink = plain("messages", encoder(), folder.writer("m.csv").unwrap(), Watch::default());
    sink.cell(Value::Int(1)).unwrap();
    assert!(matches!(sink.finish(), Err(PipelineError::Unfinished { .. })));
    assert!(is_empty(&folder));
}

#[test]
fn a_cancelled_run_stops_at_the_next_row() {
    let (_state, folder) = folder();
    let watch = Watch::default();
    let mut sink = plain("messages", encoder(), folder.writer("m.csv").unwrap(), watch.clone());
    push(&mut sink, 1, b"x").unwrap();
    watch.cancel.store(true, Relaxed);
    assert_eq!(push(&mut sink, 2, b"x"), Err(Stop::Closed));
    assert!(matches!(sink.finish(), Err(PipelineError::Cancelled)));
    assert!(is_empty(&folder));
}

#[test]
fn what_is_dropped_leaves_no_file() {
    let (_state, folder) = folder();
    let mut sink = plain("messages", encoder(), folder.writer("m.csv").unwrap(), Watch::default());
    push(&mut sink, 1, b"x").unwrap();
    drop(sink);
    let mut zip = Zip::new(folder.writer("all.zip").unwrap(), &due());
    let mut member = zip.member("messages", encoder(), Watch::default());
    push(&mut member, 1, b"x").unwrap();
    // In this order the member still holds a way to the writer that the zip waits for.
    drop(zip);
    assert_eq!(member.finish(), Err(Stop::Closed));
    assert!(is_empty(&folder));
}

#[test]
fn a_zip_of_a_member_that_stopped_is_no_zip() {
    let (_state, folder) = folder();
    let mut zip = Zip::new(folder.writer("all.zip").unwrap(), &due());
    let mut first = zip.member("agents", encoder(), Watch::default());
    push(&mut first, 1, b"x").unwrap();
    assert_eq!(first.finish(), Ok(1));
    let mut second = zip.member("messages", encoder(), Watch::default());
    push(&mut second, 1, b"x").unwrap();
    drop(second);
    assert!(matches!(zip.finish(), Err(PipelineError::Unfinished { name }) if name == "all.zip"));
    assert!(is_empty(&folder));
}

#[test]
fn a_zip_knows_what_it_holds() {
    let (_state, folder) = folder();
    let mut zip = Zip::new(folder.writer("all.zip").unwrap(), &due());
    for export in ["agents", "messages"] {
        let mut member = zip.member(export, encoder(), Watch::default());
        push(&mut member, 1, b"x").unwrap();
        member.finish().unwrap();
    }
    let artifact = zip.finish().unwrap();
    assert_eq!((artifact.export.as_str(), artifact.rows), ("agents,messages", 2));
    assert_eq!(artifact.columns, ["agents.id", "agents.body", "messages.id", "messages.body"]);
    artifact.verify().unwrap();
}

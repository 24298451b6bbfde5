//! A zip is one that everybody can open, and equal data gives an equal one.

use std::fs;
use std::path::Path;
use std::process::Command;

use exportd::catalogue::Column;
use exportd::encode::Encoder;
use exportd::job::Format;
use exportd::pipeline::{Watch, Zip};
use exportd::spool::{Artifact, RunFolder};
use exportd::value::{ColumnType, Value};
use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::readers::ask_python;
use super::{push, run_folder};

fn write_zip(folder: &RunFolder, name: &str, due: &str, exports: &[(&str, &[Vec<Value<'_>>])]) -> Artifact {
    let due: ZonedDateTime = due.parse().unwrap();
    let columns = [Column::new("id", ColumnType::Integer), Column::new("body", ColumnType::Text)];
    let mut zip = Zip::new(folder.writer(name).unwrap(), &due);
    for (export, rows) in exports {
        let mut member = zip.member(export, Encoder::new(&Format::Bi, &columns, &TimeZone::UTC), Watch::default());
        push(&mut member, rows);
        assert_eq!(member.finish(), Ok(rows.len() as u64));
    }
    zip.finish().unwrap()
}

fn members(path: &Path) -> Vec<Json> {
    ask_python("format/zip.py", &[], &json!({ "path": path }))
}

#[test]
fn others_open_it_and_equal_data_gives_equal_bytes() {
    let (_state, folder) = run_folder();
    // More than a few blocks, and not too easy to compress.
    let bodies: Vec<String> = (0..40_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let rows: Vec<_> =
        bodies.iter().enumerate().map(|(n, body)| vec![Value::Int(n as i64), Value::Text(body.as_bytes())]).collect();
    let exports: [(&str, &[Vec<Value<'_>>]); 3] = [("messages", &rows), ("agents", &[]), ("été", &rows[..1])];
    let due = "2026-11-21T04:00:00+01:00[Europe/Paris]";
    let artifact = write_zip(&folder, "first.zip", due, &exports);
    assert_eq!(artifact.rows, 40_001);

    let unzip = Command::new("unzip").arg("-tqq").arg(&artifact.path).output();
    let unzip = unzip.expect("these tests need Info-ZIP's unzip");
    assert!(unzip.status.success(), "{}", String::from_utf8_lossy(&unzip.stdout));

    let lines = bodies.iter().enumerate().map(|(n, body)| format!("{n},{body}\n"));
    let texts =
        ["id,body\n".to_owned() + &lines.collect::<String>(), "id,body\n".to_owned(), "id,body\n0,0\n".to_owned()];
    let expected: Vec<Json> = ["messages.csv", "agents.csv", "été.csv"]
        .iter()
        .zip(texts)
        .map(|(name, text)| json!({ "name": name, "time": [2026, 11, 21, 4, 0, 0], "mode": "0o640", "text": text }))
        .collect();
    // Compared without assert_eq, which would print megabytes.
    assert!(members(&artifact.path) == expected, "zipfile reads other members");

    let again = write_zip(&folder, "second.zip", due, &exports);
    assert_eq!(again.sha256, artifact.sha256);
    let later = write_zip(&folder, "third.zip", "2026-11-22T04:00:00+01:00[Europe/Paris]", &exports);
    assert_ne!(later.sha256, artifact.sha256);
    assert!(fs::metadata(&artifact.path).unwrap().len() == artifact.bytes);
}

#[test]
fn due_times_that_a_zip_can_t_hold_are_moved_into_its_years() {
    let (_state, folder) = run_folder();
    for (due, time) in [
        ("1970-01-01T00:00:00Z[UTC]", [1980, 1, 1, 0, 0, 0]),
        ("2200-05-05T05:05:05Z[UTC]", [2107, 12, 31, 23, 59, 58]),
    ] {
        let artifact = write_zip(&folder, &format!("{}.zip", time[0]), due, &[("agents", &[])]);
        assert_eq!(members(&artifact.path)[0]["time"], json!(time));
    }
}

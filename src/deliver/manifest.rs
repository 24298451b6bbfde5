//! The manifest: a JSON file, published last, that lists what a run has delivered.
//!
//! A reader can tell that the set is complete and every file intact. The same run always gives the same bytes.

use std::collections::BTreeMap;

use jiff::ZonedDateTime;
use serde::Serialize;

use crate::run::rfc3339;

/// What a manifest says. Keys are written in the order of the fields.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// The run's identifier.
    pub run: String,
    /// The job's label.
    pub job: String,
    /// The due time.
    #[serde(serialize_with = "with_offset")]
    pub due: ZonedDateTime,
    /// The files, in the order of the job's exports.
    pub files: Vec<ManifestFile>,
}

/// A delivered file.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestFile {
    /// Its name at the destination.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its rows, headers not counted; of a zip, those of all its exports.
    pub rows: u64,
    /// SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: String,
    /// The export of a plain file: its name, columns and period, written beside the keys above.
    #[serde(flatten)]
    pub export: Option<ManifestExport>,
    /// The exports inside a zip.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<ManifestExport>,
}

/// What an export holds.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestExport {
    /// The export's name.
    pub export: String,
    /// The names of its columns, in order.
    pub columns: Vec<String>,
    /// The half-open period of its rows; none for a full listing.
    pub period: Option<ManifestPeriod>,
    /// Columns with cells that could not be read and are NULL, and how many they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unreadable: BTreeMap<String, u64>,
}

/// A half-open period `[from, to)`.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestPeriod {
    /// Its first instant.
    #[serde(serialize_with = "with_offset")]
    pub from: ZonedDateTime,
    /// The first instant after it.
    #[serde(serialize_with = "with_offset")]
    pub to: ZonedDateTime,
}

impl Manifest {
    /// The bytes of the file: indented JSON with a line break at its end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("strings and numbers always have a JSON form");
        bytes.push(b'\n');
        bytes
    }
}

/// RFC 3339 with a numeric offset, as everywhere else; jiff itself would add the zone's name in brackets.
fn with_offset<S: serde::Serializer>(time: &ZonedDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> ZonedDateTime {
        text.parse().unwrap()
    }

    fn export(name: &str, period: Option<ManifestPeriod>) -> ManifestExport {
        ManifestExport {
            export: name.to_owned(),
            columns: vec!["id".to_owned(), "created_at".to_owned()],
            period,
            unreadable: BTreeMap::new(),
        }
    }

    #[test]
    fn a_manifest_reads_like_this() {
        let period =
            ManifestPeriod { from: time("2026-11-20T00:00[Europe/Paris]"), to: time("2026-11-21T00:00[Europe/Paris]") };
        let file = |name: &str, export, members| ManifestFile {
            name: name.to_owned(),
            bytes: 12,
            rows: 1,
            sha256: "ab".repeat(32),
            export,
            members,
        };
        let manifest = Manifest {
            run: "0c8k2vq4w7zz".to_owned(),
            job: "nightly \"bi\"".to_owned(),
            due: time("2026-11-21T04:00[Europe/Paris]"),
            files: vec![
                file("agents.csv", Some(export("agents", Some(period))), Vec::new()),
                file("all.zip", None, vec![export("teams", None)]),
            ],
        };
        let text = String::from_utf8(manifest.to_bytes()).unwrap();
        let expected = r#"{
  "run": "0c8k2vq4w7zz",
  "job": "nightly \"bi\"",
  "due": "2026-11-21T04:00:00+01:00",
  "files": [
    {
      "name": "agents.csv",
      "bytes": 12,
      "rows": 1,
      "sha256": "abababababababababababababababababababababababababababababababab",
      "export": "agents",
      "columns": [
        "id",
        "created_at"
      ],
      "period": {
        "from": "2026-11-20T00:00:00+01:00",
        "to": "2026-11-21T00:00:00+01:00"
      }
    },
    {
      "name": "all.zip",
      "bytes": 12,
      "rows": 1,
      "sha256": "abababababababababababababababababababababababababababababababab",
      "members": [
        {
          "export": "teams",
          "columns": [
            "id",
            "created_at"
          ],
          "period": null
        }
      ]
    }
  ]
}
"#;
        assert_eq!(text, expected);
    }
}

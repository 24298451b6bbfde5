//! A finished file in the spool, and the check that it still is what it was.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::SpoolError;
use crate::digest;
use crate::run::FileRecord;

/// A finished file: whole, on disk, its content known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The final name at the destination.
    pub name: String,
    /// Its path in the spool.
    pub path: PathBuf,
    /// The export that it holds; all of a zip, joined by commas.
    pub export: String,
    /// Rows, headers not counted.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: String,
    /// The names of its columns in order; of a zip, each with its export before it (`agents.id`).
    pub columns: Vec<String>,
    /// Those of its columns, by the same names, with cells that could not be read and are NULL instead, and how many
    /// they are.
    pub unreadable: BTreeMap<String, u64>,
}

impl Artifact {
    /// What history keeps of it.
    pub fn record(&self) -> FileRecord {
        FileRecord {
            name: self.name.clone(),
            export: self.export.clone(),
            rows: self.rows,
            bytes: self.bytes,
            sha256: self.sha256.clone(),
            published: false,
            unreadable: self.unreadable.clone(),
        }
    }

    /// Moves the file out of the spool to `target`, where a file of that name is replaced.
    pub fn move_to(&self, target: &Path) -> Result<(), SpoolError> {
        std::fs::rename(&self.path, target)
            .map_err(|source| SpoolError::File { name: target.display().to_string(), source })
    }

    /// Reads the file and compares size and digest with what is known of it.
    pub fn verify(&self) -> Result<(), SpoolError> {
        let changed = |found| SpoolError::Changed { name: self.name.clone(), found };
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => changed("gone"),
            _ => SpoolError::File { name: self.name.clone(), source: error },
        };
        let file = File::open(&self.path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.len() != self.bytes {
            return Err(changed("of another size than recorded"));
        }
        let is_same = digest::sha256(file).map_err(unreadable)? == self.sha256;
        if is_same { Ok(()) } else { Err(changed("of other content than recorded")) }
    }
}

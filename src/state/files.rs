//! The files of a run: what they are, where they lie in the spool, how far each has come at the destination.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::row::{from_json, to_json};
use super::runs::set_stage;
use super::sql::Sql;
use super::{State, StateError};
use crate::clearance::{Content, Recipient};
use crate::run::{FileRecord, Origin, RunId, Stage};

/// A finished file of a run, as far as delivery has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name, exports, rows, size and hash.
    pub file: FileRecord,
    /// It is the manifest, which lists the others and is no file of the history.
    pub is_manifest: bool,
    /// Where it lies in the spool; none once it has left.
    pub spool: Option<PathBuf>,
    /// The temporary name of its last upload, recorded before the server was asked to open it; none if nothing is
    /// there under such a name.
    pub temp_name: Option<String>,
    /// The names of its columns, in order; empty for a manifest and for files that older versions have made.
    pub columns: Vec<String>,
    /// Those of its columns that are sensitive.
    pub sensitive: Vec<String>,
    /// Its columns and where they come from, export by export; empty for a manifest. None if that was not recorded, or
    /// if the file has left the spool.
    pub contents: Option<Vec<Content>>,
}

impl State {
    /// Records the finished files of a run, in the order in which they are to be published, and with them that the
    /// run is [`Stage::Spooled`]. They were made for `recipient`.
    pub async fn spooled(
        &self,
        run: &RunId,
        recipient: &Recipient,
        files: &[StoredFile],
        now: Timestamp,
    ) -> Result<(), StateError> {
        if let Some(path) = files.iter().filter_map(|file| file.spool.as_deref()).find(|path| path.to_str().is_none()) {
            return Err(StateError::unreachable(path, "the path of the spool is not UTF-8"));
        }
        let (run, recipient, files) = (run.clone(), to_json(recipient), files.to_vec());
        self.write_at("state:spooled", move |db| {
            delete_files(db, &run)?;
            set_recipient(db, &run, Some(&recipient))?;
            for (position, stored) in files.iter().enumerate() {
                insert_file(db, &run, position, stored)?;
            }
            set_stage(db, &run, Stage::Spooled, now)
        })
        .await
    }

    /// Forgets the files of a run, which are not to be sent for the reason given: the run begins anew. What may lie at
    /// destinations under hidden names stays on record. The attempt says who made it, because it has done something.
    pub async fn discard(&self, run: &RunId, reason: &str, origin: &Origin, now: Timestamp) -> Result<(), StateError> {
        let (run, reason, origin) = (run.clone(), reason.to_owned(), origin.clone());
        self.write_at("state:discard", move |db| {
            delete_files(db, &run)?;
            set_recipient(db, &run, None)?;
            db.change(
                "UPDATE attempt SET discarded = ?1, actor = ?2, config = ?3
                 WHERE run = ?4 AND number = (SELECT attempts FROM run WHERE id = ?4)",
                params![reason, origin.actor, origin.config, run.as_str()],
            )?;
            set_stage(db, &run, Stage::Claimed, now)
        })
        .await
    }

    /// Records that the spooled files of a run are about to be sent to another recipient than the one they were made
    /// for. Nothing of them is there yet, so all of them count as neither uploaded nor published.
    pub async fn hand_over(&self, run: &RunId, recipient: &Recipient, now: Timestamp) -> Result<(), StateError> {
        let (run, recipient) = (run.clone(), to_json(recipient));
        self.write_at("state:hand-over", move |db| {
            db.change("UPDATE file SET is_published = 0, temp_name = NULL WHERE run = ?", [run.as_str()])?;
            set_recipient(db, &run, Some(&recipient))?;
            set_stage(db, &run, Stage::Spooled, now)
        })
        .await
    }

    /// Records under which temporary names files are about to be uploaded, and with it that the run is
    /// [`Stage::Uploading`]. Positions count the run's files from 0.
    pub async fn uploading(&self, run: &RunId, names: &[(usize, String)], now: Timestamp) -> Result<(), StateError> {
        let (run, names) = (run.clone(), names.to_vec());
        self.write_at("state:uploading", move |db| {
            for (position, name) in &names {
                insert_temporary(db, &run, name)?;
                db.change(
                    "UPDATE file SET temp_name = ? WHERE run = ? AND position = ?",
                    params![name, run.as_str(), *position as i64],
                )?;
            }
            set_stage(db, &run, Stage::Uploading, now)
        })
        .await
    }

    /// Records that files have their final names, and so no temporary ones any more. Positions count the run's files
    /// from 0.
    pub async fn published(&self, run: &RunId, positions: &[usize]) -> Result<(), StateError> {
        let (run, positions) = (run.clone(), positions.to_vec());
        self.write_at("state:published", move |db| {
            for position in positions {
                let file = params![run.as_str(), position as i64];
                db.change(
                    "DELETE FROM temporary
                     WHERE run = ?1 AND name = (SELECT temp_name FROM file WHERE run = ?1 AND position = ?2)",
                    file,
                )?;
                db.change("UPDATE file SET is_published = 1 WHERE run = ? AND position = ?", file)?;
            }
            Ok(())
        })
        .await
    }

    /// The files of a run, in the order in which they are to be published.
    pub async fn files(&self, run: &RunId) -> Result<Vec<StoredFile>, StateError> {
        let run = run.clone();
        self.read(move |db| files(db, &run)).await
    }
}

/// The files of a run, in the order in which they are to be published.
pub(super) fn files(db: &Connection, run: &RunId) -> rusqlite::Result<Vec<StoredFile>> {
    db.all(
        "SELECT name, export, row_count, bytes, sha256, is_manifest, spool, temp_name, is_published,
                columns, sensitive, contents, unreadable
         FROM file WHERE run = ? ORDER BY position",
        [run.as_str()],
        stored_file,
    )
}

/// Records a hidden name at the destination of the run's present attempt.
pub(super) fn insert_temporary(db: &Connection, run: &RunId, name: &str) -> rusqlite::Result<()> {
    db.change(
        "INSERT INTO temporary (run, name, location)
         SELECT id, ?2, (SELECT location FROM attempt WHERE attempt.run = run.id AND number = run.attempts)
         FROM run WHERE id = ?1
         ON CONFLICT (run, name) DO UPDATE SET location = excluded.location",
        [run.as_str(), name],
    )?;
    Ok(())
}

fn delete_files(db: &Connection, run: &RunId) -> rusqlite::Result<()> {
    db.change("DELETE FROM file WHERE run = ?", [run.as_str()]).map(drop)
}

fn set_recipient(db: &Connection, run: &RunId, recipient: Option<&str>) -> rusqlite::Result<()> {
    db.change("UPDATE run SET recipient = ? WHERE id = ?", params![recipient, run.as_str()]).map(drop)
}

fn insert_file(db: &Connection, run: &RunId, position: usize, stored: &StoredFile) -> rusqlite::Result<()> {
    let StoredFile { file, is_manifest, spool, temp_name, columns, sensitive, contents } = stored;
    db.change(
        "INSERT INTO file (run, position, name, export, row_count, bytes, sha256, is_manifest, spool, temp_name,
                           is_published, columns, sensitive, contents, unreadable)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            run.as_str(),
            position as i64,
            file.name,
            file.export,
            file.rows as i64,
            file.bytes as i64,
            file.sha256,
            is_manifest,
            spool.as_deref().and_then(Path::to_str),
            temp_name,
            file.published,
            to_json(columns),
            to_json(sensitive),
            contents.as_ref().map(to_json),
            to_json(&file.unreadable),
        ],
    )?;
    Ok(())
}

fn stored_file(row: &Row<'_>) -> rusqlite::Result<StoredFile> {
    Ok(StoredFile {
        file: FileRecord {
            name: row.get("name")?,
            export: row.get("export")?,
            rows: row.get::<_, i64>("row_count")? as u64,
            bytes: row.get::<_, i64>("bytes")? as u64,
            sha256: row.get("sha256")?,
            published: row.get("is_published")?,
            unreadable: from_json(row.get("unreadable")?).unwrap_or_default(),
        },
        is_manifest: row.get("is_manifest")?,
        spool: row.get::<_, Option<String>>("spool")?.map(PathBuf::from),
        temp_name: row.get("temp_name")?,
        columns: from_json(row.get("columns")?).unwrap_or_default(),
        sensitive: from_json(row.get("sensitive")?).unwrap_or_default(),
        contents: from_json(row.get("contents")?),
    })
}

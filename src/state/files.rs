//! The files of a run: what they are, where they lie in the spool, how far each has come at the destination.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::row::{from_json, to_json};
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
        let mut tx = self.write().await?;
        self.delete_files(&mut tx, run).await?;
        self.set_recipient(&mut tx, run, Some(recipient)).await?;
        for (position, stored) in files.iter().enumerate() {
            self.insert_file(&mut tx, run, position, stored).await?;
        }
        self.set_stage(&mut tx, run, Stage::Spooled, now).await?;
        self.commit(tx, "state:spooled").await
    }

    /// Forgets the files of a run, which are not to be sent for the reason given: the run begins anew. What may lie at
    /// destinations under hidden names stays on record. The attempt says who made it, for it has done something.
    pub async fn discard(&self, run: &RunId, reason: &str, origin: &Origin, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        self.delete_files(&mut tx, run).await?;
        self.set_recipient(&mut tx, run, None).await?;
        sqlx::query(
            "UPDATE attempt SET discarded = ?1, actor = ?2, config = ?3
             WHERE run = ?4 AND number = (SELECT attempts FROM run WHERE id = ?4)",
        )
        .bind(reason)
        .bind(&origin.actor)
        .bind(&origin.config)
        .bind(run.as_str())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        self.set_stage(&mut tx, run, Stage::Claimed, now).await?;
        self.commit(tx, "state:discard").await
    }

    /// Records that the spooled files of a run are about to be sent to another recipient than the one they were made
    /// for. Nothing of them is there yet, so all of them count as neither uploaded nor published.
    pub async fn hand_over(&self, run: &RunId, recipient: &Recipient, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        let forget = sqlx::query("UPDATE file SET is_published = 0, temp_name = NULL WHERE run = ?").bind(run.as_str());
        forget.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        self.set_recipient(&mut tx, run, Some(recipient)).await?;
        self.set_stage(&mut tx, run, Stage::Spooled, now).await?;
        self.commit(tx, "state:hand-over").await
    }

    /// Records under which temporary names files are about to go up, and with it that the run is
    /// [`Stage::Uploading`]. Positions count the run's files from 0.
    pub async fn uploading(&self, run: &RunId, names: &[(usize, String)], now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        for (position, name) in names {
            self.insert_temporary(&mut tx, run, name).await?;
            sqlx::query("UPDATE file SET temp_name = ? WHERE run = ? AND position = ?")
                .bind(name)
                .bind(run.as_str())
                .bind(*position as i64)
                .execute(&mut *tx)
                .await
                .map_err(|error| self.failed(error))?;
        }
        self.set_stage(&mut tx, run, Stage::Uploading, now).await?;
        self.commit(tx, "state:uploading").await
    }

    /// Records that files have their final names, and so no temporary ones any more. Positions count the run's files
    /// from 0.
    pub async fn published(&self, run: &RunId, positions: &[usize]) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        for position in positions {
            sqlx::query(
                "DELETE FROM temporary
                 WHERE run = ?1 AND name = (SELECT temp_name FROM file WHERE run = ?1 AND position = ?2)",
            )
            .bind(run.as_str())
            .bind(*position as i64)
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
            sqlx::query("UPDATE file SET is_published = 1 WHERE run = ? AND position = ?")
                .bind(run.as_str())
                .bind(*position as i64)
                .execute(&mut *tx)
                .await
                .map_err(|error| self.failed(error))?;
        }
        self.commit(tx, "state:published").await
    }

    /// The files of a run, in the order in which they are to be published.
    pub async fn files(&self, run: &RunId) -> Result<Vec<StoredFile>, StateError> {
        let rows = sqlx::query(
            "SELECT name, export, row_count, bytes, sha256, is_manifest, spool, temp_name, is_published,
                    columns, sensitive, contents, unreadable
             FROM file WHERE run = ? ORDER BY position",
        )
        .bind(run.as_str())
        .fetch_all(self.reader())
        .await
        .map_err(|error| self.failed(error))?;
        rows.iter().map(|row| stored_file(row).map_err(|error| self.failed(error))).collect()
    }

    /// Records a hidden name at the destination of the run's present attempt.
    pub(super) async fn insert_temporary(
        &self,
        tx: &mut SqliteConnection,
        run: &RunId,
        name: &str,
    ) -> Result<(), StateError> {
        let insert = sqlx::query(
            "INSERT INTO temporary (run, name, location)
             SELECT id, ?2, (SELECT location FROM attempt WHERE attempt.run = run.id AND number = run.attempts)
             FROM run WHERE id = ?1
             ON CONFLICT (run, name) DO UPDATE SET location = excluded.location",
        );
        let inserted = insert.bind(run.as_str()).bind(name).execute(&mut *tx).await;
        inserted.map(|_| ()).map_err(|error| self.failed(error))
    }

    async fn delete_files(&self, tx: &mut SqliteConnection, run: &RunId) -> Result<(), StateError> {
        let delete = sqlx::query("DELETE FROM file WHERE run = ?").bind(run.as_str());
        delete.execute(&mut *tx).await.map(|_| ()).map_err(|error| self.failed(error))
    }

    async fn set_recipient(
        &self,
        tx: &mut SqliteConnection,
        run: &RunId,
        recipient: Option<&Recipient>,
    ) -> Result<(), StateError> {
        let update = sqlx::query("UPDATE run SET recipient = ? WHERE id = ?").bind(recipient.map(to_json));
        let updated = update.bind(run.as_str()).execute(&mut *tx).await;
        updated.map(|_| ()).map_err(|error| self.failed(error))
    }

    async fn insert_file(
        &self,
        tx: &mut SqliteConnection,
        run: &RunId,
        position: usize,
        stored: &StoredFile,
    ) -> Result<(), StateError> {
        let StoredFile { file, is_manifest, spool, temp_name, columns, sensitive, contents } = stored;
        let spool = spool.as_deref().map(|path| self.path_text(path)).transpose()?;
        sqlx::query(
            "INSERT INTO file (run, position, name, export, row_count, bytes, sha256, is_manifest, spool, temp_name,
                               is_published, columns, sensitive, contents, unreadable)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(run.as_str())
        .bind(position as i64)
        .bind(&file.name)
        .bind(&file.export)
        .bind(file.rows as i64)
        .bind(file.bytes as i64)
        .bind(&file.sha256)
        .bind(is_manifest)
        .bind(spool)
        .bind(temp_name.as_deref())
        .bind(file.published)
        .bind(serde_json::Value::from(columns.as_slice()).to_string())
        .bind(serde_json::Value::from(sensitive.as_slice()).to_string())
        .bind(contents.as_ref().map(to_json))
        .bind(to_json(&file.unreadable))
        .execute(&mut *tx)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    fn path_text<'p>(&self, path: &'p Path) -> Result<&'p str, StateError> {
        path.to_str().ok_or_else(|| StateError::Unreachable {
            path: path.to_owned(),
            cause: "the path of the spool is not UTF-8".to_owned(),
        })
    }
}

fn stored_file(row: &SqliteRow) -> Result<StoredFile, sqlx::Error> {
    Ok(StoredFile {
        file: FileRecord {
            name: row.try_get("name")?,
            export: row.try_get("export")?,
            rows: row.try_get::<i64, _>("row_count")? as u64,
            bytes: row.try_get::<i64, _>("bytes")? as u64,
            sha256: row.try_get("sha256")?,
            published: row.try_get("is_published")?,
            unreadable: from_json(row.try_get("unreadable")?).unwrap_or_default(),
        },
        is_manifest: row.try_get("is_manifest")?,
        spool: row.try_get::<Option<String>, _>("spool")?.map(PathBuf::from),
        temp_name: row.try_get("temp_name")?,
        columns: names(row.try_get("columns")?),
        sensitive: names(row.try_get("sensitive")?),
        contents: from_json(row.try_get("contents")?),
    })
}

fn names(json: Option<String>) -> Vec<String> {
    from_json(json).unwrap_or_default()
}

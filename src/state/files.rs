//! The files of a run: what they are, where they lie in the spool, under which name they go up.

use std::path::{Path, PathBuf};

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{State, StateError};
use crate::run::{FileRecord, RunId};

/// A finished file of a run, as far as delivery has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name, exports, rows, size and hash.
    pub file: FileRecord,
    /// Where it lies in the spool; none once it has left.
    pub spool: Option<PathBuf>,
    /// The temporary name of its last upload, recorded before the server was asked to open it.
    pub temp_name: Option<String>,
}

impl State {
    /// Replaces what is known of a run's files, in the order of the job's exports.
    pub async fn record_files(&self, run: &RunId, files: &[StoredFile]) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        let delete = sqlx::query("DELETE FROM file WHERE run = ?").bind(run.as_str());
        delete.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        for (position, stored) in files.iter().enumerate() {
            let StoredFile { file, spool, temp_name } = stored;
            let spool = spool.as_deref().map(|path| self.path_text(path)).transpose()?;
            sqlx::query(
                "INSERT INTO file (run, position, name, export, row_count, bytes, sha256, spool, temp_name)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(run.as_str())
            .bind(position as i64)
            .bind(&file.name)
            .bind(&file.export)
            .bind(file.rows as i64)
            .bind(file.bytes as i64)
            .bind(&file.sha256)
            .bind(spool)
            .bind(temp_name.as_deref())
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        }
        tx.commit().await.map_err(|error| self.failed(error))
    }

    /// Records the temporary name under which a file goes up; returns when that is on disk. `position` counts the
    /// run's files from 0.
    pub async fn record_temp_name(&self, run: &RunId, position: usize, name: &str) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE file SET temp_name = ? WHERE run = ? AND position = ?")
            .bind(name)
            .bind(run.as_str())
            .bind(position as i64)
            .execute(&mut *tx)
            .await
            .map_err(|error| self.failed(error))?;
        tx.commit().await.map_err(|error| self.failed(error))
    }

    /// Records that a run's files have left the spool.
    pub async fn forget_spool(&self, run: &RunId) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        let update = sqlx::query("UPDATE file SET spool = NULL WHERE run = ?").bind(run.as_str());
        update.execute(&mut *tx).await.map_err(|error| self.failed(error))?;
        tx.commit().await.map_err(|error| self.failed(error))
    }

    /// The files of a run, in the order of the job's exports.
    pub async fn files(&self, run: &RunId) -> Result<Vec<StoredFile>, StateError> {
        let rows = sqlx::query(
            "SELECT name, export, row_count, bytes, sha256, spool, temp_name FROM file WHERE run = ? ORDER BY position",
        )
        .bind(run.as_str())
        .fetch_all(self.reader())
        .await
        .map_err(|error| self.failed(error))?;
        rows.iter().map(|row| stored_file(row).map_err(|error| self.failed(error))).collect()
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
        },
        spool: row.try_get::<Option<String>, _>("spool")?.map(PathBuf::from),
        temp_name: row.try_get("temp_name")?,
    })
}

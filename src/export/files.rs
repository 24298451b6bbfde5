//! The files of a run: what state knows of them, and how far each has come.

use super::{Context, RunError};
use crate::clearance::Recipient;
use crate::run::{RunId, Stage};
use crate::state::{StoredFile, Temporary};

/// What state knows of a run.
pub(super) struct Known {
    pub(super) stage: Option<Stage>,
    pub(super) files: Vec<StoredFile>,
    /// The recipient that the files were made for; none if that was not recorded.
    pub(super) recipient: Option<Recipient>,
}

impl Known {
    pub(super) async fn of(context: &Context, run: &RunId) -> Result<Known, RunError> {
        let detail = context.state.detail(run).await?;
        Ok(detail.map_or(Known::nothing(), |detail| Known {
            stage: detail.stage,
            files: detail.files,
            recipient: detail.recipient,
        }))
    }

    /// A run that has no files.
    pub(super) fn nothing() -> Known {
        Known { stage: None, files: Vec::new(), recipient: None }
    }

    /// The same files as if none of them had ever been sent.
    pub(super) fn unsent(self) -> Known {
        let files = self.files.into_iter().map(|mut file| {
            (file.file.published, file.temp_name) = (false, None);
            file
        });
        Known { stage: Some(Stage::Spooled), files: files.collect(), ..self }
    }

    /// The same files, of which what is uploaded under temporary names is of no use.
    pub(super) fn without_uploads(mut self) -> Known {
        self.files.iter_mut().for_each(|file| file.temp_name = None);
        self
    }

    pub(super) fn is_spooled(&self) -> bool {
        self.stage.is_some_and(|stage| stage >= Stage::Spooled) && !self.files.is_empty()
    }

    /// Treats a file as not uploaded that was uploaded under a name that is of no use any more.
    pub(super) fn forget_upload(&mut self, temporary: &Temporary) {
        let files = self.files.iter_mut().filter(|file| file.temp_name.as_ref() == Some(&temporary.name));
        files.for_each(|file| file.temp_name = None);
    }

    /// The temporary names of uploaded files, as far as state knows.
    pub(super) fn uploaded(&self) -> impl Iterator<Item = &str> {
        let is_uploaded = self.stage.is_some_and(|stage| stage >= Stage::Uploaded);
        let waiting = self.files.iter().filter(move |file| is_uploaded && !file.file.published);
        waiting.filter_map(|file| file.temp_name.as_deref())
    }
}

/// A file of a run, and how far it has come.
#[derive(Clone, Debug)]
pub(super) struct RunFile {
    /// Its position among the run's files, from 0.
    pub(super) position: usize,
    pub(super) stored: StoredFile,
    pub(super) progress: FileState,
}

/// How far a file has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    /// It is in the spool, and not at the destination.
    Spooled,
    /// It is at the destination under this temporary name: whole, or about to be removed.
    Uploaded(String),
    /// It has its final name.
    Published,
}

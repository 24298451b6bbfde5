//! Proves that the destination's directory can be used, with an empty file that comes and goes.
//!
//! At first in as few round trips as a sound server needs: what waits for no other answer is asked at once. Should
//! anything be refused, all is done again step by step, which tells what is not allowed, and suits servers that do one
//! thing at a time.

use futures_util::future::join;

use super::error::{DeliverError, status_text};
use super::session::Session;
use super::sftp::{Access, ClientError, Code, Handle, Status};
use crate::fastpath::{self, FastPath};
use crate::job::Verify;

/// What the directory has to allow, and what a job can say if it does not.
pub(super) struct Action {
    what: &'static str,
    otherwise: &'static str,
}

const WRITE_ONLY: &str = ", or set verify = \"none\" if it is meant to be only written to";
pub(super) const ENTER: Action = Action { what: "enter it", otherwise: WRITE_ONLY };
const LIST: Action = Action { what: "list it", otherwise: WRITE_ONLY };
const CREATE: Action = Action { what: "create files in it", otherwise: "" };
const MEASURE: Action = Action { what: "see the size of files in it", otherwise: WRITE_ONLY };
const READ: Action = Action { what: "read files in it", otherwise: ", or set verify = \"size\"" };
const RENAME: Action = Action { what: "rename files in it", otherwise: "" };
const REMOVE: Action = Action { what: "remove files from it", otherwise: "" };

impl Session {
    /// Makes sure that the directory exists and that files can be listed, made, renamed and removed in it, as far as the
    /// job needs that: with `verify = "none"` it is only written to.
    ///
    /// An empty file comes and goes under the [`Session::probe_names`] of `probe_name`; leftovers of those names are
    /// removed first.
    pub async fn check_directory(&self, probe_name: &str) -> Result<(), DeliverError> {
        let [probe, renamed] = Session::probe_names(probe_name).map(|name| self.path(&name));
        let is_quick = fastpath::is_taken(FastPath::Probe, true) && self.settings.verify != Verify::Readback;
        if is_quick && self.check_at_once(&probe, &renamed).await? {
            return Ok(());
        }
        self.check_step_by_step(&probe, &renamed).await
    }

    /// Whether the directory can be looked into and takes a probe, in three round trips. Only the end of the session is
    /// an error: what was refused beside other requests may be granted alone.
    async fn check_at_once(&self, probe: &str, renamed: &str) -> Result<bool, DeliverError> {
        let (looked, tried) = join(self.look_at_once(), self.try_probe_at_once(probe, renamed)).await;
        let outcome = match (looked, tried) {
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            (Ok(is_directory), Ok(())) => Ok(is_directory),
        };
        match outcome {
            Err(ClientError::Status(_)) => Ok(false),
            outcome => outcome.map_err(|error| self.error("checking the directory", error)),
        }
    }

    /// Whether the directory is one, and can be listed.
    async fn look_at_once(&self) -> Result<bool, ClientError> {
        if self.settings.verify == Verify::None {
            return Ok(true);
        }
        let directory = self.at.directory.as_str();
        let (attributes, handle) = join(self.client.stat(directory), self.client.open_directory(directory)).await;
        let handle = handle?;
        let (listed, closed) = join(self.client.read_directory(&handle), self.client.close(&handle)).await;
        listed.and(closed)?;
        Ok(attributes?.is_directory() != Some(false))
    }

    /// Makes, measures, renames and removes the probe. What is left of it after a refusal is taken away.
    async fn try_probe_at_once(&self, probe: &str, renamed: &str) -> Result<(), ClientError> {
        let (handle, _) = join(self.client.open(probe, Access::CreateNew), self.client.remove(renamed)).await;
        let tried = self.use_probe_at_once(handle?, probe, renamed).await;
        if tried.is_err() {
            join(self.remove_quietly(probe), self.remove_quietly(renamed)).await;
        }
        tried
    }

    /// The rename waits for the close, so that a server that takes closed files away has had time to do so.
    async fn use_probe_at_once(&self, handle: Handle, probe: &str, renamed: &str) -> Result<(), ClientError> {
        let (measured, closed) = join(self.measure_probe(&handle), self.client.close(&handle)).await;
        closed.and(measured)?;
        let (moved, removed) = join(self.rename_probe(probe, renamed), self.client.remove(renamed)).await;
        moved?;
        let removed = match removed {
            // Either somebody has fetched it, or the server did both in another order than it was asked to.
            Err(error) if is_missing(&error) => self.client.remove(renamed).await,
            removed => removed,
        };
        removed.or_else(|error| if is_missing(&error) { Ok(()) } else { Err(error) })
    }

    async fn check_step_by_step(&self, probe: &str, renamed: &str) -> Result<(), DeliverError> {
        let verify = self.settings.verify;
        if verify != Verify::None {
            let attributes = self.client.stat(&self.at.directory).await;
            let attributes = attributes.map_err(|error| self.directory_error(&ENTER, error))?;
            if attributes.is_directory() == Some(false) {
                return Err(DeliverError::NotADirectory { at: self.at.clone() });
            }
            self.list_some().await.map_err(|error| self.directory_error(&LIST, error))?;
        }
        for leftover in [probe, renamed] {
            self.remove_quietly(leftover).await;
        }
        let handle = self.client.open(probe, Access::CreateNew).await;
        let handle = handle.map_err(|error| self.directory_error(&CREATE, error))?;
        if let Err(error) = self.use_probe(handle, probe, renamed).await {
            self.remove_quietly(probe).await;
            return Err(error);
        }
        let read = if verify == Verify::Readback { self.read_probe(renamed).await } else { Ok(()) };
        let removed = match self.client.remove(renamed).await {
            // Where files are fetched the moment they have their name, that is as it should be.
            Err(error) if is_missing(&error) => Ok(()),
            removed => removed.map_err(|error| self.directory_error(&REMOVE, error)),
        };
        read.and(removed)
    }

    /// Does with an empty file what is done with every file until it is published.
    async fn use_probe(&self, handle: Handle, probe: &str, renamed: &str) -> Result<(), DeliverError> {
        let (measured, closed) = join(self.measure_probe(&handle), self.client.close(&handle)).await;
        closed.map_err(|error| self.directory_error(&CREATE, error))?;
        measured.map_err(|error| self.directory_error(&MEASURE, error))?;
        match self.rename_probe(probe, renamed).await {
            Err(error) if is_missing(&error) => Err(DeliverError::TakenEarly { at: self.at.clone() }),
            outcome => outcome.map_err(|error| self.directory_error(&RENAME, error)),
        }
    }

    async fn measure_probe(&self, handle: &Handle) -> Result<(), ClientError> {
        match self.settings.verify {
            Verify::None => Ok(()),
            Verify::Size | Verify::Readback => self.client.handle_stat(handle).await.map(|_| ()),
        }
    }

    async fn rename_probe(&self, probe: &str, renamed: &str) -> Result<(), ClientError> {
        match self.server().posix_rename {
            true => self.client.posix_rename(probe, renamed).await,
            false => self.client.rename(probe, renamed).await,
        }
    }

    async fn read_probe(&self, path: &str) -> Result<(), DeliverError> {
        let reading = async {
            let handle = self.client.open(path, Access::Read).await?;
            self.client.close(&handle).await
        };
        match reading.await {
            Err(error) if is_missing(&error) => Ok(()),
            outcome => outcome.map_err(|error| self.directory_error(&READ, error)),
        }
    }

    /// The two names that the probe of [`Session::check_directory`] has one after the other.
    pub fn probe_names(probe_name: &str) -> [String; 2] {
        [format!(".{probe_name}.part"), format!(".{probe_name}.renamed.part")]
    }

    pub(super) fn directory_error(&self, action: &Action, error: ClientError) -> DeliverError {
        let at = self.at.clone();
        let Action { what: action, otherwise } = *action;
        match error {
            ClientError::Status(Status { code: Code::NoSuchFile, .. }) => DeliverError::DirectoryMissing { at },
            ClientError::Status(status) => {
                let cause = status_text(&status);
                let denied = matches!(status.code, Code::PermissionDenied | Code::WriteProtected | Code::Unsupported);
                // A bare failure may pass, for instance when somebody makes space; the next try finds out.
                match denied {
                    true => DeliverError::DirectoryDenied { at, action, cause, otherwise },
                    false => DeliverError::Failed { at, step: format!("checking whether it can {action}"), cause },
                }
            }
            error => self.error("checking the directory", error),
        }
    }
}

fn is_missing(error: &ClientError) -> bool {
    matches!(error, ClientError::Status(Status { code: Code::NoSuchFile, .. }))
}

//! Checks that the destination's directory can be used, with an empty file that is created, renamed and removed. Where
//! removing is refused, that file stays, and the next check with the same name uses it again.
//!
//! First in as few round trips as a sound server needs: requests that need no other's answer are sent together. Over a
//! distance of 50 ms that saves a sixth of a run of 100 MB. If anything is refused, the check is repeated step by step,
//! which tells what is not allowed, and suits servers that handle one request at a time.

use futures_util::future::join;

use super::error::{DeliverError, status_text};
use super::session::Session;
use super::sftp::{Access, ClientError, Code, Handle, Status};
use crate::job::{Publish, Verify};

/// What became of the file that a check has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// There was none: what is written in place can't be tried without leaving a file.
    NotMade,
    /// It is gone.
    Removed,
    /// The server does not remove files, so it is still there.
    Kept {
        /// Its name.
        name: String,
        /// No earlier check had left it there.
        is_new: bool,
    },
}

/// The two names that the probe of a check has, one after the other.
pub fn probe_names(probe: &str) -> [String; 2] {
    [format!(".{probe}.part"), format!(".{probe}.renamed.part")]
}

/// What the directory has to allow, and what a job can say if it does not.
pub(super) struct Action {
    what: &'static str,
    otherwise: &'static str,
}

const WRITE_ONLY: &str = ", or set verify = \"none\" if it is meant to be only written to";
const ENTER: Action = Action { what: "enter it", otherwise: WRITE_ONLY };
const LIST: Action = Action { what: "list it", otherwise: WRITE_ONLY };
const CREATE: Action = Action { what: "create files in it", otherwise: "" };
pub(super) const MEASURE: Action = Action { what: "see the size of files in it", otherwise: WRITE_ONLY };
const READ: Action = Action { what: "read files in it", otherwise: ", or set verify = \"size\"" };
const RENAME: Action =
    Action { what: "rename files in it", otherwise: ", or set publish = \"direct\" if it only takes uploads" };
const REMOVE: Action = Action { what: "remove files from it", otherwise: "" };

impl Session {
    /// As [`Delivery::check`](super::Delivery::check), as far as the job needs it: with `verify = "none"` the directory is
    /// only written to.
    pub async fn check(&self, probe: &str) -> Result<Probe, DeliverError> {
        if self.settings.publish == Publish::Direct {
            return self.look().await.map(|()| Probe::NotMade);
        }
        let [first, renamed] = probe_names(probe).map(|name| self.path(&name));
        let is_together = self.settings.tuning.check_together && self.settings.verify != Verify::Readback;
        if is_together && self.check_together(&first, &renamed).await? {
            return Ok(Probe::Removed);
        }
        // What the first check has left is found by the second one.
        Ok(match self.check_step_by_step(probe).await? {
            Probe::Kept { name, .. } => Probe::Kept { name, is_new: true },
            probe => probe,
        })
    }

    /// Makes sure that the directory is one, as far as a server that only takes uploads lets anybody look.
    async fn look(&self) -> Result<(), DeliverError> {
        match self.client.stat(&self.at.directory).await {
            Ok(attributes) if attributes.is_directory() == Some(false) => {
                Err(DeliverError::NotADirectory { at: self.at.clone() })
            }
            Err(error) if is_missing(&error) => Err(DeliverError::DirectoryMissing { at: self.at.clone() }),
            Ok(_) | Err(ClientError::Status(_)) => Ok(()),
            Err(error) => Err(self.error("checking the directory", error)),
        }
    }

    /// Whether the directory can be listed and takes a probe, in three round trips. Only the end of the session is an
    /// error: what was refused beside other requests may be granted alone.
    async fn check_together(&self, probe: &str, renamed: &str) -> Result<bool, DeliverError> {
        let (looked, tried) = join(self.look_together(), self.try_probe_together(probe, renamed)).await;
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
    async fn look_together(&self) -> Result<bool, ClientError> {
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

    /// Creates, measures, renames and removes the probe. What is left of it after a refusal is removed.
    async fn try_probe_together(&self, probe: &str, renamed: &str) -> Result<(), ClientError> {
        let (handle, _) = join(self.client.open(probe, Access::CreateNew), self.client.remove(renamed)).await;
        let tried = self.use_probe_together(handle?, probe, renamed).await;
        if tried.is_err() {
            join(self.remove_quietly(probe), self.remove_quietly(renamed)).await;
        }
        tried
    }

    /// The rename waits for the close, so that a server that moves closed files away has had time to do so.
    async fn use_probe_together(&self, handle: Handle, probe: &str, renamed: &str) -> Result<(), ClientError> {
        let (measured, closed) = join(self.measure_probe(&handle), self.client.close(&handle)).await;
        closed.and(measured)?;
        let (moved, removed) = join(self.rename_probe(probe, renamed), self.client.remove(renamed)).await;
        moved?;
        let removed = match removed {
            // Either the partner has fetched it, or the server handled the requests in another order.
            Err(error) if is_missing(&error) => self.client.remove(renamed).await,
            removed => removed,
        };
        removed.or_else(|error| if is_missing(&error) { Ok(()) } else { Err(error) })
    }

    /// As [`Delivery::check_again`](super::Delivery::check_again).
    pub(super) async fn check_step_by_step(&self, probe: &str) -> Result<Probe, DeliverError> {
        if self.settings.publish == Publish::Direct {
            return self.look().await.map(|()| Probe::NotMade);
        }
        let [_, name] = probe_names(probe);
        let [probe, renamed] = &probe_names(probe).map(|name| self.path(&name));
        let verify = self.settings.verify;
        if verify != Verify::None {
            let attributes = self.client.stat(&self.at.directory).await;
            let attributes = attributes.map_err(|error| self.directory_error(&ENTER, error))?;
            if attributes.is_directory() == Some(false) {
                return Err(DeliverError::NotADirectory { at: self.at.clone() });
            }
            self.list_some().await.map_err(|error| self.directory_error(&LIST, error))?;
        }
        let (access, is_new) = self.clear_probe(probe, renamed).await;
        let handle = self.client.open(probe, access).await;
        let handle = handle.map_err(|error| self.directory_error(&CREATE, error))?;
        if let Err(error) = self.use_probe(handle, access, probe, renamed).await {
            self.remove_quietly(probe).await;
            return Err(error);
        }
        let read = if verify == Verify::Readback { self.read_probe(renamed).await } else { Ok(()) };
        let removed = match self.client.remove(renamed).await {
            // Some partners fetch files the moment they have their name.
            Err(error) if is_missing(&error) => Ok(Probe::Removed),
            Err(ClientError::Status(_)) if !self.has_to_remove() => Ok(Probe::Kept { name, is_new }),
            removed => removed.map(|()| Probe::Removed).map_err(|error| self.directory_error(&REMOVE, error)),
        };
        read.and(removed)
    }

    /// Removes leftovers of the probe, and returns how it is opened, and whether it has to be made. A leftover that can't be
    /// removed is used again under its first name, because a rename that replaces nothing needs the second one free.
    async fn clear_probe(&self, probe: &str, renamed: &str) -> (Access, bool) {
        let mut access = Access::CreateNew;
        for leftover in [probe, renamed] {
            match self.client.remove(leftover).await {
                Err(error) if !is_missing(&error) => access = Access::Create,
                _ => {}
            }
        }
        let is_new = access == Access::CreateNew || self.client.rename(renamed, probe).await.is_err();
        (access, is_new)
    }

    /// Does with an empty file what is done with every file until it is published.
    async fn use_probe(&self, handle: Handle, access: Access, probe: &str, renamed: &str) -> Result<(), DeliverError> {
        let (measured, closed) = join(self.measure_probe(&handle), self.client.close(&handle)).await;
        closed.map_err(|error| self.directory_error(&CREATE, error))?;
        measured.map_err(|error| self.directory_error(&MEASURE, error))?;
        match self.rename_probe(probe, renamed).await {
            // Another run of the job has renamed the same probe.
            Err(ClientError::Status(status))
                if access == Access::Create && !is_denial(&status) && self.is_openable(renamed).await =>
            {
                Ok(())
            }
            Err(error) if is_missing(&error) => Err(DeliverError::TakenEarly { at: self.at.clone() }),
            outcome => outcome.map_err(|error| self.directory_error(&RENAME, error)),
        }
    }

    /// Whether publishing needs the right to remove files: only to make room for a rename that replaces nothing.
    fn has_to_remove(&self) -> bool {
        self.settings.publish == Publish::Replace && !self.server().posix_rename
    }

    async fn is_openable(&self, path: &str) -> bool {
        match self.client.open(path, Access::Write).await {
            Ok(handle) => self.client.close(&handle).await.is_ok(),
            Err(_) => false,
        }
    }

    async fn measure_probe(&self, handle: &Handle) -> Result<(), ClientError> {
        match self.settings.verify {
            Verify::None => Ok(()),
            Verify::Size | Verify::Readback => self.client.handle_stat(handle).await.map(|_| ()),
        }
    }

    async fn rename_probe(&self, probe: &str, renamed: &str) -> Result<(), ClientError> {
        match self.settings.publish == Publish::Replace && self.server().posix_rename {
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

    pub(super) fn directory_error(&self, action: &Action, error: ClientError) -> DeliverError {
        let at = self.at.clone();
        let Action { what: action, otherwise } = *action;
        match error {
            ClientError::Status(Status { code: Code::NoSuchFile, .. }) => DeliverError::DirectoryMissing { at },
            ClientError::Status(status) => {
                let cause = status_text(&status);
                // A bare failure may pass, for instance when somebody makes space; the next try finds out.
                match is_denial(&status) {
                    true => DeliverError::DirectoryDenied { at, action, cause, otherwise },
                    false => DeliverError::Failed { at, step: format!("checking whether it can {action}"), cause },
                }
            }
            error => self.error("checking the directory", error),
        }
    }
}

pub(super) fn is_denial(status: &Status) -> bool {
    matches!(status.code, Code::PermissionDenied | Code::WriteProtected | Code::Unsupported)
}

fn is_missing(error: &ClientError) -> bool {
    matches!(error, ClientError::Status(Status { code: Code::NoSuchFile, .. }))
}

//! The destination's directory: whether it can be used, what is in it, and taking our own files out of it.

use super::error::{DeliverError, plain, status_text};
use super::session::Session;
use super::sftp::{Access, Attributes, ClientError, Code, Handle, Status};
use crate::job::Verify;

/// A file in the destination's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes, where the server tells.
    pub size: Option<u64>,
    /// Its last change in seconds since 1970, where the server tells.
    pub modified: Option<u32>,
}

impl RemoteFile {
    fn new(name: &str, attributes: Attributes) -> RemoteFile {
        RemoteFile { name: name.to_owned(), size: attributes.size, modified: attributes.modified }
    }
}

/// What the directory has to allow, and what a job can say if it does not.
struct Action {
    what: &'static str,
    otherwise: &'static str,
}

const WRITE_ONLY: &str = ", or set verify = \"none\" if it is meant to be only written to";
const ENTER: Action = Action { what: "enter it", otherwise: WRITE_ONLY };
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
        let verify = self.settings.verify;
        if verify != Verify::None {
            let attributes = self.client.stat(&self.at.directory).await;
            let attributes = attributes.map_err(|error| self.directory_error(&ENTER, error))?;
            if attributes.is_directory() == Some(false) {
                return Err(DeliverError::NotADirectory { at: self.at.clone() });
            }
            self.list_some().await.map_err(|error| self.directory_error(&LIST, error))?;
        }
        let [probe, renamed] = Session::probe_names(probe_name).map(|name| self.path(&name));
        for leftover in [&probe, &renamed] {
            self.remove_quietly(leftover).await;
        }
        let handle = self.client.open(&probe, Access::CreateNew).await;
        let handle = handle.map_err(|error| self.directory_error(&CREATE, error))?;
        let present = match self.use_probe(handle, &probe, &renamed).await {
            Ok(()) => renamed,
            Err(error) => {
                self.remove_quietly(&probe).await;
                return Err(error);
            }
        };
        let read = if verify == Verify::Readback { self.read_probe(&present).await } else { Ok(()) };
        let removed = match self.client.remove(&present).await {
            // Where files are fetched the moment they have their name, that is as it should be.
            Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => Ok(()),
            removed => removed.map_err(|error| self.directory_error(&REMOVE, error)),
        };
        read.and(removed)
    }

    /// Does with an empty file what is done with every file until it is published.
    async fn use_probe(&self, handle: Handle, probe: &str, renamed: &str) -> Result<(), DeliverError> {
        let measure = async {
            match self.settings.verify {
                Verify::None => Ok(()),
                Verify::Size | Verify::Readback => self.client.handle_stat(&handle).await.map(|_| ()),
            }
        };
        let (measured, closed) = tokio::join!(measure, self.client.close(&handle));
        closed.map_err(|error| self.directory_error(&CREATE, error))?;
        measured.map_err(|error| self.directory_error(&MEASURE, error))?;
        let outcome = match self.server().posix_rename {
            true => self.client.posix_rename(probe, renamed).await,
            false => self.client.rename(probe, renamed).await,
        };
        match outcome {
            Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => {
                Err(DeliverError::TakenEarly { at: self.at.clone() })
            }
            outcome => outcome.map_err(|error| self.directory_error(&RENAME, error)),
        }
    }

    async fn read_probe(&self, path: &str) -> Result<(), DeliverError> {
        let reading = async {
            let handle = self.client.open(path, Access::Read).await?;
            self.client.close(&handle).await
        };
        match reading.await {
            Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => Ok(()),
            outcome => outcome.map_err(|error| self.directory_error(&READ, error)),
        }
    }

    /// The two names that the probe of [`Session::check_directory`] has one after the other.
    pub fn probe_names(probe_name: &str) -> [String; 2] {
        [format!(".{probe_name}.part"), format!(".{probe_name}.renamed.part")]
    }

    /// The directory's absolute path, as the server resolves it.
    pub async fn absolute_directory(&self) -> Result<String, DeliverError> {
        let path = self.client.real_path(&self.at.directory).await;
        let path = path.map_err(|error| self.directory_error(&ENTER, error))?;
        Ok(plain(&String::from_utf8_lossy(&path)))
    }

    /// Describes a file; none if the name does not exist. A link is described as itself.
    pub async fn stat(&self, name: &str) -> Result<Option<RemoteFile>, DeliverError> {
        match self.client.link_stat(&self.path(name)).await {
            Ok(attributes) => Ok(Some(RemoteFile::new(name, attributes))),
            Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => Ok(None),
            Err(error) => Err(self.error(&format!("looking for {name}"), error)),
        }
    }

    /// Removes a file; one that does not exist is no error.
    pub async fn remove(&self, name: &str) -> Result<(), DeliverError> {
        match self.client.remove(&self.path(name)).await {
            Ok(()) | Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => Ok(()),
            Err(error) => Err(self.error(&format!("removing {name}"), error)),
        }
    }

    /// The temporary files whose names start with `prefix` (and end with `.part`), in the order of their names.
    pub async fn list_temporaries(&self, prefix: &str) -> Result<Vec<RemoteFile>, DeliverError> {
        let failed = |error| self.error("listing the directory", error);
        let handle = self.client.open_directory(&self.at.directory).await.map_err(failed)?;
        let mut found = Vec::new();
        loop {
            let names = self.client.read_directory(&handle).await.map_err(failed)?;
            if names.is_empty() {
                break;
            }
            for entry in names {
                // Ours are UTF-8 and one component; anything else is somebody else's.
                let Ok(name) = std::str::from_utf8(&entry.bytes) else { continue };
                if name.starts_with(prefix) && name.ends_with(".part") && !name.contains('/') {
                    found.push(RemoteFile::new(name, entry.attributes));
                }
            }
        }
        self.client.close(&handle).await.map_err(failed)?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Removes a path of ours as far as that is possible; a file that stays is found again by its name.
    pub(super) async fn remove_quietly(&self, path: &str) {
        let _ = self.client.remove(path).await;
    }

    /// Reads the first names of the directory.
    pub(super) async fn list_some(&self) -> Result<(), ClientError> {
        let handle = self.client.open_directory(&self.at.directory).await?;
        let listed = self.client.read_directory(&handle).await;
        let closed = self.client.close(&handle).await;
        listed.and(closed)
    }

    fn directory_error(&self, action: &Action, error: ClientError) -> DeliverError {
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

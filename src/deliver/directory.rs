//! The destination's directory: whether it can be used, what is in it, and taking our own files out of it.

use super::error::{DeliverError, plain, status_text};
use super::session::Session;
use super::sftp::{Access, Attributes, ClientError, Code, Status};

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

impl Session {
    /// Makes sure that the directory exists and that files can be listed, made, renamed and removed in it.
    ///
    /// An empty file comes and goes under the [`Session::probe_names`] of `probe_name`; leftovers of those names are
    /// removed first.
    pub async fn check_directory(&self, probe_name: &str) -> Result<(), DeliverError> {
        let directory = self.at.directory.as_str();
        let attributes = self.client.stat(directory).await.map_err(|error| self.directory_error("enter it", error))?;
        if attributes.is_directory() == Some(false) {
            return Err(DeliverError::NotADirectory { at: self.at.clone() });
        }
        self.check_listing(directory).await.map_err(|error| self.directory_error("list it", error))?;
        let [probe, renamed] = Session::probe_names(probe_name).map(|name| self.path(&name));
        for leftover in [&probe, &renamed] {
            self.remove_quietly(leftover).await;
        }
        let handle = self.client.open(&probe, Access::CreateNew).await;
        let handle = handle.map_err(|error| self.directory_error("create files in it", error))?;
        self.client.close(&handle).await.map_err(|error| self.directory_error("create files in it", error))?;
        let present = match self.rename_probe(&probe, &renamed).await {
            Ok(()) => renamed,
            Err(error) => {
                self.remove_quietly(&probe).await;
                return Err(self.directory_error("rename files in it", error));
            }
        };
        self.client.remove(&present).await.map_err(|error| self.directory_error("remove files from it", error))
    }

    /// The two names that the probe of [`Session::check_directory`] has one after the other.
    pub fn probe_names(probe_name: &str) -> [String; 2] {
        [format!(".{probe_name}.part"), format!(".{probe_name}.renamed.part")]
    }

    /// The directory's absolute path, as the server resolves it.
    pub async fn absolute_directory(&self) -> Result<String, DeliverError> {
        let path = self.client.real_path(&self.at.directory).await;
        let path = path.map_err(|error| self.directory_error("enter it", error))?;
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

    async fn check_listing(&self, directory: &str) -> Result<(), ClientError> {
        let handle = self.client.open_directory(directory).await?;
        self.client.read_directory(&handle).await?;
        self.client.close(&handle).await
    }

    async fn rename_probe(&self, from: &str, to: &str) -> Result<(), ClientError> {
        match self.server().posix_rename {
            true => self.client.posix_rename(from, to).await,
            false => self.client.rename(from, to).await,
        }
    }

    fn directory_error(&self, action: &'static str, error: ClientError) -> DeliverError {
        let at = self.at.clone();
        match error {
            ClientError::Status(Status { code: Code::NoSuchFile, .. }) => DeliverError::DirectoryMissing { at },
            ClientError::Status(status) => {
                let cause = status_text(&status);
                let denied = matches!(status.code, Code::PermissionDenied | Code::WriteProtected | Code::Unsupported);
                // A bare failure may pass, for instance when somebody makes space; the next try finds out.
                match denied {
                    true => DeliverError::DirectoryDenied { at, action, cause },
                    false => DeliverError::Failed { at, step: format!("checking whether it can {action}"), cause },
                }
            }
            error => self.error("checking the directory", error),
        }
    }
}

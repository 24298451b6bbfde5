//! The destination's directory: what is in it, and taking our own files out of it.

use super::error::{DeliverError, plain};
use super::probe::ENTER;
use super::session::{Session, path_in};
use super::sftp::{Attributes, ClientError, Code, Status};

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
        self.remove_in(&self.at.directory, name).await
    }

    /// The same in another directory of the server.
    pub async fn remove_in(&self, directory: &str, name: &str) -> Result<(), DeliverError> {
        match self.client.remove(&path_in(directory, name)).await {
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
}

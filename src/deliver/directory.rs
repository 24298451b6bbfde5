//! The destination's directory: what is in it, and taking our own files out of it.

use super::error::DeliverError;
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
    /// Describes a file; none if the name does not exist. A link is described as itself.
    pub async fn stat(&self, name: &str) -> Result<Option<RemoteFile>, DeliverError> {
        match self.client.link_stat(&self.path(name)).await {
            Ok(attributes) => Ok(Some(RemoteFile::new(name, attributes))),
            Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => Ok(None),
            Err(error) => Err(self.error(&format!("looking for {name}"), error)),
        }
    }

    /// As [`Delivery::remove`](super::Delivery::remove).
    pub async fn remove(&self, directory: Option<&str>, name: &str) -> Result<(), DeliverError> {
        let directory = directory.unwrap_or(&self.at.directory);
        match self.client.remove(&path_in(directory, name)).await {
            Ok(()) | Err(ClientError::Status(Status { code: Code::NoSuchFile, .. })) => Ok(()),
            Err(error) => Err(self.error(&format!("removing {name}"), error)),
        }
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

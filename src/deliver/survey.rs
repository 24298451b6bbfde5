//! What a server can and can't do, found out by trying, for people who set a job up.

use super::error::DeliverError;
use super::probe::{Probe, probe_names};
use super::session::{ServerFacts, Session};
use super::sftp::{Access, ClientError};

/// What a server can do in the destination's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// What it says of itself.
    pub facts: ServerFacts,
    /// The biggest write that it takes, in bytes, if it tells (`limits@openssh.com`).
    pub write_limit: Option<u64>,
    /// Bytes that the user may still write, if it tells (`statvfs@openssh.com`).
    pub free: Option<u64>,
    /// It describes files and directories.
    pub stat: bool,
    /// It lists the directory.
    pub list: bool,
    /// It lets a second file be open beside the first; none if that was not tried.
    pub several_handles: Option<bool>,
    /// It lets files be removed; none if that was not tried.
    pub remove: Option<bool>,
}

impl Session {
    /// Finds out what the server can do. The directory must have passed [`Session::check`] with the same `probe`, of which
    /// `left` became. Its names are used again, and nothing more of it stays than before.
    pub async fn survey(&self, probe: &str, left: &Probe) -> Result<Survey, DeliverError> {
        let directory = self.at.directory.as_str();
        let stat = self.grants(self.client.stat(directory).await.map(|_| ()))?;
        let list = self.grants(self.list_some().await)?;
        let free = match self.server().statvfs {
            true => self.client.space(directory).await.ok().map(|space| space.free),
            false => None,
        };
        let (several_handles, remove) = match left {
            // Whatever is made stays.
            Probe::NotMade => (None, None),
            Probe::Removed => (Some(self.try_two_handles(probe_names(probe)).await?), Some(true)),
            // Another file would stay as well, so the one that is there is opened twice.
            Probe::Kept { name, .. } => (Some(self.try_two_handles([name.clone(), name.clone()]).await?), Some(false)),
        };
        let write_limit = self.write_limit().await;
        Ok(Survey { facts: self.server().clone(), write_limit, free, stat, list, several_handles, remove })
    }

    async fn try_two_handles(&self, names: [String; 2]) -> Result<bool, DeliverError> {
        let [one, other] = names.map(|name| self.path(&name));
        let trying = async {
            let first = self.client.open(&one, Access::Create).await?;
            let second = self.client.open(&other, Access::Create).await;
            if let Ok(second) = &second {
                self.client.close(second).await?;
            }
            self.client.close(&first).await?;
            Ok(second.map(|_| ()))
        };
        let tried = trying.await;
        for name in [&one, &other] {
            self.remove_quietly(name).await;
        }
        match tried {
            Ok(second) => self.grants(second),
            Err(error) => Err(self.error("opening two files", error)),
        }
    }

    /// Whether the server did what it was asked for. Only the end of the session is an error.
    fn grants(&self, outcome: Result<(), ClientError>) -> Result<bool, DeliverError> {
        match outcome {
            Ok(()) => Ok(true),
            Err(ClientError::Status(_)) => Ok(false),
            Err(error) => Err(self.error("finding out what the server can do", error)),
        }
    }
}

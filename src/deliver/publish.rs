//! Renames an uploaded file to its final name in one step, and finds out whether that has happened if the reply was lost.

use super::error::DeliverError;
use super::session::Session;
use super::sftp::{ClientError, Code, Status};
use crate::job::{Publish, Verify};

/// What both names say about a rename whose reply was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishOutcome {
    /// It has happened.
    Published,
    /// It has not happened; the temporary file is still there, so publishing again is right.
    NotPublished,
    /// Another file has the final name and may not be replaced.
    Conflict,
    /// Neither name is there, or the final one has another size: somebody took or changed the file.
    Gone,
}

impl Session {
    /// Whether there is a file of this name. A server that does not let us look says no.
    pub(super) async fn is_taken(&self, name: &str) -> Result<bool, DeliverError> {
        match self.client.link_stat(&self.path(name)).await {
            Ok(_) => Ok(true),
            Err(ClientError::Status(_)) => Ok(false),
            Err(error) => Err(self.error(&format!("looking for {name}"), error)),
        }
    }

    /// Renames an uploaded file to its final name.
    ///
    /// `Replace` takes the place of an existing file, or link, in one step; where the server can't do that it is an
    /// error, unless `allow_gap` accepts a moment without the file. `Refuse` keeps an existing file.
    ///
    /// # Errors
    /// `PublishUnknown` if the reply was lost: connect again and [settle](Session::settle) it.
    pub async fn publish(
        &self,
        temporary: &str,
        name: &str,
        publish: Publish,
        allow_gap: bool,
    ) -> Result<(), DeliverError> {
        let (from, to) = (self.path(temporary), self.path(name));
        let outcome = match publish {
            // It was uploaded under its final name.
            Publish::Direct => return Ok(()),
            Publish::Refuse => {
                // Most servers refuse by themselves, but the protocol's own rename replaces on some.
                if self.settings.verify != Verify::None && self.stat(name).await?.is_some() {
                    return Err(self.name_taken(name));
                }
                self.client.rename(&from, &to).await
            }
            Publish::Replace if self.server().posix_rename => self.client.posix_rename(&from, &to).await,
            Publish::Replace if allow_gap => {
                self.remove(None, name).await?;
                self.client.rename(&from, &to).await
            }
            Publish::Replace => return Err(DeliverError::CannotReplace { at: self.at.clone() }),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(self.explain_publish(temporary, name, publish, error).await),
        }
    }

    /// Finds out, by looking at both names, whether a publish with a lost reply has happened.
    ///
    /// A server that died between the two halves of a `Refuse` rename leaves the file under both names; then the
    /// contents are compared and the temporary name is removed. With `verify = "none"` only the temporary name is tried:
    /// nobody else knows it, so if it is gone, the rename is what has taken it away.
    pub async fn settle(
        &self,
        temporary: &str,
        name: &str,
        expected_size: u64,
        publish: Publish,
    ) -> Result<PublishOutcome, DeliverError> {
        if self.settings.verify == Verify::None {
            let is_up = self.is_there(temporary).await?;
            return Ok(if is_up { PublishOutcome::NotPublished } else { PublishOutcome::Published });
        }
        let (uploaded, published) = (self.stat(temporary).await?, self.stat(name).await?);
        let fits = |size: Option<u64>| size == Some(expected_size);
        match (uploaded, published) {
            (Some(_), None) => Ok(PublishOutcome::NotPublished),
            (Some(_), Some(_)) if publish == Publish::Replace => Ok(PublishOutcome::NotPublished),
            (Some(_), Some(file)) => {
                if !fits(file.size) || !self.same_content(temporary, name, expected_size).await? {
                    return Ok(PublishOutcome::Conflict);
                }
                match self.remove(None, temporary).await {
                    // The file has its name, whatever becomes of the other one.
                    Err(error @ (DeliverError::Denied { .. } | DeliverError::Failed { .. })) => {
                        tracing::warn!("a second, hidden name of {name} stays: {error}");
                    }
                    removed => removed?,
                }
                Ok(PublishOutcome::Published)
            }
            (None, Some(file)) if fits(file.size) => Ok(PublishOutcome::Published),
            (None, _) => Ok(PublishOutcome::Gone),
        }
    }

    async fn explain_publish(&self, temporary: &str, name: &str, publish: Publish, error: ClientError) -> DeliverError {
        let at = self.at.clone();
        let status = match error {
            ClientError::Status(status) => status,
            unknown => {
                let cause = match self.error("", unknown) {
                    DeliverError::Lost { cause, .. } => cause,
                    _ => "the server stopped answering".to_owned(),
                };
                return DeliverError::PublishUnknown { at, name: name.to_owned(), cause };
            }
        };
        match status.code {
            Code::AlreadyExists if publish == Publish::Refuse => return self.name_taken(name),
            Code::Failure if publish == Publish::Refuse => {
                if let Ok(Some(_)) = self.stat(name).await {
                    return self.name_taken(name);
                }
            }
            Code::NoSuchFile => {
                return DeliverError::TemporaryGone { at, name: temporary.to_owned() };
            }
            _ => {}
        }
        self.error(&format!("publishing {name}"), ClientError::Status(Status { ..status }))
    }

    fn name_taken(&self, name: &str) -> DeliverError {
        DeliverError::NameTaken { at: self.at.clone(), name: name.to_owned() }
    }
}

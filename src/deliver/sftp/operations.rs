//! What an SFTP client can ask for, one function for each request.
//!
//! A reply of the wrong type is a breach of the protocol, and never taken for success.

use bytes::Bytes;

use super::client::{Client, ClientError, Ticket};
use super::reply::{self, Attributes, Code, Handle, Name, Reply, ServerLimits, Space};
use super::request::{Access, Request, WRITE_OVERHEAD};

const WRONG_TYPE: ClientError = ClientError::Protocol("an answer of the wrong type");

/// The last requests of an upload, in flight.
pub struct Finish {
    sync: Option<Ticket>,
    stat: Option<Ticket>,
    close: Ticket,
}

impl Finish {
    /// The size of the closed file, if it was asked for and told; the inner error is that of asking. The upload has failed
    /// if any of the requests has.
    pub async fn outcome(self) -> Result<Result<Option<u64>, ClientError>, ClientError> {
        let synced = match self.sync {
            Some(ticket) => ticket.done().await,
            None => Ok(()),
        };
        let size = match self.stat {
            Some(ticket) => ticket.reply().await.and_then(attributes).map(|attributes| attributes.size),
            None => Ok(None),
        };
        // Awaited in any case: what comes after a failure must not overtake the close.
        let closed = self.close.done().await;
        synced.and(closed)?;
        Ok(size)
    }
}

impl Ticket {
    /// Waits for the bytes of a read of up to `length`; none at the end of the file.
    pub async fn data(self, length: u32) -> Result<Vec<u8>, ClientError> {
        match self.reply().await {
            Ok(Reply::Data(data)) if data.len() <= length as usize => Ok(data),
            Ok(_) => Err(WRONG_TYPE),
            Err(error) if is_end(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

impl Client {
    /// Opens a file.
    pub async fn open(&self, path: &str, access: Access) -> Result<Handle, ClientError> {
        handle(self.call(Request::Open { path, access }).await?)
    }

    /// Closes a file or a directory; only now a write is known to have succeeded.
    pub async fn close(&self, handle: &Handle) -> Result<(), ClientError> {
        self.send(Request::Close(handle)).await?.done().await
    }

    /// Reads up to `length` bytes; none at the end of the file.
    pub async fn read(&self, handle: &Handle, offset: u64, length: u32) -> Result<Vec<u8>, ClientError> {
        self.start_read(handle, offset, length).await?.data(length).await
    }

    /// Puts a read of up to `length` bytes on its way.
    pub async fn start_read(&self, handle: &Handle, offset: u64, length: u32) -> Result<Ticket, ClientError> {
        self.send(Request::Read { handle, offset, length }).await
    }

    /// Puts a write on its way; it is done when its ticket says so.
    pub async fn write(&self, handle: &Handle, offset: u64, data: Bytes) -> Result<Ticket, ClientError> {
        self.send(Request::Write { handle, offset, data }).await
    }

    /// Asks the server to bring a file to its disk; done when the ticket says so.
    pub async fn sync(&self, handle: &Handle) -> Result<Ticket, ClientError> {
        self.send(Request::Sync(handle)).await
    }

    /// Asks for the last things of an upload at once: the bytes on the server's disk (if `sync`), the size (if `stat`),
    /// and the close, which the server does in this order. The handle is void from here on.
    pub async fn finish(&self, handle: Handle, sync: bool, stat: bool) -> Result<Finish, ClientError> {
        let sync = match sync {
            true => Some(self.sync(&handle).await?),
            false => None,
        };
        let stat = match stat {
            true => Some(self.send(Request::HandleStat(&handle)).await?),
            false => None,
        };
        let close = self.send(Request::Close(&handle)).await?;
        Ok(Finish { sync, stat, close })
    }

    /// The most data bytes a write to `handle` may carry in a packet of `packet` bytes, its length field included.
    pub fn write_size(handle: &Handle, packet: usize) -> usize {
        packet.saturating_sub(WRITE_OVERHEAD + handle.0.len()).max(1)
    }

    /// Describes an open file.
    pub async fn handle_stat(&self, handle: &Handle) -> Result<Attributes, ClientError> {
        attributes(self.call(Request::HandleStat(handle)).await?)
    }

    /// Describes what a name leads to.
    pub async fn stat(&self, path: &str) -> Result<Attributes, ClientError> {
        attributes(self.call(Request::Stat(path)).await?)
    }

    /// Describes a name, a link as itself.
    pub async fn link_stat(&self, path: &str) -> Result<Attributes, ClientError> {
        attributes(self.call(Request::LinkStat(path)).await?)
    }

    /// Opens a directory for listing.
    pub async fn open_directory(&self, path: &str) -> Result<Handle, ClientError> {
        handle(self.call(Request::OpenDirectory(path)).await?)
    }

    /// The next names of a directory; none when all have been told.
    pub async fn read_directory(&self, handle: &Handle) -> Result<Vec<Name>, ClientError> {
        match self.call(Request::ReadDirectory(handle)).await {
            Ok(Reply::Names(names)) => Ok(names),
            Ok(_) => Err(WRONG_TYPE),
            Err(error) if is_end(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Removes a file, or a link and not its target.
    pub async fn remove(&self, path: &str) -> Result<(), ClientError> {
        self.send(Request::Remove(path)).await?.done().await
    }

    /// Renames; servers refuse if the new name exists.
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), ClientError> {
        self.send(Request::Rename { from, to }).await?.done().await
    }

    /// Renames and takes the place of what was there, in one step.
    pub async fn posix_rename(&self, from: &str, to: &str) -> Result<(), ClientError> {
        self.send(Request::PosixRename { from, to }).await?.done().await
    }

    /// The room on the file system that holds `path`.
    pub async fn space(&self, path: &str) -> Result<Space, ClientError> {
        match self.call(Request::Space(path)).await? {
            Reply::Extended(answer) => Ok(reply::decode_space(&answer)?),
            _ => Err(WRONG_TYPE),
        }
    }

    /// The sizes that the server can take.
    pub async fn limits(&self) -> Result<ServerLimits, ClientError> {
        match self.call(Request::Limits).await? {
            Reply::Extended(answer) => Ok(reply::decode_limits(&answer)?),
            _ => Err(WRONG_TYPE),
        }
    }
}

fn handle(reply: Reply) -> Result<Handle, ClientError> {
    match reply {
        Reply::Handle(handle) => Ok(handle),
        _ => Err(WRONG_TYPE),
    }
}

fn attributes(reply: Reply) -> Result<Attributes, ClientError> {
    match reply {
        Reply::Attributes(attributes) => Ok(attributes),
        _ => Err(WRONG_TYPE),
    }
}

fn is_end(error: &ClientError) -> bool {
    matches!(error, ClientError::Status(status) if status.code == Code::Eof)
}

//! An SSH channel as the wire of an SFTP session.

use std::io;

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::AsyncRead;

use crate::deliver::sftp::{Incoming, Outgoing, Wire};

impl Wire for Channel<Msg> {
    type Incoming = ChannelReadHalf;
    type Outgoing = ChannelWriteHalf<Msg>;

    fn split(self) -> (ChannelReadHalf, ChannelWriteHalf<Msg>) {
        Channel::split(self)
    }
}

impl Incoming for ChannelReadHalf {
    fn reader(&mut self) -> impl AsyncRead + Unpin + Send + '_ {
        self.make_reader()
    }
}

impl Outgoing for ChannelWriteHalf<Msg> {
    async fn put(&mut self, bytes: Bytes) -> io::Result<()> {
        self.data_bytes(bytes).await.map_err(ended)
    }

    /// The connection sends what it has as soon as it can.
    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn end(&mut self) -> io::Result<()> {
        self.eof().await.map_err(ended)?;
        self.close().await.map_err(ended)
    }
}

fn ended(_: russh::Error) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "channel closed")
}

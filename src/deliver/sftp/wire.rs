//! Wires: what carries the bytes of a session. A stream copies them; a channel takes them as they are.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

/// A way to a server and back.
pub trait Wire: Send + 'static {
    /// The way back.
    type Incoming: Incoming;
    /// The way there.
    type Outgoing: Outgoing;

    /// Its two halves, which work at the same time.
    fn split(self) -> (Self::Incoming, Self::Outgoing);
}

/// What the server says.
pub trait Incoming: Send + 'static {
    /// As a stream of bytes. To be asked for once.
    fn reader(&mut self) -> impl AsyncRead + Unpin + Send + '_;
}

/// What is said to the server.
pub trait Outgoing: Send + 'static {
    /// Sends bytes as soon as there is room for all of them on the way.
    fn put(&mut self, bytes: Bytes) -> impl Future<Output = io::Result<()>> + Send;

    /// Makes sure that what was put is on its way.
    fn flush(&mut self) -> impl Future<Output = io::Result<()>> + Send;

    /// Says that there will be no more.
    fn end(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}

/// Any stream, such as the pipe of a process.
pub struct Stream<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Send + 'static> Wire for Stream<S> {
    type Incoming = ReadHalf<S>;
    type Outgoing = WriteHalf<S>;

    fn split(self) -> (ReadHalf<S>, WriteHalf<S>) {
        tokio::io::split(self.0)
    }
}

impl<S: AsyncRead + Send + 'static> Incoming for ReadHalf<S> {
    fn reader(&mut self) -> impl AsyncRead + Unpin + Send + '_ {
        self
    }
}

impl<S: AsyncWrite + Send + 'static> Outgoing for WriteHalf<S> {
    async fn put(&mut self, bytes: Bytes) -> io::Result<()> {
        self.write_all(&bytes).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        AsyncWriteExt::flush(self).await
    }

    async fn end(&mut self) -> io::Result<()> {
        self.shutdown().await
    }
}

//! A client for SFTP version 3 over any byte stream: an SSH channel, or the pipe of a bare `sftp-server`.
//!
//! Written here rather than taken from a crate because a delivery needs what the crates at hand leave out: handles
//! kept as opaque bytes, the status code of every failed write, a limit on silence instead of a timeout that starts
//! while a request still waits in a queue, a bound on requests in flight, `posix-rename@openssh.com`, and an fsync
//! that is either done or reported as missing. Deliberately absent: protocol versions above 3, symbolic links,
//! changing attributes.

mod client;
#[cfg(test)]
mod fuzz;
mod operations;
mod reply;
mod request;
mod wire;

pub use client::{Client, ClientError, ClientSettings, Ticket};
pub use reply::{Attributes, Code, Handle, Status};
pub use request::Access;
pub use wire::{Incoming, Outgoing, Wire};

//! What tests stand on: real servers on free ports, started by the tests themselves.

pub mod daemon;
pub mod databases;
pub mod jobs;
pub mod sftp_pipe;
pub mod sshd;

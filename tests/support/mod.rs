//! What tests stand on: real servers on free ports, started by the tests themselves.

pub mod databases;
pub mod sshd;

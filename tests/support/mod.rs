//! What tests stand on: real servers on free ports, started by the tests themselves.

pub mod certificates;
pub mod counted;
pub mod daemon;
pub mod databases;
pub mod distance;
pub mod drafted;
pub mod encoded;
pub mod false_clock;
pub mod hook;
pub mod jobs;
pub mod night;
pub mod oracle;
pub mod presenter;
pub mod program;
pub mod proxy;
pub mod relay;
pub mod screen;
pub mod servers;
pub mod service;
pub mod sftp_pipe;
pub mod shop;
pub mod sshd;
pub mod standby;
pub mod storm;
pub mod unit;
pub mod users;

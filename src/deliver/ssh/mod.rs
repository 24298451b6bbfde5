//! SSH: a verified server, an authenticated user, and a channel for SFTP.
//!
//! Deliberately absent: passwords, agents, forwarding of any kind, trust on first use.

mod connect;
mod hostkey;
mod key;
mod known_hosts;
mod login;
mod policy;
mod scan;
mod verifier;
mod wire;

pub use connect::{Connection, Deadlines};
pub use hostkey::{HostKey, check_known_hosts};
pub use key::{PublicKeyLine, generate_key, read_public_key};
pub use scan::scan_host_keys;

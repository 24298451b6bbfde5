//! Contracts: one suite for all stores, one for all formats, one for all destinations.

mod config;
mod config_catalogue;
mod config_faults;
mod config_files;
mod config_paths;
mod daemon;
mod daemon_beside_commands;
mod daemon_dies;
mod daemon_many;
mod daemon_reload;
pub mod destination;
mod destination_directory;
mod destination_faults;
mod destination_growing;
mod destination_login;
pub mod destination_verify;
mod draft;
pub mod format;
mod pool;
mod sample;
mod schedule;
mod schema;
mod servers;
mod servers_odd;
mod state;
mod state_durable;
mod store;

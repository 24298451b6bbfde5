//! Contracts: one suite for all stores, one for all formats, one for all destinations.

mod config;
mod daemon;
mod destination;
mod format;
mod schedule;
mod state;
mod store;

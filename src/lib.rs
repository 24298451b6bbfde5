//! `exportd` takes datasets out of a SQL database on schedule and puts whole, correct files on an SFTP server.
//!
//! The modules in the order of their layers; each imports only from those above it:
//!
//! - [`wording`], how a few values are written everywhere;
//! - [`failpoint`], where tests break it, and [`tuning`], the sizes and thresholds that they can change;
//! - [`access`], which says whose a file is that may not be used;
//! - the vocabulary, without I/O: [`words`], [`value`], [`instant`], [`catalogue`], [`secret`], [`name`], [`job`], [`period`],
//!   [`schedule`], [`run`], [`plan`], [`definition`], [`clearance`], [`progress`], [`growth`];
//! - [`tls`] tells which servers are trusted, in plain words, for the adapters that speak it;
//! - the adapters, which know the vocabulary and not each other: [`store`] reads rows, [`encode`] turns them into
//!   bytes, [`spool`] keeps finished files, [`deliver`] puts them on a server, [`state`] remembers every run;
//! - [`pipeline`] joins encoder and spool: rows in, a finished file or zip out;
//! - [`config`] turns text into jobs that are valid by construction;
//! - [`draft`] writes a catalogue for a database that has none;
//! - [`export`] carries out one run, [`daemon`] decides when;
//! - [`sample`] and [`demo`] show it all with nothing installed;
//! - [`cli`] is what people type.

pub mod access;
pub mod catalogue;
pub mod clearance;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod definition;
pub mod deliver;
pub mod demo;
pub mod digest;
pub mod draft;
pub mod encode;
pub mod export;
pub mod failpoint;
#[cfg(test)]
#[path = "../tests/fuzz/mod.rs"]
mod fuzz;
pub mod growth;
pub mod instant;
pub mod job;
pub mod name;
pub mod notify;
pub mod period;
pub mod pipeline;
pub mod plan;
pub mod progress;
pub mod run;
pub mod sample;
pub mod schedule;
pub mod secret;
pub mod spool;
pub mod state;
pub mod store;
pub mod tls;
pub mod tuning;
pub mod value;
pub mod wording;
pub mod words;

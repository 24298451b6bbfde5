//! Stories: the program as a whole, as its users meet it.

mod check_connect;
mod crash;
mod daemon;
mod demo;
mod destination_at_fault;
mod disk;
mod distance;
mod fastpaths;
mod first_export;
mod history;
mod init;
mod interrupt;
mod keys;
mod kills;
mod notify;
mod outage;
mod overlap;
mod plan;
mod redeliver;
mod report;
mod secrecy;
mod servers;
mod status;
mod stop;
mod sweep;
mod three_stores;

//! Stories: the program as a whole, as its users meet it.

mod check_connect;
mod crash;
mod daemon;
mod demo;
mod destination_at_fault;
mod disk;
mod first_export;
mod history;
mod init;
mod interrupt;
mod outage;
mod overlap;
mod redeliver;
mod report;
mod secrecy;
mod status;
mod stop;
mod three_stores;

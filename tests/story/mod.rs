//! Stories: the program as a whole, as its users meet it.

mod check_connect;
mod crash;
mod daemon;
mod demo;
mod destination_at_fault;
mod first_export;
mod secrecy;
mod three_stores;

//! All integration tests, in one binary: contracts that every implementor keeps, stories that read like the manual.

mod contract;
mod story;
mod support;

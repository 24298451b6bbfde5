//! All integration tests, in one binary: contracts that every implementor keeps, stories that read like the manual.

// Helpers of tests are tests too: what they can't do without is a failure, and says so by panicking.
#![allow(clippy::unwrap_used)]

mod contract;
mod policy;
mod story;
mod support;
mod tidy;

//! `ca`: the file of certificates that a server's must lead to.

use std::path::PathBuf;

use super::context::Context;
use super::fault::Fault;
use super::table::Item;
use crate::tls::Trusted;

/// Reads the path; the certificates too, if somebody asks whether the configuration works on this machine.
pub(super) fn read(item: &Item<'_>, context: &Context<'_>) -> Option<PathBuf> {
    let path = item.path(&context.from.base_dir)?;
    if context.from.looks_around
        && let Err(cause) = Trusted::read(&path)
    {
        item.fault(Fault::new(format!("the certificates of {} can't be used", path.display())).label(cause));
        return None;
    }
    Some(path)
}

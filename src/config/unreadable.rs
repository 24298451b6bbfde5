//! Files that can't be read: the fault, and the reason in words.

use std::path::Path;

use super::fault::Fault;
use crate::access::{self, Denied};
use crate::wording::io_error;

/// The fault of `subject`, the file at `path`, that it can't be read; whose it is, if that is the reason.
pub(super) fn unreadable(subject: &str, path: &Path, error: &std::io::Error) -> Fault {
    if access::is_denied(error) {
        let denied = Denied::at(path);
        return Fault::new(format!("{subject} can't be read: {}", denied.what())).help(denied.remedy());
    }
    Fault::new(format!("{subject} can't be read")).label(io_error(error))
}

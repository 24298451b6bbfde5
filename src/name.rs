//! File names: a template of the job, filled from the due time, made safe for any server.

/// A compiled template of file names.
#[derive(Clone, Debug)]
pub struct NameTemplate;

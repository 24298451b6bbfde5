//! The check of a finished zip: another reader must find in its directory what was written.
//!
//! Only the directory is read, so the check costs as little for a large zip as for a small one.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::Member;
use crate::pipeline::PipelineError;
use crate::spool::{Artifact, Contents, FileWriter, SpoolError};

/// A zip that is written to its end and not checked yet.
#[derive(Debug)]
pub(in crate::pipeline) struct Unchecked {
    pub(super) file: FileWriter,
    pub(super) members: Vec<Member>,
}

/// Why a zip can't be used.
#[derive(Debug)]
pub(super) enum BadZip {
    /// The disk fails.
    Unreadable(io::Error),
    /// It is not what was written; in words.
    Differs(String),
}

impl Unchecked {
    /// Checks the directory and brings the zip to disk. Unless all of it is as it was written, there is no file.
    pub(in crate::pipeline) fn finish(mut self, contents: Contents) -> Result<Artifact, PipelineError> {
        self.file.flush()?;
        let checked = File::open(self.file.path()).map_err(BadZip::Unreadable);
        let checked = checked.and_then(|file| compare(BufReader::new(file), &self.members));
        let name = self.file.name().to_owned();
        match checked {
            Ok(()) => Ok(self.file.finish(contents)?),
            Err(BadZip::Unreadable(source)) => Err(SpoolError::File { name, source }.into()),
            Err(BadZip::Differs(difference)) => Err(PipelineError::BadZip { name, difference }),
        }
    }
}

/// Compares the directory of `zip` with the members that were written.
pub(super) fn compare(zip: impl Read + Seek, members: &[Member]) -> Result<(), BadZip> {
    let zip = ZipArchive::new(zip).map_err(unreadable)?;
    if zip.len() != members.len() {
        return Err(BadZip::Differs(format!("{} members instead of {}", zip.len(), members.len())));
    }
    for (index, member) in members.iter().enumerate() {
        let found = zip.by_index_data(index).map_err(unreadable)?;
        if found.name_raw() != member.name.as_bytes() {
            return Err(BadZip::Differs(format!("another name of {}", member.name)));
        }
        let facts = [
            ("position", found.header_start(), member.header_at),
            ("compressed size", found.compressed_size(), member.compressed),
            ("size", found.size(), member.content.size),
            ("CRC", found.crc32().into(), member.content.crc.into()),
        ];
        if let Some((fact, found, written)) = facts.into_iter().find(|(_, found, written)| found != written) {
            return Err(BadZip::Differs(format!("{fact} of {} {found} instead of {written}", member.name)));
        }
    }
    Ok(())
}

/// An error of the system is about the disk; all others are about what is on it.
fn unreadable(error: ZipError) -> BadZip {
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => BadZip::Unreadable(error),
        error => BadZip::Differs(error.to_string()),
    }
}

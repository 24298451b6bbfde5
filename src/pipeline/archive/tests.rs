//! Tests of the container: another reader finds every member, beyond 4 GiB too, and sees every damage of a directory.

use std::fs::{self, File};
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use zip::ZipArchive;

use super::check::{BadZip, compare};
use super::*;
use crate::pipeline::PipelineError;
use crate::run::RunId;
use crate::spool::{Contents, RunFolder, Spool};

const GIB: u64 = 1 << 30;

/// An empty deflate stream.
const NOTHING: &[u8] = &[3, 0];

/// One block of deflate that stores `text` as it is.
fn stored(text: &[u8]) -> Vec<u8> {
    let length = text.len() as u16;
    [&[1], &length.to_le_bytes()[..], &(!length).to_le_bytes()[..], text].concat()
}

fn folder() -> (tempfile::TempDir, RunFolder) {
    let state = tempfile::tempdir().unwrap();
    let folder = Spool::open(state.path()).unwrap().run(&RunId::from_stored("run1")).unwrap();
    (state, folder)
}

/// A zip with two members and `gap` bytes between them, of which the file has none yet.
struct TwoMembers {
    bytes: Vec<u8>,
    /// Where the gap is to be.
    cut: usize,
    members: Vec<Member>,
}

fn two_members(gap: u64, first: Content) -> TwoMembers {
    let (_state, folder) = folder();
    let mut archive = Archive::new(folder.writer("all.zip").unwrap(), DosTime { date: 0x21, time: 0 });
    archive.begin("first.csv").unwrap();
    archive.append(NOTHING).unwrap();
    archive.written += gap;
    archive.end(first).unwrap();
    let cut = archive.written - gap;
    archive.begin("été.csv").unwrap();
    archive.append(&stored(b"id\n1\n")).unwrap();
    archive.end(Content { crc: crc32fast::hash(b"id\n1\n"), size: 5 }).unwrap();
    let Unchecked { mut file, members } = archive.finish().unwrap();
    file.flush().unwrap();
    TwoMembers { bytes: fs::read(file.path()).unwrap(), cut: cut as usize, members }
}

impl TwoMembers {
    /// The zip with a hole in the file for its gap.
    fn with_hole(&self, gap: u64) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&self.bytes[..self.cut]).unwrap();
        file.seek(SeekFrom::Current(gap as i64)).unwrap();
        file.write_all(&self.bytes[self.cut..]).unwrap();
        file
    }
}

fn second_text(zip: &mut ZipArchive<File>) -> String {
    let mut text = String::new();
    zip.by_name("été.csv").unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn small_zips_have_only_small_fields_in_their_directory() {
    let written = two_members(0, Content::default());
    let mut zip = ZipArchive::new(written.with_hole(0)).unwrap();
    assert_eq!(zip.len(), 2);
    assert_eq!(second_text(&mut zip), "id\n1\n");
    let directory = zip.central_directory_start() as usize;
    assert!(!written.bytes[directory..].windows(4).any(|field| field == [0xff; 4]), "a reference to 64 bits");
}

#[test]
fn sizes_and_places_beyond_4_gib_are_found() {
    for gap in [4 * GIB - 100, 5 * GIB] {
        let size = 6 * GIB;
        let written = two_members(gap, Content { crc: 7, size });
        compare(written.with_hole(gap), &written.members).unwrap();
        let mut zip = ZipArchive::new(written.with_hole(gap)).unwrap();
        assert_eq!(second_text(&mut zip), "id\n1\n");
        let first = zip.by_index_raw(0).unwrap();
        assert_eq!((first.size(), first.compressed_size(), first.crc32()), (size, gap + 2, 7));
    }
}

#[test]
fn values_that_look_like_references_become_ones() {
    assert_eq!(short(u64::from(SEE_ZIP64) - 1), Some(SEE_ZIP64 - 1));
    assert_eq!(short(u64::from(SEE_ZIP64)), None);
    assert_eq!(short(4 * GIB), None);
}

/// What a directory is said to have that does not belong to `members`.
fn difference(zip: &[u8], members: &[Member]) -> String {
    match compare(Cursor::new(zip), members) {
        Err(BadZip::Differs(difference)) => difference,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fact_of_a_directory_is_compared_with_what_was_written() {
    let TwoMembers { bytes, members, .. } = two_members(0, Content { crc: 7, size: 9 });
    let directory = bytes.windows(4).position(|bytes| bytes == 0x0201_4b50_u32.to_le_bytes()).unwrap();
    compare(Cursor::new(&bytes), &members).unwrap();
    // Places in the first entry of the directory (section 4.3.12).
    for (place, expected) in [
        (16, "CRC of first.csv 6 instead of 7"),
        (20, "compressed size of first.csv 3 instead of 2"),
        (24, "size of first.csv 8 instead of 9"),
        (42, "position of first.csv 1 instead of 0"),
        (46, "another name of first.csv"),
    ] {
        let mut damaged = bytes.clone();
        damaged[directory + place] ^= 1;
        assert_eq!(difference(&damaged, &members), expected);
    }
    assert_eq!(difference(&bytes, &members[..1]), "2 members instead of 1");
    assert!(!difference(&bytes[..bytes.len() - 1], &members).is_empty());
    assert!(!difference(b"", &members).is_empty());
}

#[test]
fn a_zip_that_differs_from_what_was_written_is_no_file() {
    let (_state, folder) = folder();
    let mut archive = Archive::new(folder.writer("all.zip").unwrap(), DosTime { date: 0x21, time: 0 });
    archive.begin("first.csv").unwrap();
    archive.append(NOTHING).unwrap();
    archive.end(Content::default()).unwrap();
    let mut unchecked = archive.finish().unwrap();
    unchecked.members[0].content.size += 1;
    let error = unchecked.finish(Contents::default()).unwrap_err();
    assert!(matches!(error, PipelineError::BadZip { .. }) && !error.is_passing(), "{error:?}");
    assert_eq!(
        error.to_string(),
        "all.zip is not the zip that was written; its directory has size of first.csv 0 instead of 1"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

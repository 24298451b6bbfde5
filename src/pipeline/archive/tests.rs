//! Tests of the container: another reader finds every member, beyond 4 GiB too.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};

use zip::ZipArchive;

use super::*;
use crate::run::RunId;
use crate::spool::{Contents, Spool};

const GIB: u64 = 1 << 30;

/// An empty deflate stream.
const NOTHING: &[u8] = &[3, 0];

/// One block of deflate that stores `text` as it is.
fn stored(text: &[u8]) -> Vec<u8> {
    let length = text.len() as u16;
    [&[1], &length.to_le_bytes()[..], &(!length).to_le_bytes()[..], text].concat()
}

/// A zip with two members and `gap` bytes between them, of which the file has none yet.
fn two_members(gap: u64, first: Content) -> (Vec<u8>, usize) {
    let state = tempfile::tempdir().unwrap();
    let folder = Spool::open(state.path()).unwrap().run(&RunId::from_stored("run1")).unwrap();
    let mut archive = Archive::new(folder.writer("all.zip").unwrap(), DosTime { date: 0x21, time: 0 });
    archive.begin("first.csv").unwrap();
    archive.append(NOTHING).unwrap();
    archive.written += gap;
    archive.end(first).unwrap();
    let cut = archive.written - gap;
    archive.begin("été.csv").unwrap();
    archive.append(&stored(b"id\n1\n")).unwrap();
    archive.end(Content { crc: crc32fast::hash(b"id\n1\n"), size: 5 }).unwrap();
    let artifact = archive.finish().unwrap().finish(Contents::default()).unwrap();
    (fs::read(artifact.path).unwrap(), cut as usize)
}

/// The zip with a hole in the file for its gap.
fn with_hole(bytes: &[u8], cut: usize, gap: u64) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes[..cut]).unwrap();
    file.seek(SeekFrom::Current(gap as i64)).unwrap();
    file.write_all(&bytes[cut..]).unwrap();
    file
}

fn second_text(zip: &mut ZipArchive<File>) -> String {
    let mut text = String::new();
    zip.by_name("été.csv").unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn small_zips_have_only_small_fields_in_their_directory() {
    let (bytes, cut) = two_members(0, Content::default());
    let mut zip = ZipArchive::new(with_hole(&bytes, cut, 0)).unwrap();
    assert_eq!(zip.len(), 2);
    assert_eq!(second_text(&mut zip), "id\n1\n");
    let directory = zip.central_directory_start() as usize;
    assert!(!bytes[directory..].windows(4).any(|field| field == [0xff; 4]), "a reference to 64 bits");
}

#[test]
fn sizes_and_places_beyond_4_gib_are_found() {
    for gap in [4 * GIB - 100, 5 * GIB] {
        let size = 6 * GIB;
        let (bytes, cut) = two_members(gap, Content { crc: 7, size });
        let mut zip = ZipArchive::new(with_hole(&bytes, cut, gap)).unwrap();
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

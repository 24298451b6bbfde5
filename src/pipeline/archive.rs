//! The container of a zip: a header before each member's data, its sizes after them, a directory at the end.
//!
//! It is written as a stream, without going back: nobody knows a member's size when it begins, so CRC and sizes follow
//! the data. They have 64 bits only where 32 are too few. Local headers promise neither: readers that start at the front,
//! Java's `ZipInputStream` among them, expect 32 bits of a member below 4 GiB, and 64 from there on.
//!
//! Deliberately absent: compression. The data of a member arrive as they are to be stored. Section numbers are those of
//! PKWARE's APPNOTE 6.3.10.

mod check;

use self::check::Unchecked;
use crate::spool::{FileWriter, SpoolError};

/// The versions of the format that know deflate (2.0) and 64-bit values (4.5).
const DEFLATE_VERSION: u16 = 20;
const ZIP64_VERSION: u16 = 45;

/// The host system in `version made by` that gives the permissions their meaning.
const MADE_ON_UNIX: u16 = 3 << 8;

/// CRC and sizes follow the data (bit 3), names are UTF-8 (bit 11).
const FLAGS: u16 = 1 << 3 | 1 << 11;

const DEFLATED: u16 = 8;
const ZIP64_EXTRA: u16 = 1;

/// A plain file that its owner may change and its group may read.
const MODE: u32 = 0o100_640;

/// Placeholder: the value is in the ZIP64 field.
const SEE_ZIP64: u32 = u32::MAX;

/// A zip being written to the spool, one member after the other.
#[derive(Debug)]
pub(super) struct Archive {
    file: FileWriter,
    written: u64,
    stamp: DosTime,
    members: Vec<Member>,
}

/// A time of a zip: a date and a time of day in 16 bits each, in steps of two seconds, without a zone (section 4.4.6).
#[derive(Clone, Copy, Debug)]
pub(super) struct DosTime {
    /// Years since 1980, month and day in 7, 4 and 5 bits.
    pub date: u16,
    /// Hours, minutes and half the seconds in 5, 6 and 5 bits.
    pub time: u16,
}

/// What a member's data are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Content {
    /// The CRC-32 of the uncompressed data.
    pub crc: u32,
    /// The size of the uncompressed data.
    pub size: u64,
}

#[derive(Debug)]
struct Member {
    name: String,
    header_at: u64,
    data_at: u64,
    compressed: u64,
    content: Content,
}

impl Archive {
    /// Starts a zip whose members all have the time `stamp`.
    pub(super) fn new(file: FileWriter, stamp: DosTime) -> Archive {
        Archive { file, written: 0, stamp, members: Vec::new() }
    }

    /// The zip's name.
    pub(super) fn name(&self) -> &str {
        self.file.name()
    }

    /// Begins a member. Its name has at most 65,535 bytes.
    pub(super) fn begin(&mut self, name: &str) -> Result<(), SpoolError> {
        let mut header = Record::new(0x0403_4b50);
        header.u16(DEFLATE_VERSION).u16(FLAGS).u16(DEFLATED).u16(self.stamp.time).u16(self.stamp.date);
        // No CRC and no sizes yet, and no extra field.
        header.u32(0).u32(0).u32(0).u16(name_length(name)).u16(0).bytes(name.as_bytes());
        let header_at = self.written;
        self.append(&header.bytes)?;
        let (data_at, name) = (self.written, name.to_owned());
        self.members.push(Member { name, header_at, data_at, compressed: 0, content: Content::default() });
        Ok(())
    }

    /// Appends data of the member that was begun last, raw deflate as it is to be stored.
    pub(super) fn append(&mut self, data: &[u8]) -> Result<(), SpoolError> {
        self.file.append(data)?;
        self.written += data.len() as u64;
        Ok(())
    }

    /// Ends the member that was begun last.
    pub(super) fn end(&mut self, content: Content) -> Result<(), SpoolError> {
        let member = self.members.last_mut().expect("a member is begun before it is ended");
        member.compressed = self.written - member.data_at;
        member.content = content;
        let mut descriptor = Record::new(0x0807_4b50);
        descriptor.u32(content.crc);
        match (short(member.compressed), short(content.size)) {
            (Some(compressed), Some(size)) => descriptor.u32(compressed).u32(size),
            _ => descriptor.u64(member.compressed).u64(content.size),
        };
        self.append(&descriptor.bytes)
    }

    /// Writes the directory.
    pub(super) fn finish(mut self) -> Result<Unchecked, SpoolError> {
        let (start, members) = (self.written, std::mem::take(&mut self.members));
        for member in &members {
            self.append(&member.directory_entry(self.stamp).bytes)?;
        }
        let end = end_of_directory(members.len() as u64, start, self.written);
        self.append(&end.bytes)?;
        Ok(Unchecked { file: self.file, members })
    }
}

impl Member {
    /// Section 4.3.12. Values that do not fit into 32 bits go to an extra field, in this order and alone.
    fn directory_entry(&self, stamp: DosTime) -> Record {
        let mut long = Record::default();
        let [size, compressed, header_at] = [self.content.size, self.compressed, self.header_at].map(|value| {
            short(value).unwrap_or_else(|| {
                long.u64(value);
                SEE_ZIP64
            })
        });
        let (mut extra, mut version) = (Record::default(), DEFLATE_VERSION);
        if !long.bytes.is_empty() {
            extra.u16(ZIP64_EXTRA).u16(long.bytes.len() as u16).bytes(&long.bytes);
            version = ZIP64_VERSION;
        }
        let mut entry = Record::new(0x0201_4b50);
        entry.u16(MADE_ON_UNIX | version).u16(version).u16(FLAGS).u16(DEFLATED);
        entry.u16(stamp.time).u16(stamp.date).u32(self.content.crc).u32(compressed).u32(size);
        // No comment, the first disk, no internal attributes; the mode is the upper half of the external ones.
        entry.u16(name_length(&self.name)).u16(extra.bytes.len() as u16).u16(0).u16(0).u16(0);
        entry.u32(MODE << 16).u32(header_at).bytes(self.name.as_bytes()).bytes(&extra.bytes);
        entry
    }
}

/// The end of a directory that lies from `start` to `end`, with its 64-bit form before it if anything asks for that
/// (sections 4.3.14 to 4.3.16).
fn end_of_directory(members: u64, start: u64, end: u64) -> Record {
    let count = u16::try_from(members).ok().filter(|&count| count != u16::MAX);
    let (length, short_start, short_length) = (end - start, short(start), short(end - start));
    let mut record = Record::default();
    if count.is_none() || short_start.is_none() || short_length.is_none() {
        // 44 bytes follow this size; disk 0 of 1 in both records.
        record.u32(0x0606_4b50).u64(44).u16(MADE_ON_UNIX | ZIP64_VERSION).u16(ZIP64_VERSION).u32(0).u32(0);
        record.u64(members).u64(members).u64(length).u64(start);
        record.u32(0x0706_4b50).u32(0).u64(end).u32(1);
    }
    let count = count.unwrap_or(u16::MAX);
    record.u32(0x0605_4b50).u16(0).u16(0).u16(count).u16(count);
    record.u32(short_length.unwrap_or(SEE_ZIP64)).u32(short_start.unwrap_or(SEE_ZIP64)).u16(0);
    record
}

/// The value in 32 bits, if it fits and does not look like a reference to 64.
fn short(value: u64) -> Option<u32> {
    u32::try_from(value).ok().filter(|&value| value != SEE_ZIP64)
}

fn name_length(name: &str) -> u16 {
    u16::try_from(name.len()).expect("names of exports are shorter than names of files may be")
}

/// Little-endian fields, one after the other.
#[derive(Debug, Default)]
struct Record {
    bytes: Vec<u8>,
}

impl Record {
    fn new(signature: u32) -> Record {
        let mut record = Record::default();
        record.u32(signature);
        record
    }

    fn u16(&mut self, value: u16) -> &mut Record {
        self.bytes(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Record {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Record {
        self.bytes(&value.to_le_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Record {
        self.bytes.extend_from_slice(bytes);
        self
    }
}

#[cfg(test)]
mod tests;

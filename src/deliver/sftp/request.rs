//! Requests of SFTP version 3, as the bytes that go out. Pure, no I/O.

use bytes::Bytes;

use super::reply::{Handle, VERSION};

/// The bytes of a write request besides its handle and its data, the length field included.
pub const WRITE_OVERHEAD: usize = 25;

const NEVER_SO_LONG: &str = "nothing we send is near 4 GiB";

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading.
    Read,
    /// For writing into a file that exists, which keeps its content.
    Write,
    /// For writing; the file is made, and it is an error if the name exists.
    CreateNew,
    /// For writing; a file that exists keeps its content, and one that is missing is made.
    Create,
    /// For writing from the start; a file that exists is emptied, and one that is missing is made.
    Overwrite,
}

impl Access {
    fn flags(self) -> u32 {
        match self {
            Access::Read => 0x01,
            Access::Write => 0x02,
            Access::CreateNew => 0x02 | 0x08 | 0x20,
            Access::Create => 0x02 | 0x08,
            Access::Overwrite => 0x02 | 0x08 | 0x10,
        }
    }
}

/// A request, without its number.
#[derive(Clone, Debug)]
pub enum Request<'a> {
    /// Open a file.
    Open { path: &'a str, access: Access },
    /// Close a file or a directory.
    Close(&'a Handle),
    /// Read up to `length` bytes.
    Read { handle: &'a Handle, offset: u64, length: u32 },
    /// Write `data`.
    Write { handle: &'a Handle, offset: u64, data: Bytes },
    /// Describe a name without following a link.
    LinkStat(&'a str),
    /// Describe an open file.
    HandleStat(&'a Handle),
    /// Describe what a name leads to.
    Stat(&'a str),
    /// Open a directory.
    OpenDirectory(&'a str),
    /// The next names of a directory.
    ReadDirectory(&'a Handle),
    /// Remove a file or a link.
    Remove(&'a str),
    /// Rename; an error if the new name exists.
    Rename { from: &'a str, to: &'a str },
    /// `posix-rename@openssh.com`: rename and take the place of what was there, in one step.
    PosixRename { from: &'a str, to: &'a str },
    /// `fsync@openssh.com`.
    Sync(&'a Handle),
    /// `statvfs@openssh.com`.
    Space(&'a str),
    /// `limits@openssh.com`.
    Limits,
}

/// A packet as it goes out, its length field included, in two parts: data of a write are not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// All but the data of a write.
    pub head: Bytes,
    /// The data of a write.
    pub data: Bytes,
}

impl Request<'_> {
    /// The whole packet.
    pub fn encode(&self, id: u32) -> Encoded {
        let mut packet = Packet::new(self.kind(), id);
        let mut written = Bytes::new();
        match self {
            Request::Open { path, access } => packet.text(path).number(access.flags()).number(0),
            Request::Close(handle) | Request::HandleStat(handle) | Request::ReadDirectory(handle) => {
                packet.bytes(&handle.0)
            }
            Request::Read { handle, offset, length } => packet.bytes(&handle.0).long(*offset).number(*length),
            Request::Write { handle, offset, data } => {
                written = data.clone();
                packet.bytes(&handle.0).long(*offset).number(length_of(data))
            }
            Request::LinkStat(path) | Request::Stat(path) | Request::OpenDirectory(path) | Request::Remove(path) => {
                packet.text(path)
            }
            Request::Rename { from, to } => packet.text(from).text(to),
            Request::PosixRename { from, to } => packet.text("posix-rename@openssh.com").text(from).text(to),
            Request::Sync(handle) => packet.text("fsync@openssh.com").bytes(&handle.0),
            Request::Space(path) => packet.text("statvfs@openssh.com").text(path),
            Request::Limits => packet.text("limits@openssh.com"),
        };
        Encoded { head: packet.finish(written.len()), data: written }
    }

    fn kind(&self) -> u8 {
        match self {
            Request::Open { .. } => 3,
            Request::Close(_) => 4,
            Request::Read { .. } => 5,
            Request::Write { .. } => 6,
            Request::LinkStat(_) => 7,
            Request::HandleStat(_) => 8,
            Request::OpenDirectory(_) => 11,
            Request::ReadDirectory(_) => 12,
            Request::Remove(_) => 13,
            Request::Stat(_) => 17,
            Request::Rename { .. } => 18,
            Request::PosixRename { .. } | Request::Sync(_) | Request::Space(_) | Request::Limits => 200,
        }
    }
}

/// The first packet of a session.
pub fn encode_init() -> Bytes {
    // The version stands where other packets have their number.
    Packet::new(1, VERSION).finish(0)
}

struct Packet(Vec<u8>);

impl Packet {
    fn new(kind: u8, id: u32) -> Packet {
        let mut packet = Packet(vec![0, 0, 0, 0, kind]);
        packet.number(id);
        packet
    }

    fn number(&mut self, number: u32) -> &mut Packet {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn long(&mut self, number: u64) -> &mut Packet {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Packet {
        self.number(length_of(bytes)).0.extend_from_slice(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Packet {
        self.bytes(text.as_bytes())
    }

    /// The packet, which ends here but for `more` bytes.
    fn finish(mut self, more: usize) -> Bytes {
        let length = u32::try_from(self.0.len() - 4 + more).expect(NEVER_SO_LONG);
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0.into()
    }
}

fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect(NEVER_SO_LONG)
}

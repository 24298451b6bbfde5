//! What an SFTP server says, read from its bytes. Pure, no I/O.
//!
//! A server is not trusted: every length is checked against the bytes that are there, nothing is allocated on a
//! server's word, and a packet that makes no sense is `Malformed`, never a panic. Handles are opaque bytes and names
//! are bytes, because servers are free to use any.

/// The version of the protocol that is spoken here, and the only one.
pub const VERSION: u32 = 3;

/// The biggest packet accepted from a server, in bytes without the length field.
pub const MAX_PACKET: usize = 256 * 1024;

/// A reply that does not follow the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// The server's name for an open file or directory: bytes without a meaning to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle(pub(super) Vec<u8>);

/// Why a request failed. The codes above 8 belong to later versions, but servers send them to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It did not fail.
    Ok,
    /// No more bytes or names.
    Eof,
    /// The file or a directory on the way to it does not exist.
    NoSuchFile,
    /// The user may not do that.
    PermissionDenied,
    /// Anything else; OpenSSH says it for an existing file and for a full disk.
    Failure,
    /// The server could not read the request.
    BadMessage,
    /// The server can't do that at all.
    Unsupported,
    /// The name is taken.
    AlreadyExists,
    /// The file system is read-only.
    WriteProtected,
    /// The file system is full.
    NoSpace,
    /// The user's quota is used up.
    QuotaExceeded,
    /// A code without a meaning here.
    Other(u32),
}

impl Code {
    fn from_number(number: u32) -> Code {
        match number {
            0 => Code::Ok,
            1 => Code::Eof,
            2 => Code::NoSuchFile,
            3 => Code::PermissionDenied,
            4 => Code::Failure,
            5 => Code::BadMessage,
            8 => Code::Unsupported,
            11 => Code::AlreadyExists,
            12 => Code::WriteProtected,
            14 => Code::NoSpace,
            15 => Code::QuotaExceeded,
            other => Code::Other(other),
        }
    }
}

/// The outcome of a request, with the server's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What kind of failure.
    pub code: Code,
    /// The server's explanation; often empty, never trusted.
    pub message: String,
}

/// What a server tells about a file; every part may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Size in bytes.
    pub size: Option<u64>,
    /// POSIX mode, file type included.
    pub mode: Option<u32>,
    /// Last change, in seconds since 1970.
    pub modified: Option<u32>,
}

impl Attributes {
    /// Whether it is a directory; unknown where the server sends no mode.
    pub fn is_directory(&self) -> Option<bool> {
        self.mode.map(|mode| mode & 0o170_000 == 0o040_000)
    }
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name as the server spells it.
    pub bytes: Vec<u8>,
    /// What it is.
    pub attributes: Attributes,
}

/// The answer to `limits@openssh.com`; zero means that the server does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Bytes of a packet.
    pub packet: u64,
    /// Bytes of a read.
    pub read: u64,
    /// Bytes of a write.
    pub write: u64,
    /// Open handles.
    pub handles: u64,
}

/// The room on a server's file system, from `statvfs@openssh.com`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that the user may still write.
    pub free: u64,
}

/// What a server answers to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done, or why not.
    Status(Status),
    /// The opened file or directory.
    Handle(Handle),
    /// Bytes that were read.
    Data(Vec<u8>),
    /// Names of a directory, or one path.
    Names(Vec<Name>),
    /// What a file is.
    Attributes(Attributes),
    /// The answer to an extension.
    Extended(Vec<u8>),
}

/// Reads a reply (without its length field) and the number of the request it belongs to.
pub fn decode_reply(packet: &[u8]) -> Result<(u32, Reply), Malformed> {
    let mut input = Input(packet);
    let kind = input.byte()?;
    let id = input.number()?;
    let reply = match kind {
        101 => Reply::Status(input.status()?),
        102 => Reply::Handle(Handle(input.handle()?)),
        103 => Reply::Data(input.bytes()?.to_vec()),
        104 => Reply::Names(input.names()?),
        105 => Reply::Attributes(input.attributes()?),
        201 => Reply::Extended(input.0.to_vec()),
        _ => return Err(Malformed("a packet of an unknown type")),
    };
    Ok((id, reply))
}

/// Reads the server's first packet (without its length field): the names of the extensions it offers.
pub fn decode_version(packet: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut input = Input(packet);
    if input.byte()? != 2 {
        return Err(Malformed("a first packet that is not a version"));
    }
    if input.number()? != VERSION {
        return Err(Malformed("a version of SFTP other than 3"));
    }
    let mut extensions = Vec::new();
    while !input.0.is_empty() {
        extensions.push(String::from_utf8_lossy(input.bytes()?).into_owned());
        input.bytes()?;
    }
    Ok(extensions)
}

/// Reads the answer to [`Request::Limits`].
pub fn decode_limits(reply: &[u8]) -> Result<ServerLimits, Malformed> {
    let mut input = Input(reply);
    Ok(ServerLimits { packet: input.long()?, read: input.long()?, write: input.long()?, handles: input.long()? })
}

/// Reads the answer to [`Request::Space`].
pub fn decode_space(reply: &[u8]) -> Result<Space, Malformed> {
    let mut input = Input(reply);
    let [_block, fragment, _blocks, _free, available] =
        [input.long()?, input.long()?, input.long()?, input.long()?, input.long()?];
    Ok(Space { free: available.saturating_mul(fragment) })
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed("a packet that ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes(bytes.try_into().expect("four bytes were taken")))
    }

    fn long(&mut self) -> Result<u64, Malformed> {
        let bytes = self.take(8)?;
        Ok(u64::from_be_bytes(bytes.try_into().expect("eight bytes were taken")))
    }

    fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.number()? as usize;
        self.take(length)
    }

    fn handle(&mut self) -> Result<Vec<u8>, Malformed> {
        let handle = self.bytes()?;
        // The limit of the protocol; without it every write would have to carry whatever a server made up.
        if handle.len() > 256 {
            return Err(Malformed("a handle of more than 256 bytes"));
        }
        Ok(handle.to_vec())
    }

    fn status(&mut self) -> Result<Status, Malformed> {
        let code = Code::from_number(self.number()?);
        // Old servers leave the text out.
        let message = if self.0.is_empty() { &[][..] } else { self.bytes()? };
        Ok(Status { code, message: String::from_utf8_lossy(message).into_owned() })
    }

    fn names(&mut self) -> Result<Vec<Name>, Malformed> {
        let count = self.number()?;
        let mut names = Vec::new();
        for _ in 0..count {
            let bytes = self.bytes()?.to_vec();
            self.bytes()?;
            names.push(Name { bytes, attributes: self.attributes()? });
        }
        Ok(names)
    }

    fn attributes(&mut self) -> Result<Attributes, Malformed> {
        let flags = self.number()?;
        let mut attributes = Attributes::default();
        if flags & 0x1 != 0 {
            attributes.size = Some(self.long()?);
        }
        if flags & 0x2 != 0 {
            self.long()?;
        }
        if flags & 0x4 != 0 {
            attributes.mode = Some(self.number()?);
        }
        if flags & 0x8 != 0 {
            self.number()?;
            attributes.modified = Some(self.number()?);
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.number()? {
                self.bytes()?;
                self.bytes()?;
            }
        }
        Ok(attributes)
    }
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;

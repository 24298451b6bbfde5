//! The folder that the demo delivers to, over SFTP version 3 with the OpenSSH extensions that a safe delivery uses.

use std::collections::HashMap;
use std::fs::{self, File, ReadDir};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use russh_sftp::extensions;
use russh_sftp::protocol::{
    Attrs, Data, ExtendedReply, FileAttributes, Handle, Name, OpenFlags, Packet, Status, StatusCode, Version,
};
use russh_sftp::server::Handler;

const POSIX_RENAME: &str = "posix-rename@openssh.com";
/// The largest packet this server takes, which is also what `russh_sftp` allows.
const MAX_PACKET: u64 = 256 * 1024;
/// Room for the header of a WRITE or DATA packet.
const MAX_HEADER: u64 = 1024;

/// A folder, and the files and folders that a client has open in it.
pub struct SftpFolder {
    root: PathBuf,
    open: HashMap<String, Entry>,
    next: u64,
}

enum Entry {
    File(File),
    Folder(ReadDir),
}

impl SftpFolder {
    /// Shows `root` as `/`.
    pub fn new(root: PathBuf) -> SftpFolder {
        SftpFolder { root, open: HashMap::new(), next: 0 }
    }

    /// The place on disk of a client's path. `..` stops at the root.
    fn place(&self, path: &str) -> PathBuf {
        self.root.join(virtual_path(path).trim_start_matches('/'))
    }

    fn keep(&mut self, id: u32, entry: Entry) -> Handle {
        self.next += 1;
        let handle = self.next.to_string();
        self.open.insert(handle.clone(), entry);
        Handle { id, handle }
    }

    fn file(&self, handle: &str) -> Result<&File, StatusCode> {
        match self.open.get(handle) {
            Some(Entry::File(file)) => Ok(file),
            _ => Err(StatusCode::BadMessage),
        }
    }
}

/// A client's path with `.` and `..` resolved, starting with `/`.
fn virtual_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    format!("/{}", parts.join("/"))
}

fn code(error: &io::Error) -> StatusCode {
    match error.kind() {
        io::ErrorKind::NotFound => StatusCode::NoSuchFile,
        io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    }
}

fn done(id: u32, result: io::Result<()>) -> Result<Status, StatusCode> {
    result.map_err(|error| code(&error))?;
    Ok(Status { id, status_code: StatusCode::Ok, error_message: String::new(), language_tag: String::new() })
}

fn attrs(id: u32, metadata: io::Result<fs::Metadata>) -> Result<Attrs, StatusCode> {
    let metadata = metadata.map_err(|error| code(&error))?;
    Ok(Attrs { id, attrs: FileAttributes::from(&metadata) })
}

/// The length-prefixed strings that an extended request consists of.
fn strings(mut data: &[u8]) -> Result<Vec<String>, StatusCode> {
    let mut strings = Vec::new();
    while !data.is_empty() {
        let (length, rest) = data.split_first_chunk::<4>().ok_or(StatusCode::BadMessage)?;
        let length = u32::from_be_bytes(*length) as usize;
        let text = rest.get(..length).ok_or(StatusCode::BadMessage)?;
        strings.push(String::from_utf8(text.to_vec()).map_err(|_| StatusCode::BadMessage)?);
        data = &rest[length..];
    }
    Ok(strings)
}

impl Handler for SftpFolder {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _version: u32, _extensions: HashMap<String, String>) -> Result<Version, StatusCode> {
        let mut version = Version::new();
        for name in [POSIX_RENAME, extensions::FSYNC, extensions::LIMITS] {
            version.extensions.insert(name.to_owned(), "1".to_owned());
        }
        Ok(version)
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, StatusCode> {
        Ok(Name { id, files: vec![russh_sftp::protocol::File::dummy(virtual_path(&path))] })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        attrs(id, fs::metadata(self.place(&path)))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        attrs(id, fs::symlink_metadata(self.place(&path)))
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusCode> {
        attrs(id, self.file(&handle)?.metadata())
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        pflags: OpenFlags,
        _attrs: FileAttributes,
    ) -> Result<Handle, StatusCode> {
        let file = fs::OpenOptions::from(pflags).open(self.place(&filename)).map_err(|error| code(&error))?;
        Ok(self.keep(id, Entry::File(file)))
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, StatusCode> {
        let mut data = vec![0; len.min((MAX_PACKET - MAX_HEADER) as u32) as usize];
        let count = self.file(&handle)?.read_at(&mut data, offset).map_err(|error| code(&error))?;
        if count == 0 {
            return Err(StatusCode::Eof);
        }
        data.truncate(count);
        Ok(Data { id, data })
    }

    async fn write(&mut self, id: u32, handle: String, offset: u64, data: Vec<u8>) -> Result<Status, StatusCode> {
        done(id, self.file(&handle)?.write_all_at(&data, offset))
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusCode> {
        self.open.remove(&handle).ok_or(StatusCode::BadMessage)?;
        done(id, Ok(()))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        let folder = fs::read_dir(self.place(&path)).map_err(|error| code(&error))?;
        Ok(self.keep(id, Entry::Folder(folder)))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusCode> {
        let Some(Entry::Folder(folder)) = self.open.get_mut(&handle) else { return Err(StatusCode::BadMessage) };
        let mut files = Vec::new();
        for entry in folder.by_ref().take(100) {
            let entry = entry.map_err(|error| code(&error))?;
            let metadata = entry.metadata().map_err(|error| code(&error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push(russh_sftp::protocol::File::new(name, FileAttributes::from(&metadata)));
        }
        if files.is_empty() { Err(StatusCode::Eof) } else { Ok(Name { id, files }) }
    }

    async fn remove(&mut self, id: u32, filename: String) -> Result<Status, StatusCode> {
        done(id, fs::remove_file(self.place(&filename)))
    }

    /// Does not overwrite: a second link appears under the new name, then the old name goes, as OpenSSH does it.
    async fn rename(&mut self, id: u32, oldpath: String, newpath: String) -> Result<Status, StatusCode> {
        let (old, new) = (self.place(&oldpath), self.place(&newpath));
        done(id, fs::hard_link(&old, &new).and_then(|()| fs::remove_file(&old)))
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Result<Packet, StatusCode> {
        match request.as_str() {
            POSIX_RENAME => {
                let [old, new] = <[String; 2]>::try_from(strings(&data)?).map_err(|_| StatusCode::BadMessage)?;
                done(id, fs::rename(self.place(&old), self.place(&new))).map(Packet::Status)
            }
            extensions::FSYNC => {
                let [handle] = <[String; 1]>::try_from(strings(&data)?).map_err(|_| StatusCode::BadMessage)?;
                done(id, self.file(&handle)?.sync_all()).map(Packet::Status)
            }
            extensions::LIMITS => {
                let limits = [MAX_PACKET, MAX_PACKET - MAX_HEADER, MAX_PACKET - MAX_HEADER, 0];
                let data = limits.iter().flat_map(|limit| limit.to_be_bytes()).collect();
                Ok(Packet::ExtendedReply(ExtendedReply { id, data }))
            }
            _ => Err(StatusCode::OpUnsupported),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_never_leave_the_root() {
        assert_eq!(virtual_path("../../etc/passwd"), "/etc/passwd");
        assert_eq!(virtual_path("a/../../b/./c"), "/b/c");
        assert_eq!(virtual_path("."), "/");
        assert_eq!(SftpFolder::new("/drop".into()).place("/../x"), PathBuf::from("/drop/x"));
    }

    #[test]
    fn a_short_extended_request_is_refused() {
        assert!(strings(&[0, 0, 0, 9, b'x']).is_err());
        assert_eq!(strings(&[0, 0, 0, 1, b'x', 0, 0, 0, 0]), Ok(vec!["x".to_owned(), String::new()]));
    }
}

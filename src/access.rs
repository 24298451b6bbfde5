//! Files and folders of another user: which one is refused, whose it is, and the command that works.
//!
//! A file that may not be read exists. A message says so, and never advises another place, nor to remove or change
//! another user's file.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::geteuid;

/// How many links a path may lead through, as for the system.
const LINKS: u32 = 40;

/// What the environment names and `sudo` does not pass on.
const VARIABLES: [&str; 2] = ["EXPORTD_CONFIG", "STATE_DIRECTORY"];

/// Whether something is at `path`, or may be: a folder on the way that may not be entered hides it. A link counts,
/// wherever it leads; a path through a file leads nowhere.
pub fn is_there(path: &Path) -> bool {
    let is_absent = |error: io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    path.symlink_metadata().map_or_else(|error| !is_absent(error), |_| true)
}

/// A file or folder that this process may not use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    place: PathBuf,
    owner: u32,
    mode: u32,
}

impl Denied {
    /// What keeps this process from using `path`: a folder on its way, or the file itself.
    pub fn at(path: &Path) -> Denied {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Denied::of(&obstacle(&path, LINKS))
    }

    /// The file or folder `place`, which is refused because of its owner.
    pub fn of(place: &Path) -> Denied {
        let (owner, mode) = fs::metadata(place).map_or((0, 0), |found| (found.uid(), found.mode() & 0o7777));
        Denied { place: place.to_owned(), owner, mode }
    }

    /// What keeps this process from writing to a file that is there, or beside it; none if it is something else.
    pub fn to_write(path: &Path) -> Option<Denied> {
        let is_closed = |place: &&Path| rustix::fs::access(*place, Access::WRITE_OK) == Err(Errno::ACCESS);
        [path, folder_of(path)].into_iter().find(is_closed).map(Denied::at)
    }

    /// Whether it belongs to the user of this process.
    pub fn is_own(&self) -> bool {
        self.owner == geteuid().as_raw()
    }

    /// What happened, and where.
    pub fn what(&self) -> String {
        let (place, we) = (self.place.display(), geteuid().as_raw());
        match self.is_own() {
            true => format!("{place} is closed to its own user, {} (mode {:04o})", name_of(we), self.mode),
            false => format!("{place} belongs to {} and can't be used by {}", name_of(self.owner), name_of(we)),
        }
    }

    /// What to do.
    pub fn remedy(&self) -> String {
        if self.is_own() {
            return format!("run: chmod u+rwX {}", shell_word(&self.place));
        }
        let command = command_as(self.owner);
        let is_service = std::env::args_os().any(|word| word == "serve");
        match self.owner == 0 && is_service {
            true => format!("let {} use it, or run: {command}", name_of(geteuid().as_raw())),
            false => format!("run: {command}"),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what(), self.remedy())
    }
}

/// The first folder on the way along an absolute path that may not be entered; else the last thing that is there.
fn obstacle(path: &Path, links: u32) -> PathBuf {
    let mut reached = PathBuf::from("/");
    let mut parts = path.components().filter(|part| !matches!(part, Component::RootDir));
    while let Some(part) = parts.next() {
        let next = reached.join(part);
        let Ok(found) = fs::symlink_metadata(&next) else { return reached };
        if found.is_symlink() && links > 0 {
            let Ok(target) = fs::read_link(&next) else { return reached };
            let rest: PathBuf = parts.collect();
            let target = reached.join(target);
            // Joined with nothing, a path would get a slash that says it is a folder.
            let whole = if rest.as_os_str().is_empty() { target } else { target.join(rest) };
            return obstacle(&whole, links - 1);
        }
        reached = next;
    }
    reached
}

/// The command that was typed, as it is typed to be run by another user.
pub fn command_as(user: u32) -> String {
    let mut words = vec!["sudo".to_owned()];
    if user != 0 {
        let name = user_name(user).unwrap_or_else(|| format!("#{user}"));
        words.extend(["-u".to_owned(), shell_word(&name)]);
    }
    let is_named = std::env::args_os().any(|word| word.as_encoded_bytes().starts_with(b"--config"));
    let names = VARIABLES.iter().filter(|name| !is_named || **name != "EXPORTD_CONFIG");
    let set = names.filter_map(|name| Some((name, std::env::var_os(name).filter(|value| !value.is_empty())?)));
    let set: Vec<String> = set.map(|(name, value)| format!("{name}={}", shell_word(&value))).collect();
    if !set.is_empty() {
        words.extend(["env".to_owned()].into_iter().chain(set));
    }
    words.extend(std::env::args_os().map(shell_word));
    words.join(" ")
}

/// A word as a shell takes it.
pub fn shell_word(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.into_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A user for people: by name, or by number where the machine's own list has no name.
pub fn name_of(user: u32) -> String {
    user_name(user).unwrap_or_else(|| format!("user {user}"))
}

fn user_name(user: u32) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(user)).then(|| name.to_owned())
    })
}

/// Opens a file to read and write it, and makes it if it is missing: for its owner alone. A link is not followed. See
/// [`hand_over`].
pub fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.clone().create_new(true).open(path) {
        Ok(made) => {
            hand_over(&made, folder_of(path));
            Ok(made)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            options.custom_flags(OFlags::NOFOLLOW.bits() as i32).open(path)
        }
        Err(error) => Err(error),
    }
}

/// Makes a folder for its owner alone, unless something of that name is there. See [`hand_over`].
pub fn make_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    let made = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    hand_over(made, folder_of(path));
    Ok(())
}

/// The same for all the folders of a path.
pub fn make_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    if parent != path {
        make_folders(parent)?;
    }
    make_folder(path)
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Whether an error says that somebody may not do what they tried.
pub fn is_denied(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ACCESS.raw_os_error())
}

/// Gives what this process has just made to the owner of the folder that it is in, if it is root: what root makes in the
/// state of a service would lock the service out. Only for what was not there before, for it may be a link to anything.
pub fn hand_over(made: impl AsFd, folder: &Path) {
    if !geteuid().is_root() {
        return;
    }
    let Ok(owner) = fs::metadata(folder) else { return };
    if owner.uid() != 0 {
        // Root that may not do so, as in some containers, keeps it.
        let _ = fchown(made, Some(owner.uid()), Some(owner.gid()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_quoted_as_a_shell_takes_it() {
        let quote = |word: &str| shell_word(word);
        assert_eq!(
            ["--at", "2026-11-20T04:00+01:00", "/etc/a.toml"].map(quote).join(" "),
            "--at 2026-11-20T04:00+01:00 /etc/a.toml"
        );
        assert_eq!(
            [quote(""), quote("a b"), quote("it's"), quote("#7"), quote("$x")].join(" "),
            r#"'' 'a b' 'it'\''s' '#7' '$x'"#
        );
    }

    #[test]
    fn what_is_there_need_not_be_usable() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
        assert!(is_there(folder.path()) && is_there(&at("file")) && is_there(&at("link")));
        assert!(!is_there(&at("nowhere")) && !is_there(&at("nowhere/x")) && !is_there(&at("file/x")));
    }

    #[test]
    fn users_have_names_or_numbers() {
        assert_eq!((name_of(0).as_str(), name_of(4_000_000_000).as_str()), ("root", "user 4000000000"));
    }

    #[test]
    fn the_obstacle_is_what_is_there_last_through_links_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("real")).unwrap();
        std::os::unix::fs::symlink("real", at("link")).unwrap();
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        assert_eq!(obstacle(&at("link/none/x"), LINKS), at("real"));
        assert_eq!(obstacle(&at("link"), LINKS), at("real"));
        assert_eq!(obstacle(&at("loop/x"), LINKS), at("loop"));
    }
}

//! The fast paths: ways to be quicker that have to come to the same end as their plain siblings, and what forces them.
//!
//! Each is taken where it pays. `EXPORTD_FASTPATHS`, read once per process, has it taken wherever it can be, for the
//! smallest file too, or nowhere, so that every suite can be run both ways: words with commas between them, `on` or
//! `off` for all, then `NAME=on` or `NAME=off` for one. Only builds with debug assertions look at all: in a release
//! build every function here gives back what its caller usually does.

/// Something that is done in a quicker way than the plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FastPath {
    /// Files go up while the store is read; plainly, when all of them are finished.
    Overlap,
    /// A large file goes over several channels; plainly, over the first.
    Channels,
    /// Small files go up, and all get their names, many at a time; plainly, one after the other.
    Together,
    /// The spool is written past the page cache; plainly, through it.
    Direct,
    /// An upload has what was written last from memory; plainly, it reads the file.
    Memory,
    /// A connection is left to the next run; plainly, it ends with its own.
    Pool,
    /// Writes are as large as the server says that it takes, up to 64 KiB; plainly, no larger than all servers take them.
    Writes,
    /// The server brings a large file to its disk while it comes; plainly, at its end.
    Sync,
    /// What lies in the spool goes up while it is hashed and the directory is tried; plainly, afterwards.
    Held,
    /// The directory is tried in few round trips; plainly, step by step.
    Probe,
}

/// Every fast path, and its name.
pub const ALL: &[(FastPath, &str)] = &[
    (FastPath::Overlap, "overlap"),
    (FastPath::Channels, "channels"),
    (FastPath::Together, "together"),
    (FastPath::Direct, "direct"),
    (FastPath::Memory, "memory"),
    (FastPath::Pool, "pool"),
    (FastPath::Writes, "writes"),
    (FastPath::Sync, "sync"),
    (FastPath::Held, "held"),
    (FastPath::Probe, "probe"),
];

/// Whether a path is taken that usually is, or is not.
#[inline]
pub fn is_taken(path: FastPath, usual: bool) -> bool {
    forced(path).unwrap_or(usual)
}

/// The size from which on a path is taken, where it usually is from `usual` bytes on.
#[inline]
pub fn from_size(path: FastPath, usual: u64) -> u64 {
    match forced(path) {
        Some(true) => 0,
        Some(false) => u64::MAX,
        None => usual,
    }
}

/// How large the pieces of a path are that usually have `usual` bytes: where it is forced only `least`, so that a small
/// file has many of them, too.
#[inline]
pub fn piece(path: FastPath, usual: u64, least: u64) -> u64 {
    if forced(path) == Some(true) { least.min(usual) } else { usual }
}

/// Does two things at the same time; plainly, the second after the first.
#[inline]
pub async fn beside<A, B>(path: FastPath, first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
    match is_taken(path, true) {
        true => tokio::join!(first, second),
        false => (first.await, second.await),
    }
}

#[cfg(not(debug_assertions))]
#[inline]
fn forced(_: FastPath) -> Option<bool> {
    None
}

#[cfg(debug_assertions)]
fn forced(path: FastPath) -> Option<bool> {
    static FORCED: std::sync::OnceLock<Vec<(FastPath, bool)>> = std::sync::OnceLock::new();
    let forced = FORCED.get_or_init(|| std::env::var("EXPORTD_FASTPATHS").map(|text| parse(&text)).unwrap_or_default());
    // A later word has the last say.
    forced.iter().rev().find(|(other, _)| *other == path).map(|(_, is_on)| *is_on)
}

#[cfg(debug_assertions)]
fn parse(text: &str) -> Vec<(FastPath, bool)> {
    let mut forced = Vec::new();
    for word in text.split(',').filter(|word| !word.is_empty()) {
        let (name, side) = word.split_once('=').unwrap_or(("", word));
        let is_on = match side {
            "on" => true,
            "off" => false,
            other => panic!("EXPORTD_FASTPATHS forces a path on or off, not {other:?}"),
        };
        let before = forced.len();
        let meant = ALL.iter().filter(|(_, known)| name.is_empty() || *known == name);
        forced.extend(meant.map(|(path, _)| (*path, is_on)));
        assert!(forced.len() > before, "EXPORTD_FASTPATHS names {name:?}, which is no fast path");
    }
    forced
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    fn last(text: &str, path: FastPath) -> Option<bool> {
        parse(text).into_iter().rev().find(|(other, _)| *other == path).map(|(_, is_on)| is_on)
    }

    #[test]
    fn words_force_all_or_one_and_the_last_one_counts() {
        assert_eq!(parse(""), []);
        assert_eq!(parse("on").len(), ALL.len());
        assert_eq!(parse("pool=off"), [(FastPath::Pool, false)]);
        assert_eq!(last("on,memory=off", FastPath::Memory), Some(false));
        assert_eq!(last("on,memory=off", FastPath::Direct), Some(true));
        assert_eq!(last("memory=off,on", FastPath::Memory), Some(true));
    }

    #[test]
    fn every_path_has_one_name() {
        for (place, (path, name)) in ALL.iter().enumerate() {
            assert_eq!(parse(&format!("{name}=on")), [(*path, true)]);
            assert_eq!(*path as usize, place);
        }
    }

    #[test]
    #[should_panic(expected = "no fast path")]
    fn a_name_that_is_unknown_is_refused() {
        parse("overlop=on");
    }

    #[test]
    #[should_panic(expected = "on or off")]
    fn a_side_that_is_unknown_is_refused() {
        parse("overlap=yes");
    }
}

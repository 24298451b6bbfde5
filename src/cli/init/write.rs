//! The text of a new configuration, and files that are made and never overwritten.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::access::shell_word;
use crate::cli::failure::Failure;

/// What a new configuration says.
pub struct Draft<'a> {
    /// Behind `url =`.
    pub store: &'a str,
    /// The certificates to trust for it.
    pub ca: Option<&'a Path>,
    /// The line of `[catalogue]`.
    pub catalogue: String,
    /// The time zone.
    pub timezone: &'a str,
    /// The destination's host.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// Its user.
    pub user: &'a str,
    /// Its directory.
    pub directory: &'a str,
    /// Our key file.
    pub key: &'a Path,
    /// Pinned fingerprints.
    pub host_keys: &'a [String],
    /// Whether the server can replace a file in one step.
    pub can_replace: bool,
    /// The job's label.
    pub label: &'a str,
    /// Its time of day.
    pub at: &'a str,
    /// Its exports.
    pub exports: &'a [String],
}

/// A string in TOML.
pub fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The configuration, with comments for whoever opens it next.
pub fn configuration(draft: &Draft<'_>) -> String {
    format!("{}\n{}\n{}", sources(draft), destination(draft), job(draft))
}

fn sources(draft: &Draft<'_>) -> String {
    format!(
        "# Written by `exportd init`. docs/reference.md explains every key.\n\
         #\n\
         #   exportd check --connect       is it right, and are both sides usable?\n\
         #   exportd plan                  what falls due, with periods and file names\n\
         #   exportd run {label} --dry-run --output look\n\
         #\n\
         # Relative paths start at the folder of this file.\n\
         \n\
         [store]\n\
         url = {store}\n\
         {ca}\
         # timeout = \"1h\"                       # the longest time that one query may take\n\
         \n\
         [state]\n\
         # dir = \"/var/lib/exportd\"             # history and finished files; as a service it has this by itself\n\
         # keep = \"15d\"                         # how long finished files can be delivered again\n\
         \n\
         [catalogue]\n\
         {catalogue}\n",
        ca = draft.ca.map(|ca| format!("ca = {}\n", text(&ca.display().to_string()))).unwrap_or_default(),
        label = shell_word(draft.label),
        store = draft.store,
        catalogue = draft.catalogue,
    )
}

fn destination(draft: &Draft<'_>) -> String {
    let pins: Vec<String> = draft.host_keys.iter().map(|pin| text(pin)).collect();
    format!(
        "# What all jobs have in common. A job's own key wins.\n\
         [defaults]\n\
         timezone = {timezone}\n\
         host = {host}\n\
         port = {port}\n\
         user = {user}\n\
         key = {key}\n\
         # Compared with what the partner says; several, for rotation.\n\
         host_keys = [{pins}]\n",
        timezone = text(draft.timezone),
        host = text(draft.host),
        port = draft.port,
        user = text(draft.user),
        key = text(&draft.key.display().to_string()),
        pins = pins.join(", "),
    )
}

fn job(draft: &Draft<'_>) -> String {
    let exports: String = draft.exports.iter().map(|export| format!("    {},\n", text(export))).collect();
    let publish = match draft.can_replace {
        true => "# publish = \"refuse\"                   # instead of replacing a file that has the same name",
        false => "publish = \"refuse\"                    # the server can't replace a file in one step",
    };
    format!(
        "[[job]]\n\
         label = {label}\n\
         run = \"daily\"                          # or \"weekly\", \"monthly\"\n\
         at = {at}\n\
         # Each has the columns that tell nothing about a person. For more of them write\n\
         # {{ name = \"NAME\", add = [\"COLUMN\"] }}, and in the job a reason = \"…\".\n\
         exports = [\n\
         {exports}\
         ]\n\
         directory = {directory}\n\
         {publish}\n\
         # format = \"csv\"                       # \"bi\" is for loaders; \"csv\" has choices, in [job.csv]; or \"ndjson\"\n\
         # zip = true                           # one zip instead of a file for each export\n\
         # manifest = true                      # names, sizes and SHA-256 of all files, published last\n",
        label = text(draft.label),
        at = text(draft.at),
        directory = text(draft.directory),
    )
}

/// Writes a file that must not exist yet.
pub fn new_file(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path, "move it away first"),
        _ => Failure::work(format!("can't write {}: {error}", path.display())),
    })
}

/// Refuses to go on where a file would have to be overwritten later.
pub fn refuse_existing(path: &Path, remedy: &str) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() { Err(exists(path, remedy)) } else { Ok(()) }
}

fn exists(path: &Path, remedy: &str) -> Failure {
    Failure::usage(format!("{} exists already and is not overwritten; {remedy}", path.display()))
}

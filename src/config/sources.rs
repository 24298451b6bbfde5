//! The files that a configuration is made of: itself, and the catalogues that it names.

use std::io;
use std::path::{Path, PathBuf};

use super::fault::{Fault, Faults, Kind, Report};
use super::guess::suggest;
use super::surroundings::Surroundings;
use super::table::{Item, Table};
use super::unreadable::unreadable;
use super::{catalogue, keys};
use crate::access;
use crate::catalogue::{BUILTIN, Catalogue};
use crate::wording::io_error;

/// The text of the file at `path`, and the folder that relative paths in it start from.
pub(super) fn read_text(path: &Path) -> Result<(String, PathBuf), Faults> {
    let refuse = |fault| Faults::of_file(&path.display().to_string(), fault);
    let bytes = std::fs::read(path).map_err(|error| {
        if access::is_denied(&error) {
            return refuse(unreadable("the file", path, &error));
        }
        let fault = Fault::new(format!("the file can't be read: {}", io_error(&error)));
        refuse(fault.help("name the configuration with --config or EXPORTD_CONFIG"))
    })?;
    let text = String::from_utf8(bytes).map_err(|_| refuse(Fault::new("the file is not UTF-8 text")))?;
    let whole = std::path::absolute(path)
        .map_err(|error| refuse(Fault::new(format!("the current folder can't be told: {}", io_error(&error)))))?;
    let folder = whole.parent().unwrap_or(Path::new("/")).to_owned();
    Ok((text, folder))
}

/// Reads `[catalogue]` and the files that it names. The second value tells whether all of it could be read.
pub(super) fn read_catalogue(root: &Table<'_>, report: &Report, from: &Surroundings) -> (Catalogue, bool) {
    let Some(item) = root.get("catalogue") else { return (Catalogue::contact_centre(), true) };
    let Some(table) = item.table("[catalogue]") else { return (Catalogue::default(), false) };
    table.refuse_unknown(&keys::CATALOGUE);
    let (builtin, files) = (table.get("builtin"), table.get("files"));
    if builtin.is_none() && files.is_none() {
        let fault = Fault::new("[catalogue] names no catalogue").label("add `builtin` or `files`");
        table.file.fault(table.span, fault.kind(Kind::Absence));
        return (Catalogue::default(), false);
    }
    let built_in = builtin.map_or(Some(Catalogue::default()), |item| read_builtin(&item));
    let mut is_whole = built_in.is_some();
    let mut catalogue = built_in.unwrap_or_default();
    for (item, pattern) in files.as_ref().and_then(|item| item.texts()).unwrap_or_default() {
        let paths = match find_files(&from.base_dir.join(pattern)) {
            Ok(paths) => paths,
            Err(Missing { folder, error }) => {
                item.fault(match error {
                    Some(error) => unreadable(&format!("the folder {}", folder.display()), &folder, &error),
                    None => Fault::new("no catalogue is there").label(format!("no such file in {}", folder.display())),
                });
                is_whole = false;
                continue;
            }
        };
        for path in paths {
            is_whole &= read_file(&item, &path, report, &mut catalogue);
        }
    }
    (catalogue, is_whole)
}

fn read_builtin(item: &Item<'_>) -> Option<Catalogue> {
    let name = item.text()?;
    let catalogue = catalogue::builtin(name);
    if catalogue.is_none() {
        let fault = Fault::new(format!("there is no built-in catalogue `{name}`"));
        item.fault(suggest(fault, name, BUILTIN.into_iter()));
    }
    catalogue
}

fn read_file(item: &Item<'_>, path: &Path, report: &Report, catalogue: &mut Catalogue) -> bool {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let file = report.open(path.display().to_string(), text.into(), false);
            catalogue::read(&file, catalogue);
            file.is_whole()
        }
        Err(error) => {
            item.fault(unreadable(&format!("the catalogue {}", path.display()), path, &error));
            false
        }
    }
}

/// Opens the catalogues that a document names, in the order in which [`read_catalogue`] does, and reads nothing of them.
pub(super) fn open_catalogues(root: &Table<'_>, report: &Report, base_dir: &Path) -> io::Result<()> {
    let files = root.get("catalogue").and_then(|item| item.as_table()?.get("files"));
    let patterns = files.and_then(|item| item.list()).unwrap_or_default();
    for pattern in patterns.iter().filter_map(Item::as_text) {
        // A pattern that nothing fits is a fault of the configuration; its digest is that of what is there.
        let paths = find_files(&base_dir.join(pattern)).or_else(|missing| missing.error.map_or(Ok(Vec::new()), Err))?;
        for path in paths {
            let text = std::fs::read_to_string(&path)?;
            report.open(path.display().to_string(), text.into(), false);
        }
    }
    Ok(())
}

/// A pattern that no file fits.
struct Missing {
    /// Where the files would be.
    folder: PathBuf,
    /// Why that can't be told, if it can't.
    error: Option<io::Error>,
}

/// The files that a path stands for, in the order of their names. Only the last part may hold `*`.
fn find_files(pattern: &Path) -> Result<Vec<PathBuf>, Missing> {
    let name = pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !name.contains('*') {
        return Ok(vec![pattern.to_owned()]);
    }
    let folder = pattern.parent().unwrap_or(Path::new("."));
    let missing = |error| Missing { folder: folder.to_owned(), error };
    let entries = std::fs::read_dir(folder).map_err(|error| missing(Some(error)))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|file| !file.starts_with('.') && matches(name, file)).collect();
    if names.is_empty() {
        return Err(missing(None));
    }
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(matches("*.toml", "a.toml") && matches("a*", "a") && matches("*a*b*", "xaxbx") && matches("*", "é"));
        assert!(!matches("*.toml", "a.toml.bak") && !matches("a*b", "ac") && !matches("a", "ab"));
    }
}

//! A document cut into pieces that are parsed one after the other: the trees of ten thousand jobs, held at once, would
//! be many times as large as the jobs.
//!
//! It is cut before every line that begins with `[[job]]`. The pieces mean what the whole does if each is valid by
//! itself, which a cut within a text or a list makes impossible, and if no two can define the same: the first no job,
//! the others nothing else. Where that is not so the document is taken whole, which also gives its faults their words.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use super::fault::File;
use super::language;
use super::table::Table;

const HEADER: &str = "[[job]]";

/// The document can't be taken in these pieces.
#[derive(Debug)]
pub(super) struct Inseparable;

/// A piece of a document, or all of it, parsed.
pub(super) struct Piece<'f> {
    file: &'f File<'f>,
    tree: Spanned<DeTable<'f>>,
    /// Where in the document it begins.
    offset: usize,
}

impl<'f> Piece<'f> {
    /// A whole document. What of it is no TOML is reported and left out.
    pub(super) fn whole(file: &'f File<'_>) -> Piece<'f> {
        let (tree, errors) = DeTable::parse_recoverable(&file.text);
        if !errors.is_empty()
            && let Some(fault) = language::other(&file.text)
        {
            file.other_language(fault);
            let nothing = DeTable::parse("").expect("an empty document is TOML");
            return Piece { file, tree: nothing, offset: 0 };
        }
        for error in errors {
            file.broken_syntax(error.span().unwrap_or(0..0), error.message());
        }
        Piece { file, tree, offset: 0 }
    }

    /// The first of several pieces.
    pub(super) fn first(file: &'f File<'_>, place: &Range<usize>) -> Result<Piece<'f>, Inseparable> {
        Piece::parse(file, place, |key| key != "job")
    }

    /// A later one of several pieces.
    pub(super) fn later(file: &'f File<'_>, place: &Range<usize>) -> Result<Piece<'f>, Inseparable> {
        Piece::parse(file, place, |key| key == "job")
    }

    /// The table `[state]` alone, for a document whose other parts may be no TOML.
    pub(super) fn state(file: &'f File<'_>) -> Option<Piece<'f>> {
        let mut headers = line_starts(&file.text).filter(|at| file.text[*at..].starts_with('['));
        let start = headers.find(|at| file.text[*at..].starts_with("[state]"))?;
        let end = headers.next().unwrap_or(file.text.len());
        Piece::parse(file, &(start..end), |key| key == "state").ok()
    }

    fn parse(file: &'f File<'_>, place: &Range<usize>, may_define: fn(&str) -> bool) -> Result<Piece<'f>, Inseparable> {
        let tree = DeTable::parse(&file.text[place.clone()]).map_err(|_| Inseparable)?;
        let is_fit = tree.get_ref().keys().all(|key| may_define(key.get_ref()));
        if is_fit { Ok(Piece { file, tree, offset: place.start }) } else { Err(Inseparable) }
    }

    /// Its outermost table.
    pub(super) fn root(&self) -> Table<'_> {
        Table::root(self.file, self.tree.get_ref(), self.offset)
    }
}

/// Where each line of `text` begins, its indentation left out.
fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        at += line.len();
        at - line.trim_start().len()
    })
}

/// Where the pieces of `text` lie; at least one.
pub(super) fn cut(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with(HEADER) {
            pieces.push(start..at);
            start = at;
        }
        at += line.len();
    }
    pieces.push(start..text.len());
    pieces
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, Surroundings};
    use super::*;

    const HEAD: &str = "[store]\nurl = \"sqlite:/x\"\n[state]\ndir = \"/s\"\n[defaults]\nhost = \"h\"\nuser = \"u\"\n\
                        key = \"/k\"\nknown_hosts = \"/n\"\nrun = \"daily\"\n";

    fn job(label: &str) -> String {
        format!("[[job]]\nlabel = \"{label}\"\nexports = [\"agents\"]\n")
    }

    fn read(text: &str, pieces: &[Range<usize>]) -> Option<String> {
        let read = Config::parse_pieces(text, pieces, Path::new("jobs.toml"), &Surroundings::new(Path::new("/etc")));
        read.ok().map(|read| format!("{read:?}"))
    }

    #[test]
    fn pieces_mean_what_the_whole_does() {
        let (a, b) = (job("a"), job("b"));
        let texts = [
            format!("{HEAD}{a}{b}"),
            format!("{a}[job.csv]\nbom = true\n{b}  [[job]] # c\nlabel = \"c\"\n")
                .replace("exports", "format = \"csv\"\nexports"),
            // With faults, whose places are told from the start of the document.
            format!("{HEAD}{a}{b}colour = 1\nat = \"25:00\"\n{a}"),
        ];
        for text in texts {
            let pieces = cut(&text);
            assert!(pieces.len() > 2, "{text}");
            assert_eq!(read(&text, &pieces).unwrap(), read(&text, &[]).unwrap(), "{text}");
        }
    }

    #[test]
    fn what_does_not_come_apart_is_read_whole() {
        let (a, b) = (job("a"), job("b"));
        let texts = [
            format!("{HEAD}{a}description = \"\"\"\n[[job]]\n\"\"\"\n{b}"),
            format!("{HEAD}{a}host_keys = [\n[[job]]\n]\n{b}"),
            format!("{a}{b}{HEAD}"),
            format!("job = []\n{HEAD}{a}"),
            format!("{HEAD}{a}label = \"twice\"\n{b}"),
            format!("{HEAD}{a}{b}[store]\nurl = \"sqlite:/y\"\n"),
        ];
        for text in texts {
            assert!(read(&text, &cut(&text)).is_none(), "{text}");
            assert!(
                Config::parse(&text, Path::new("jobs.toml"), Path::new("/etc")).is_ok()
                    == read(&text, &[]).unwrap().starts_with("Ok")
            );
        }
    }

    #[test]
    fn the_state_table_is_found_between_broken_lines() {
        let dir = |text: &str| {
            let report = super::super::fault::Report::default();
            let file = report.open("jobs.toml".to_owned(), text.into(), true);
            let piece = Piece::state(&file)?;
            Some(piece.root().get("state")?.as_table()?.get("dir")?.as_text()?.to_owned())
        };
        let here = Some("/s".to_owned());
        assert_eq!(dir("[store]\nurl = \"\n\"x\"\n  [state] # here\ndir = \"/s\"\n\n[defaults\nx\n"), here);
        assert_eq!(dir("x\n[state]\ndir = '/s'"), here);
        assert_eq!((dir("[state]\ndir = \n"), dir("store: x\n"), dir("")), (None, None, None));
    }

    #[test]
    fn a_text_without_jobs_is_one_piece() {
        let starts = |text| cut(text).into_iter().map(|piece| piece.start).collect::<Vec<_>>();
        assert_eq!((starts(""), starts("a = 1\n# [[job]]\n")), (vec![0], vec![0]));
        assert_eq!(starts("[[job]]\n [[job]]"), [0, 0, 8]);
    }
}

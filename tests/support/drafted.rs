//! A database whose catalogue was drafted, and what a job delivers with that draft as it is.

use std::collections::BTreeMap;
use std::fs;

use super::databases::Database;
use super::program::Program;

/// A configuration with a draft of a database, and a folder as the destination.
pub struct Drafted {
    pub program: Program,
    /// The draft.
    pub text: String,
    /// What the command told on standard error.
    pub told: String,
}

impl Drafted {
    /// The program's own draft of `database`, saved as it is.
    pub fn of(database: &Database) -> Drafted {
        Drafted::with(database, &[])
    }

    /// The same with more arguments of the command.
    pub fn with(database: &Database, more: &[&str]) -> Drafted {
        let program = Program::new("");
        let arguments = ["catalogue", "draft", "--store", &database.url, "--output", "draft.toml"];
        let told = program.run(&[&arguments, more].concat()).expect(0).err;
        let text = fs::read_to_string(program.path("draft.toml")).unwrap();
        fs::create_dir(program.path("drop")).unwrap();
        let drafted = Drafted { program, text, told };
        drafted.configure(database, "");
        drafted
    }

    /// Replaces the jobs. Their keys besides `label` and `exports` are there.
    pub fn configure(&self, database: &Database, jobs: &str) {
        self.program.configure(&format!(
            "[store]\nurl = {:?}\n[state]\ndir = \"state\"\n[catalogue]\nfiles = [\"draft.toml\"]\n\
             [defaults]\nrun = \"daily\"\nat = \"04:00\"\nfolder = \"drop\"\n{jobs}",
            database.url
        ));
    }

    /// The part of the draft that is about one export.
    pub fn export(&self, name: &str) -> &str {
        let start = self.text.find(&format!("[[export]]\nname = \"{name}\"\n"));
        let start = start.unwrap_or_else(|| panic!("no export {name} in:\n{}", self.text));
        let rest = &self.text[start..];
        rest.find("\n\n# The ").map_or(rest, |end| &rest[..end])
    }

    /// The line of a column, without what stands behind it as a comment.
    pub fn column(&self, export: &str, column: &str) -> &str {
        let section = self.export(export);
        let columns = &section[section.find("[export.columns]").unwrap()..];
        let is_of = |line: &&str| line.trim_start_matches("# ").starts_with(&format!("{column} = "));
        let line = columns.lines().find(is_of).unwrap_or_else(|| panic!("no column {column} in:\n{section}"));
        line.split("  # ").next().unwrap()
    }

    /// Replaces a text of the draft, which must be there.
    pub fn edit(&mut self, old: &str, new: &str) {
        assert!(self.text.contains(old), "{old}\nis missing in:\n{}", self.text);
        self.text = self.text.replacen(old, new, 1);
        fs::write(self.program.path("draft.toml"), &self.text).unwrap();
    }

    /// Checks the configuration against the store, and runs a job of `exports` for 20 November 2026: the files, by
    /// their exports.
    pub fn deliver(&self, database: &Database, exports: &str) -> BTreeMap<String, String> {
        self.deliver_as("bi", database, exports)
    }

    /// The same in another format.
    pub fn deliver_as(&self, format: &str, database: &Database, exports: &str) -> BTreeMap<String, String> {
        let job = format!(
            "[[job]]\nlabel = \"it\"\nformat = \"{format}\"\nreason = \"to see it\"\nfilename = \"{{{{export_name}}}}\"\nexports = [{exports}]\n"
        );
        self.configure(database, &job);
        self.program.run(&["check", "--connect"]).expect(0);
        self.program.run(&["run", "it", "--at", "2026-11-21"]).expect(0);
        let files = fs::read_dir(self.program.path("drop")).unwrap().map(|file| file.unwrap().path());
        let name = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
    }
}

//! `exportd schema`, `completions` and `man`: what editors, shells and `man` know of the program.

use std::io::Write;

use clap_complete::Shell;

use super::args::{self, SchemaFile};
use super::failure::Failure;
use crate::config::schema;

/// Prints the schema of a kind of file.
pub fn schema(file: SchemaFile) -> std::io::Result<()> {
    let text = match file {
        SchemaFile::Jobs => schema::jobs(),
        SchemaFile::Catalogue => schema::catalogue(),
    };
    std::io::stdout().write_all(text.as_bytes())
}

/// Prints the completion script for `shell`.
pub fn completions(shell: Shell) -> std::io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "exportd", &mut script);
    std::io::stdout().write_all(&script)
}

/// Prints the manual page of the program, or of one of its commands.
pub fn page(name: Option<&str>) -> Result<(), Failure> {
    let mut program = args::command();
    // Only a built command knows the names and options that its commands inherit.
    program.build();
    let page = match name {
        None => clap_mangen::Man::new(program),
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            let command =
                found.ok_or_else(|| Failure::usage(format!("there is no command {name:?}; see exportd --help")))?;
            clap_mangen::Man::new(command)
        }
    };
    let mut text = Vec::new();
    page.render(&mut text)?;
    Ok(std::io::stdout().write_all(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command and the commands below it, by the words that lead there.
    fn commands(command: &clap::Command, path: &str) -> Vec<(String, clap::Command)> {
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        below
            .flat_map(|below| {
                let path = format!("{path} {}", below.get_name());
                [vec![(path.clone(), below.clone())], commands(below, &path)].concat()
            })
            .collect()
    }

    #[test]
    fn every_help_has_examples_that_can_be_typed() {
        args::command().debug_assert();
        for (path, command) in commands(&args::command(), "exportd") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default().replace("\\\n", "");
            let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{path} has no examples"));
            for example in examples.lines() {
                assert!(example.trim_start().starts_with(&path), "{path}: {example}");
                let words = example.split_whitespace().take_while(|word| *word != ">");
                args::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{example}: {error}"));
            }
        }
    }

    #[test]
    fn what_needs_no_configuration_offers_none() {
        let mut program = args::command();
        program.build();
        let offers = |name: &str| {
            let mut command = program.find_subcommand(name).unwrap().clone();
            command.render_long_help().to_string().contains("--config")
        };
        assert!(offers("check") && offers("run") && !offers("keygen") && !offers("hostkey"));
    }
}

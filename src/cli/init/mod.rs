//! `exportd init`: from a database and a partner's server to a configuration that works, after trying both.
//!
//! Everything that a flag can say can also be asked for at a terminal. A host key is trusted only when a person has
//! compared it, so without a terminal its fingerprint must be given.

mod ask;
mod partner;
mod store;
mod write;

use std::path::Path;

use jiff::tz::TimeZone;

use super::args::InitArguments;
use super::failure::Failure;
use super::keys;
use super::output;
use crate::catalogue::{Catalogue, Column};
use crate::config::{Config, Surroundings};
use crate::deliver::PublicKeyLine;
use crate::job::Job;
use crate::store::Snapshot;
use ask::Asker;
use partner::Welcome;
use store::{CatalogueChoice, Store};
use write::Draft;

/// Where the configuration goes unless `--config` says otherwise.
const TARGET: &str = "jobs.toml";
/// The key that is made if there is none, beside the configuration.
const KEY: &str = "id_ed25519";

/// Where files go and when, as answered.
struct Answers {
    host: String,
    port: u16,
    user: String,
    directory: String,
    host_keys: Vec<String>,
    timezone: String,
    label: String,
    at: String,
}

/// Asks, tries, and writes a configuration that does not exist yet.
pub async fn init(path: Option<&Path>, options: InitArguments) -> Result<(), Failure> {
    let target = std::path::absolute(path.unwrap_or(Path::new(TARGET)))?;
    write::refuse_existing(&target, "name another with --config, or edit this one")?;
    let folder = target.parent().unwrap_or(Path::new("/")).to_owned();
    if !folder.is_dir() {
        return Err(Failure::usage(format!("there is no folder {}; make it first", folder.display())));
    }
    let asker = Asker::new(options.yes);
    let store = store::settle(&options, &folder, &asker).await?;
    let answers = answer(&options, &asker).await?;
    let exports = choose(&options, &asker, &catalogue(&store, &folder, &target)?)?;
    let key = std::path::absolute(options.key.clone().unwrap_or_else(|| folder.join(KEY)))?;
    let (public, is_new) = partner::own_key(&key)?;

    let draft = |can_replace| configuration(&store, &answers, &key, &exports, can_replace);
    let config = parse(&draft(true), &store, &folder, &target)?;
    let job = config.jobs.first().ok_or_else(|| Failure::work("the configuration has no job"))?;
    try_exports(&store, job).await?;
    let welcome = partner::knock(&job.destination).await?;
    let can_replace = match &welcome {
        Welcome::In(facts) => facts.posix_rename,
        Welcome::NotYet => true,
    };
    if let Some(file) = &store.url_file {
        write::new_file(file, 0o600, &format!("{}\n", store.settings.url.expose()))?;
    }
    write::new_file(&target, 0o600, &draft(can_replace))?;
    Ok(conclude(&target, path, &answers.label, &welcome, &public, is_new)?)
}

/// What to know about the destination and the job.
async fn answer(options: &InitArguments, asker: &Asker) -> Result<Answers, Failure> {
    let any = |text: &str| if text.is_empty() { Err("write something here".to_owned()) } else { Ok(()) };
    let host = ("host", options.host.as_deref());
    let is_host = |text: &str| keys::address(text).map(drop).map_err(|failure| failure.text);
    let host = asker.value(host, "The partner's SFTP server, HOST or HOST:PORT", None, is_host)?;
    let (host, port) = keys::address(&host)?;
    let host_keys = partner::trusted(&host, port, &options.host_keys, asker).await?;
    let user = asker.value(("user", options.user.as_deref()), "The user to log in as", None, any)?;
    let directory = ("directory", options.directory.as_deref());
    let directory = asker.value(directory, "The directory there; it must exist", Some("."), any)?;
    let here = TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
    let zone = |name: &str| TimeZone::get(name).map(drop).map_err(|_| format!("there is no time zone {name:?}"));
    let timezone =
        asker.value(("timezone", options.timezone.as_deref()), "Time zone of the data", Some(&here), zone)?;
    let at = asker.value(("at", options.at.as_deref()), "Time of day for the nightly run", Some("04:00"), any)?;
    let label = asker.value(("label", options.label.as_deref()), "The job's name", Some("nightly"), any)?;
    Ok(Answers { host, port, user, directory, host_keys, timezone, label, at })
}

fn catalogue_line(choice: &CatalogueChoice) -> String {
    match choice {
        CatalogueChoice::ContactCentre => {
            "builtin = \"contact-centre\"              # `exportd catalogue` lists its exports".to_owned()
        }
        CatalogueChoice::File(name) => {
            format!("files = [{}]             # what may leave the house", write::text(name))
        }
    }
}

fn catalogue(store: &Store, folder: &Path, target: &Path) -> Result<Catalogue, Failure> {
    let text = format!("[store]\nurl = \"sqlite:none\"\n[catalogue]\n{}\n", catalogue_line(&store.catalogue));
    let config = Config::parse(&text, target, folder).map_err(|faults| super::report(&faults))?;
    Ok(config.catalogue)
}

/// The exports of the first job: those that have columns to show without exposing anybody.
fn choose(options: &InitArguments, asker: &Asker, catalogue: &Catalogue) -> Result<Vec<String>, Failure> {
    let usable = catalogue.exports.iter().filter(|export| export.columns.iter().any(Column::is_default));
    let usable: Vec<&str> = usable.map(|export| export.name.as_str()).collect();
    if usable.is_empty() {
        return Err(Failure::work(
            "every column of every export is held back; edit the catalogue, then call init again: it is kept",
        ));
    }
    let known = |answer: &str| match split(answer).into_iter().find(|name| catalogue.export(name).is_none()) {
        Some(name) if name != "all" => {
            Err(format!("the catalogue has no export {name:?}; it has {}", usable.join(", ")))
        }
        _ => Ok(()),
    };
    let given = (!options.exports.is_empty()).then(|| options.exports.join(" "));
    let question = format!("Which exports? `all`, or some of {}", usable.join(", "));
    let answer = asker.value(("exports", given.as_deref()), &question, Some("all"), known)?;
    Ok(match answer.trim() {
        "all" => usable.into_iter().map(str::to_owned).collect(),
        _ => split(&answer).into_iter().map(str::to_owned).collect(),
    })
}

fn split(answer: &str) -> Vec<&str> {
    answer.split([' ', ',']).filter(|name| !name.is_empty()).collect()
}

fn configuration(store: &Store, answers: &Answers, key: &Path, exports: &[String], can_replace: bool) -> String {
    write::configuration(&Draft {
        store: &store.reference,
        catalogue: catalogue_line(&store.catalogue),
        timezone: &answers.timezone,
        host: &answers.host,
        port: answers.port,
        user: &answers.user,
        directory: &answers.directory,
        key,
        host_keys: &answers.host_keys,
        can_replace,
        label: &answers.label,
        at: &answers.at,
        exports,
    })
}

/// The configuration as it will be loaded. The store's URL is taken from memory: its file is not written yet.
fn parse(text: &str, store: &Store, folder: &Path, target: &Path) -> Result<Config, Failure> {
    let text = match store.url_file {
        Some(_) => text.replacen(&format!("url = {}", store.reference), "url = \"sqlite:none\"", 1),
        None => text.to_owned(),
    };
    let surroundings = Surroundings { opens_keys: true, ..Surroundings::new(folder) };
    Config::parse_with(&text, target, &surroundings).map_err(|faults| super::report(&faults))
}

/// Makes sure that the store has what the exports name.
async fn try_exports(store: &Store, job: &Job) -> Result<(), Failure> {
    let mut snapshot = Snapshot::open(&store.settings).await.map_err(Failure::unreachable)?;
    for export in &job.exports {
        let prepared = snapshot.prepare(export).await;
        prepared.map_err(|error| Failure::work(format!("export {}: {error}", export.name)))?;
    }
    snapshot.close().await;
    Ok(())
}

/// What was written, and what to do next.
fn conclude(
    target: &Path,
    named: Option<&Path>,
    label: &str,
    welcome: &Welcome,
    public: &PublicKeyLine,
    is_new: bool,
) -> std::io::Result<()> {
    output::line(format!("\nThe configuration is in {}.\n", target.display()))?;
    let option = named.map(|path| format!(" --config {}", path.display())).unwrap_or_default();
    if let Welcome::NotYet = welcome {
        let why = if is_new { "does not know the new key yet" } else { "refuses the key" };
        output::line(format!("The server {why}."))?;
        keys::instruct(public)?;
        output::line("\nWhen they have done so:\n")?;
    } else {
        output::line("Both sides were tried and play along. Next:\n")?;
    }
    let label = write::shell_word(label);
    for command in
        ["check --connect", &format!("run {label} --dry-run --output look"), &format!("run {label}"), "serve"]
    {
        output::line(format!("  exportd {command}{option}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_quotes_and_blanks_survive() {
        let pins = ["SHA256:9ePjU1CY5Dz0pWkV6mYc3nXh2rTqLs8bGfAoI7wJuRM".to_owned()];
        let exports = ["agents".to_owned()];
        for can_replace in [true, false] {
            let text = write::configuration(&Draft {
                store: "\"sqlite:a.db\"",
                catalogue: catalogue_line(&CatalogueChoice::ContactCentre),
                timezone: "Europe/Paris",
                host: "h.example",
                port: 2222,
                user: "o'brien \"x\"",
                directory: "in\\coming ü",
                key: Path::new("/k e/y"),
                host_keys: &pins,
                can_replace,
                label: "my \"job\" # 1",
                at: "04:00",
                exports: &exports,
            });
            let config =
                Config::parse(&text, Path::new("jobs.toml"), Path::new("/")).unwrap_or_else(|f| panic!("{f}\n{text}"));
            let job = &config.jobs[0];
            assert_eq!((job.label.as_str(), job.destination.user.as_str()), ("my \"job\" # 1", "o'brien \"x\""));
            assert_eq!(job.destination.directory, "in\\coming ü");
        }
    }
}

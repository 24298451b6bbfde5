//! `exportd init`: from a database and a partner's server to a configuration that works, after trying both.
//!
//! Everything that a flag can say can also be asked for at a terminal, where a try that fails is told and can be
//! repeated with the same answers or others. A host key is trusted only when a person has compared it, so without a
//! terminal its fingerprint must be given.

mod answers;
mod arguments;
mod ask;
mod partner;
mod store;
mod write;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::failure::Failure;
use super::{configuration, keys, output, windows};
use crate::access::shell_word;
use crate::catalogue::{Catalogue, Column};
use crate::config::{Config, Surroundings};
use crate::job::{Destination, Job};
use crate::plan;
use crate::store::Snapshot;
pub use arguments::InitArguments;
use ask::{Asker, Known, Next, Question};
use partner::{OurKey, Partner, Welcome};
use store::{CatalogueChoice, Store};
use write::Draft;

/// Where the configuration goes unless `--config` says otherwise.
const TARGET: &str = "jobs.toml";
/// The key that is made if there is none, beside the configuration.
const KEY: &str = "id_ed25519";

/// A part of the answers, which a try that failed is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All that the job's rules look at.
    Job,
    /// The exports, as the store has them.
    Exports,
    /// The partner's server, or the directory there.
    Server,
    /// The keys that the server presents.
    HostKey,
    /// The user, or our key.
    Login,
}

impl Part {
    /// What can be changed about it.
    fn concerned(self) -> &'static str {
        match self {
            Part::Job => "the answers about server and job",
            Part::Exports => "the exports",
            Part::Server | Part::HostKey => "server, user or directory",
            Part::Login => "server or user",
        }
    }

    /// What going on without it means; none if nothing could work.
    fn onward(self) -> Option<&'static str> {
        match self {
            Part::Job | Part::Exports | Part::HostKey => None,
            Part::Server => Some("write the configuration all the same, and try the server later"),
            Part::Login => Some("write the configuration all the same; the partner adds the key later"),
        }
    }
}

/// A try that failed, and what it is about.
struct Failed {
    failure: Failure,
    part: Part,
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Failed {
        Failed { failure: error.into(), part: Part::Server }
    }
}

/// When a job runs, as answered.
struct Times {
    timezone: String,
    at: String,
    label: String,
}

/// Everything that was answered.
struct Answers {
    store: Store,
    partner: Partner,
    times: Times,
    exports: Vec<String>,
    key: OurKey,
}

/// Where files are written.
struct Place {
    target: PathBuf,
    folder: PathBuf,
}

/// Asks, tries, and writes a configuration that does not exist yet.
pub async fn init(path: Option<&Path>, options: InitArguments) -> Result<(), Failure> {
    let target = std::path::absolute(path.unwrap_or(Path::new(TARGET)))?;
    write::refuse_existing(&target, "name another with --config, or edit this one")?;
    let folder = target.parent().unwrap_or(Path::new("/")).to_owned();
    if !folder.is_dir() {
        return Err(Failure::usage(format!("there is no folder {}; make it first", folder.display())));
    }
    let place = Place { target, folder };
    let asker = Asker::new(options.yes);
    let store = store::settle(&options, &place.folder, &asker).await?;
    let partner = partner::settle(&options, &asker, None, false).await?;
    let times = times(&options, &asker, None)?;
    let given = (!options.exports.is_empty()).then(|| options.exports.join(" "));
    let exports = choose(&asker, Known::Flag(given.as_deref()), &store, &place)?;
    let key = std::path::absolute(options.key.clone().unwrap_or_else(|| place.folder.join(KEY)))?;
    let key = partner::own_key(key, &asker)?;
    let mut answers = Answers { store, partner, times, exports, key };
    let welcome = loop {
        let failed = match attempt(&answers, &place).await {
            Ok(welcome) => break welcome,
            // Without a person to ask, a key that the partner has still to add is the usual case and no failure.
            Err(failed) if failed.part == Part::Login && !asker.is_present() => break Welcome::NotYet,
            Err(failed) => failed,
        };
        if failed.part == Part::Login {
            output::line("")?;
            keys::instruct(&answers.key.public)?;
        }
        let part = failed.part;
        match asker.next(failed.failure, Some(part.concerned()), part.onward())? {
            Next::Again => {}
            Next::Change => change(&mut answers, part, &options, &asker, &place).await?,
            Next::GoOn if part == Part::Login => break Welcome::NotYet,
            Next::GoOn => break Welcome::Untried,
        }
    };
    save(&answers, &place, &welcome, &asker)?;
    let config = parse(&configuration(&answers, true), &answers.store, &place)?;
    output::line(format!("\nThe configuration is in {}. Each run of its job exports\n", place.target.display()))?;
    config.jobs.iter().try_for_each(windows::print)?;
    Ok(conclude(path, &answers, &welcome)?)
}

/// Tries what was answered: the rules of the configuration, the store, the server.
async fn attempt(answers: &Answers, place: &Place) -> Result<Welcome, Failed> {
    let config = parse(&configuration(answers, true), &answers.store, place);
    let config = config.map_err(|failure| Failed { failure, part: Part::Job })?;
    let of_exports = |failure| Failed { failure, part: Part::Exports };
    let job = config.jobs.first().ok_or_else(|| of_exports(Failure::work("the configuration has no job")))?;
    try_exports(&answers.store, job).await.map_err(of_exports)?;
    match &*plan::destination(job, &job.schedule.next_due(Timestamp::now())) {
        Destination::Sftp(destination) if answers.partner.is_reached => partner::log_in(destination).await,
        _ => Ok(Welcome::Untried),
    }
}

/// Asks once more for what a try that failed is about. All other answers stay.
async fn change(
    answers: &mut Answers,
    part: Part,
    options: &InitArguments,
    asker: &Asker,
    place: &Place,
) -> Result<(), Failure> {
    if part != Part::Exports {
        answers.partner = partner::settle(options, asker, Some(&answers.partner), part != Part::HostKey).await?;
    }
    if part == Part::Job {
        answers.times = times(options, asker, Some(&answers.times))?;
    }
    if matches!(part, Part::Job | Part::Exports) {
        let earlier = answers.exports.join(" ");
        answers.exports = choose(asker, Known::Answer(&earlier), &answers.store, place)?;
    }
    Ok(())
}

/// Writes the files, and tries again when a person says so.
fn save(answers: &Answers, place: &Place, welcome: &Welcome, asker: &Asker) -> Result<(), Failure> {
    let can_replace = match welcome {
        Welcome::In(facts) => facts.posix_rename,
        Welcome::NotYet | Welcome::Untried => true,
    };
    let url = format!("{}\n", answers.store.settings.url.expose());
    let text = configuration(answers, can_replace);
    let secret = answers.store.place.url_file.as_deref().map(|file| (file, url.as_str()));
    let mut files: Vec<(&Path, &str)> = secret.into_iter().chain([(place.target.as_path(), text.as_str())]).collect();
    while let Some((file, text)) = files.first() {
        match write::new_file(file, 0o600, text) {
            Ok(()) => drop(files.remove(0)),
            Err(failure) => drop(asker.next(failure, None, None)?),
        }
    }
    Ok(())
}

/// When the job runs, and what it is called.
fn times(options: &InitArguments, asker: &Asker, earlier: Option<&Times>) -> Result<Times, Failure> {
    let here = TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
    let ask = |flag, text, default, given: &Option<String>, earlier: Option<&String>, read: &Read| {
        let known = earlier.map_or(Known::Flag(given.as_deref()), |answer| Known::Answer(answer));
        asker.value(&Question { flag, text, default: Some(default) }, known, read)
    };
    let timezone = ask(
        "timezone",
        "Time zone of the job: its days and its time of day are that zone's",
        &here,
        &options.timezone,
        earlier.map(|times| &times.timezone),
        &answers::of_job("timezone"),
    )?;
    let at = ask(
        "at",
        "Time of day for the nightly run",
        "04:00",
        &options.at,
        earlier.map(|times| &times.at),
        &answers::time,
    )?;
    let label =
        ask("label", "The job's name", "nightly", &options.label, earlier.map(|times| &times.label), &answers::label)?;
    Ok(Times { timezone, at, label })
}

/// How an answer is read.
type Read<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

fn catalogue_line(choice: &CatalogueChoice) -> String {
    match choice {
        CatalogueChoice::ContactCentre => {
            "builtin = \"contact-centre\"              # `exportd catalogue` lists its exports".to_owned()
        }
        CatalogueChoice::File(name) => {
            format!("files = [{}]             # what may be exported", write::text(name))
        }
    }
}

fn catalogue(store: &Store, place: &Place) -> Result<Catalogue, Failure> {
    let text = format!("[store]\nurl = \"sqlite:none\"\n[catalogue]\n{}\n", catalogue_line(&store.catalogue));
    let config =
        Config::parse(&text, &place.target, &place.folder).map_err(|faults| configuration::failure(&faults))?;
    Ok(config.catalogue)
}

/// The names of the exports that have columns to show without exposing anybody.
fn usable(catalogue: &Catalogue) -> Result<Vec<String>, Failure> {
    let usable = catalogue.exports.iter().filter(|export| export.columns.iter().any(Column::is_default));
    let usable: Vec<String> = usable.map(|export| export.name.clone()).collect();
    if usable.is_empty() {
        return Err(Failure::work(
            "every column of every export is held back; edit the catalogue, then try again: it is kept",
        ));
    }
    Ok(usable)
}

/// The exports of the first job. A catalogue that can't be used can be edited meanwhile.
fn choose(asker: &Asker, known: Known<'_>, store: &Store, place: &Place) -> Result<Vec<String>, Failure> {
    let (catalogue, usable) = loop {
        match catalogue(store, place).and_then(|catalogue| usable(&catalogue).map(|usable| (catalogue, usable))) {
            Ok(found) => break found,
            Err(failure) => drop(asker.next(failure, None, None)?),
        }
    };
    let read = |answer: &str| {
        let names = split(answer);
        match names.iter().find(|name| catalogue.export(name).is_none()) {
            None if names.is_empty() => Err("name an export, or write all".to_owned()),
            Some(&name) if name != "all" || names.len() > 1 => {
                Err(format!("the catalogue has no export {name:?}; it has {}", usable.join(", ")))
            }
            _ => Ok(answer.to_owned()),
        }
    };
    let text = format!("Which exports? `all`, or some of {}", usable.join(", "));
    let question = Question { flag: "exports", text: &text, default: Some("all") };
    let answer = asker.value(&question, known, read)?;
    Ok(match answer.trim() {
        "all" => usable,
        _ => split(&answer).into_iter().map(str::to_owned).collect(),
    })
}

fn split(answer: &str) -> Vec<&str> {
    answer.split([' ', ',']).filter(|name| !name.is_empty()).collect()
}

fn configuration(answers: &Answers, can_replace: bool) -> String {
    let Answers { store, partner, times, exports, key } = answers;
    write::configuration(&Draft {
        store: &store.place.reference,
        ca: store.place.ca.as_deref(),
        catalogue: catalogue_line(&store.catalogue),
        timezone: &times.timezone,
        host: &partner.host,
        port: partner.port,
        user: &partner.user,
        directory: &partner.directory,
        key: &key.path,
        host_keys: &partner.host_keys,
        can_replace,
        label: &times.label,
        at: &times.at,
        exports,
    })
}

/// The configuration as it will be loaded. The store's URL is taken from memory: its file is not written yet.
fn parse(text: &str, store: &Store, place: &Place) -> Result<Config, Failure> {
    let text = match store.place.url_file {
        Some(_) => text.replacen(&format!("url = {}", store.place.reference), "url = \"sqlite:none\"", 1),
        None => text.to_owned(),
    };
    let surroundings = Surroundings { looks_around: true, ..Surroundings::new(&place.folder) };
    Config::parse_with(&text, &place.target, &surroundings).map_err(|faults| configuration::failure(&faults))
}

/// Makes sure that the store has what the exports name.
async fn try_exports(store: &Store, job: &Job) -> Result<(), Failure> {
    let mut snapshot = Snapshot::open(&store.settings).await.map_err(Failure::unreachable)?;
    for export in &job.exports {
        let failed = |error| Failure::work(format!("export {}: {error}", export.name));
        let prepared = snapshot.prepare(export).await.map_err(failed)?;
        snapshot.check_times(&prepared).await.map_err(failed)?;
    }
    snapshot.close().await;
    Ok(())
}

/// What was found, and what to do next.
fn conclude(named: Option<&Path>, answers: &Answers, welcome: &Welcome) -> std::io::Result<()> {
    output::line("")?;
    let option = named.map(|path| format!(" --config {}", path.display())).unwrap_or_default();
    match welcome {
        Welcome::In(_) => output::line("The database and the partner's server were tried, and both work. Next:\n")?,
        Welcome::NotYet => {
            let why = if answers.key.is_new { "does not know the new key yet" } else { "refuses the key" };
            output::line(format!("The server {why}."))?;
            keys::instruct(&answers.key.public)?;
            output::line("\nWhen they have done so:\n")?;
        }
        Welcome::Untried => {
            output::line("The database works. The partner's server is left for later.")?;
            keys::instruct(&answers.key.public)?;
            output::line("\nWhen they have done so, and the server can be reached:\n")?;
        }
    }
    let label = shell_word(&answers.times.label);
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
                ca: Some(Path::new("/c a\\.pem")),
                catalogue: catalogue_line(&CatalogueChoice::ContactCentre),
                timezone: "Europe/Paris",
                host: "h.example",
                port: 2222,
                user: "o'brien \"x\"",
                directory: "in'coming ü",
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
            assert_eq!(job.label, "my \"job\" # 1");
            assert_eq!(job.destination.address(), "o'brien \"x\"@h.example:2222:in'coming ü");
            assert_eq!(config.store.ca.as_deref(), Some(Path::new("/c a\\.pem")));
        }
    }
}

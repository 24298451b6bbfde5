//! One `[[job]]`, with what it takes over from `[defaults]`.

use std::ops::Range;

use super::fault::Fault;
use super::table::{Item, Table, suggest};
use super::{Context, destination, exports, format, reason, schedule};
use crate::job::{Format, Job, Missed, Overlap, Retry};
use crate::name::{NameFault, NameTemplate, VARIABLES};

/// The keys that say which job it is, and so can't be defaults.
pub(super) const OWN_KEYS: [&str; 4] = ["label", "description", "reason", "exports"];
/// All other keys of a job.
#[rustfmt::skip]
pub(super) const SHARED_KEYS: [&str; 31] = [
    "enabled", "run", "at", "week_starts", "timezone", "period", "filter_by", "format", "csv",
    "folder", "host", "port", "user", "key", "key_passphrase", "directory", "host_keys", "known_hosts", "publish", "allow_gap",
    "verify", "requests", "channels", "max_rate",
    "filename", "extension", "zip", "missed", "overlap", "retry", "manifest",
];

/// Every key of `retry`.
pub(super) const RETRY_KEYS: [&str; 3] = ["first", "max", "for"];

const TEMPLATE: &str = "{{label}}_{{year}}_{{month}}_{{day}}_{{export_name}}";
const ZIP_TEMPLATE: &str = "{{label}}_{{year}}_{{month}}_{{day}}";

/// The keys of a job, and behind them those of `[defaults]`.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    pub(super) own: Table<'a>,
    defaults: Option<&'a Table<'a>>,
}

impl<'a> Keys<'a> {
    /// The job's own item, else the default.
    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.own.get(key).or_else(|| self.defaults?.get(key))
    }

    /// The same; reports that the key is missing, with an example of what to write.
    pub(super) fn require(&self, key: &str, example: &str) -> Option<Item<'a>> {
        self.get(key).or_else(|| self.own.require(key, example))
    }

    /// A flag that is off unless it is given.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).map_or(Some(false), |item| item.flag())
    }
}

/// A job, and where in the file its names come from.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) job: Job,
    /// The label.
    pub(super) label: Range<usize>,
    /// The template, or the job's header if it has none of its own.
    pub(super) filename: Range<usize>,
}

/// Reads the jobs of a document, or of a piece of it. One that can't be read is reported and left out.
pub(super) fn read_all(root: &Table<'_>, defaults: Option<&Table<'_>>, context: &Context<'_>) -> Vec<Placed> {
    let tables = root.tables("job", "[[job]]").into_iter();
    tables.filter_map(|own| read(&Keys { own, defaults }, context)).collect()
}

/// Reads one job. `None` after its faults were reported.
fn read(keys: &Keys<'_>, context: &Context<'_>) -> Option<Placed> {
    let known: Vec<&str> = OWN_KEYS.into_iter().chain(SHARED_KEYS).collect();
    keys.own.refuse_unknown(&known);
    let label = read_label(keys);
    let description = keys.get("description").map_or(Some(""), |item| limited(&item, 250));
    let reason = reason::read(keys);
    let enabled = keys.get("enabled").map_or(Some(true), |item| item.flag());
    let schedule = schedule::read(keys);
    let exports = exports::read(keys, schedule.as_ref().map(|schedule| schedule.cadence), context);
    reason::check(keys, exports.as_deref().unwrap_or_default());
    let format = format::read(keys);
    let destination = destination::read(keys, context);
    let zip = keys.flag("zip");
    let filename = read_filename(keys, zip.unwrap_or(false), context);
    let extension = read_extension(keys, format.as_ref(), zip.unwrap_or(false));
    let missed = [("all", Missed::All), ("latest", Missed::Latest), ("none", Missed::None)];
    let missed = keys.get("missed").map_or(Some(Missed::All), |item| item.word(&missed));
    let overlap = keys.get("overlap").map_or(Some(Overlap::Queue), |item| item.word(&[("queue", Overlap::Queue)]));
    let retry = keys.get("retry").map_or(Some(Retry::default()), |item| read_retry(&item));
    let manifest = keys.flag("manifest");
    let job = Job {
        label: label?.to_owned(),
        description: description?.to_owned(),
        reason: reason?,
        enabled: enabled?,
        schedule: schedule?,
        exports: exports?,
        format: format?,
        destination: context.share_destination(destination?),
        filename: filename?,
        extension: extension?,
        zip: zip?,
        missed: missed?,
        overlap: overlap?,
        retry: retry?,
        manifest: manifest?,
    };
    let span_of = |key: &str| keys.own.get(key).map_or(keys.own.span.clone(), |item| item.span);
    Some(Placed { job, label: span_of("label"), filename: span_of("filename") })
}

/// Reports the keys of `[defaults]` that no job can take over.
pub(super) fn check_defaults(defaults: &Table<'_>) {
    for (span, item) in defaults.entries() {
        if OWN_KEYS.contains(&item.key) {
            let fault = Fault::new(format!("`{}` can't be a default", item.key)).label("move it to a [[job]]");
            defaults.file.fault(span, fault);
        }
    }
    let known: Vec<&str> = OWN_KEYS.into_iter().chain(SHARED_KEYS).collect();
    defaults.refuse_unknown(&known);
}

fn read_label<'a>(keys: &Keys<'a>) -> Option<&'a str> {
    let item = keys.own.require("label", "label = \"nightly\"")?;
    item.line()?;
    limited(&item, 100)
}

pub(super) fn limited<'a>(item: &Item<'a>, most: usize) -> Option<&'a str> {
    let text = item.text()?;
    let count = text.chars().count();
    if count > most {
        let fault = Fault::new(format!("`{}` has {count} characters", item.key));
        item.fault(fault.label(format!("at most {most}")));
        return None;
    }
    Some(text)
}

fn read_filename(keys: &Keys<'_>, zip: bool, context: &Context<'_>) -> Option<NameTemplate> {
    let Some(item) = keys.get("filename") else {
        let text = if zip { ZIP_TEMPLATE } else { TEMPLATE };
        return Some(context.template(text).expect("the default template is valid; a test parses it"));
    };
    let text = item.line()?;
    let template = match context.template(text) {
        Ok(template) => template,
        Err(fault) => {
            report_template(&item, text, &fault);
            return None;
        }
    };
    if zip && template.uses_export_name() {
        let at = text.find("export_name").map_or(0..text.len(), |at| at..at + "export_name".len());
        let fault = Fault::new("a zip holds several exports, so its name can't hold `export_name`");
        item.file.fault(item.part(at), fault.label("remove it, or write zip = false"));
        return None;
    }
    Some(template)
}

fn report_template(item: &Item<'_>, text: &str, fault: &NameFault) {
    let span = fault.range(text).map_or(item.span.clone(), |range| item.part(range));
    let told = Fault::new(format!("`filename`: {fault}"));
    let told = match fault {
        NameFault::UnknownVariable { name } => suggest(told, name, VARIABLES.into_iter()),
        NameFault::Syntax | NameFault::NotAVariable => suggest(told, "", VARIABLES.into_iter()).label("in here"),
    };
    item.file.fault(span, told);
}

fn read_extension(keys: &Keys<'_>, format: Option<&Format>, zip: bool) -> Option<String> {
    let Some(item) = keys.get("extension") else {
        return Some(if zip { "zip" } else { format.map_or("", Format::extension) }.to_owned());
    };
    let text = item.text()?;
    let extension = text.strip_prefix('.').unwrap_or(text);
    let is_plain = extension.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_');
    if !is_plain || extension.len() > 20 || extension.starts_with('.') || extension.ends_with('.') {
        let fault = Fault::new(format!("`{text}` can't be the ending of a file name"));
        item.fault(fault.label("write one such as \"txt\", or \"\" for none"));
        return None;
    }
    Some(extension.to_owned())
}

fn read_retry(item: &Item<'_>) -> Option<Retry> {
    let table = item.table("`retry`")?;
    table.refuse_unknown(&RETRY_KEYS);
    let usual = Retry::default();
    let duration = |key: &str, usual| table.get(key).map_or(Some(usual), |item| item.duration());
    let (first, max, give_up) =
        (duration("first", usual.first)?, duration("max", usual.max)?, duration("for", usual.give_up)?);
    if first.is_zero() {
        item.fault(Fault::new("`retry` needs a wait between attempts").label("write first = \"30s\" or so"));
        return None;
    }
    if first > max {
        item.fault(Fault::new("`retry`: the first wait is longer than the longest").label("`first` is above `max`"));
        return None;
    }
    Some(Retry { first, max, give_up })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_shows_every_key() {
        let example = include_str!("../../jobs.example.toml");
        for key in OWN_KEYS.into_iter().chain(SHARED_KEYS).chain(format::CSV_KEYS).filter(|key| *key != "csv") {
            let count = example.lines().filter(|line| {
                let line = line.trim_start_matches(['#', ' ']);
                line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
            });
            assert!(count.count() > 0, "jobs.example.toml does not show `{key}`");
        }
    }

    #[test]
    fn the_default_templates_are_valid() {
        assert!(NameTemplate::parse(TEMPLATE).unwrap().uses_export_name());
        assert!(!NameTemplate::parse(ZIP_TEMPLATE).unwrap().uses_export_name());
    }
}

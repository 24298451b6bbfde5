//! One `[[job]]`, with what it takes over from `[defaults]`.

use std::ops::Range;

use super::context::Context;
use super::fault::Fault;
use super::job_keys::JobKeys;
use super::keys::{JOB, LONGEST_DESCRIPTION, LONGEST_LABEL, RETRY};
use super::table::{Item, Table};
use super::{destination, exports, format, reason, schedule, template};
use crate::job::{Format, Job, Missed, Overlap, Retry};
use crate::name::{NameTemplate, VARIABLES};
use crate::words::Words;

const TEMPLATE: &str = "{{label}}_{{year}}_{{month}}_{{day}}_{{export_name}}";
const ZIP_TEMPLATE: &str = "{{label}}_{{year}}_{{month}}_{{day}}";

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
    tables.filter_map(|own| read(&JobKeys { own, defaults }, context)).collect()
}

/// Reads one job. `None` after its faults were reported.
fn read(keys: &JobKeys<'_>, context: &Context<'_>) -> Option<Placed> {
    keys.own.refuse_unknown(&JOB);
    let label = read_label(keys);
    let description = keys.get("description").map_or(Some(""), |item| item.text_of(LONGEST_DESCRIPTION));
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
    let missed = keys.get("missed").map_or(Some(Missed::All), |item| item.word(Missed::WORDS));
    let overlap = keys.get("overlap").map_or(Some(Overlap::Queue), |item| item.word(Overlap::WORDS));
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
        if JOB.key(item.key).is_some_and(|key| !key.is_shared) {
            let fault = Fault::new(format!("`{}` can't be a default", item.key)).label("move it to a [[job]]");
            defaults.file.fault(span, fault);
        }
    }
    defaults.refuse_unknown(&JOB);
}

fn read_label<'a>(keys: &JobKeys<'a>) -> Option<&'a str> {
    let item = keys.own.require("label", "label = \"nightly\"")?;
    item.literal()?;
    item.text_of(LONGEST_LABEL)
}

fn read_filename(keys: &JobKeys<'_>, zip: bool, context: &Context<'_>) -> Option<NameTemplate> {
    let Some(item) = keys.get("filename") else {
        let text = if zip { ZIP_TEMPLATE } else { TEMPLATE };
        return Some(context.template(text).expect("the default template is valid; a test parses it"));
    };
    let text = item.literal()?;
    let parsed = context.template(text);
    let uses_export_name = match &parsed {
        Ok(template) => template.uses_export_name(),
        Err(faults) => {
            template::report(&item, &faults.faults, &VARIABLES);
            faults.uses_export_name
        }
    };
    if zip && uses_export_name {
        let at = text.find("export_name").map_or(0..text.len(), |at| at..at + "export_name".len());
        let fault = Fault::new("a zip holds several exports, so its name can't hold `export_name`");
        item.file.fault(item.part(at), fault.label("remove it, or write zip = false"));
        return None;
    }
    let template = parsed.ok()?;
    if let Some(at) = text.rfind(['/', '\\']) {
        let fault = Fault::new("`filename` is one name, without a path").label("folders can't be part of it");
        let help = "put the folders into `directory`, which takes the same variables, but for export_name and run_id";
        item.file.fault(item.part(at..at + 1), fault.help(help));
        return None;
    }
    Some(template)
}

fn read_extension(keys: &JobKeys<'_>, format: Option<&Format>, zip: bool) -> Option<String> {
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
    if item.as_table().is_none() {
        let fault = Fault::new("`retry` takes a table: attempts are not counted, but go on for a time");
        item.fault(fault.label("write { for = \"2d\" }").help("{ for = \"0s\" } makes one attempt and no other"));
        return None;
    }
    let table = item.table("`retry`")?;
    table.refuse_unknown(&RETRY);
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
    fn the_default_templates_are_valid() {
        assert!(NameTemplate::parse(TEMPLATE).unwrap().uses_export_name());
        assert!(!NameTemplate::parse(ZIP_TEMPLATE).unwrap().uses_export_name());
    }
}

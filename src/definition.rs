//! A job's definition in the words of its configuration: what two versions of a configuration are compared by.
//!
//! A map from keys to values that is stored, and read by later versions of the program: keys that only one side knows
//! are not compared. It holds the configuration's words and never the names of types. Secrets are not in it. Above all
//! it says which columns are exported, and to whom.

mod older;

use std::collections::BTreeSet;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::job::{Cadence, Channels, Destination, Format, Job, JobExport, Retry, Schedule, SftpDestination, Trust};
use crate::words::Words;

/// Keys whose values differ from job to job where there are many jobs.
const OWN: [&str; 11] =
    ["label", "description", "reason", "enabled", "at", "filename", "folder", "host", "user", "directory", "key"];

/// What a job is, by the keys of its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition(Map<String, Value>);

/// Columns that are exported and were not before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// The job's label.
    pub job: String,
    /// Where they go.
    pub recipient: String,
    /// The export.
    pub export: String,
    /// The columns, in the order of the file.
    pub columns: Vec<String>,
    /// Those of them that are sensitive.
    pub sensitive: Vec<String>,
}

impl Definition {
    /// The definition of a job.
    pub fn of(job: &Job) -> Definition {
        let schedule = &job.schedule;
        let value = json!({
            "label": job.label,
            "description": job.description,
            "reason": job.reason,
            "enabled": job.enabled,
            "run": schedule.cadence.word(),
            "at": schedule.at.strftime("%H:%M").to_string(),
            "week_starts": schedule.week_starts.word(),
            "timezone": schedule.zone.iana_name(),
            "exports": job.exports.iter().map(|of_job| export(of_job)).collect::<Vec<_>>(),
            "format": job.format.name().word(),
            "csv": csv(&job.format),
            "publish": job.destination.publish().word(),
            "verify": job.destination.verify().word(),
            "filename": job.filename.text(),
            "extension": job.extension,
            "zip": job.zip,
            "missed": job.missed.word(),
            "overlap": job.overlap.word(),
            "retry": retry(&job.retry),
            "manifest": job.manifest,
        });
        match (value, destination(&job.destination)) {
            (Value::Object(map), Value::Object(to)) => Definition(map.into_iter().chain(to).collect()),
            _ => unreachable!("the literals are objects"),
        }
    }

    /// The definition that `text` was made from, by this version or an older one; none if it is not one.
    pub fn parse(text: &str) -> Option<Definition> {
        let mut map = serde_json::from_str(text).ok()?;
        older::renew(&mut map);
        Some(Definition(map))
    }

    /// The definition as text, the same for the same definition.
    pub fn text(&self) -> String {
        let (own, common) = self.parts();
        Definition::join(&own, &common)
    }

    /// The definition as two texts. Many jobs have the same second one.
    pub fn parts(&self) -> (String, String) {
        let (own, common) = self.0.clone().into_iter().partition(|(key, _)| OWN.contains(&key.as_str()));
        (Value::Object(own).to_string(), Value::Object(common).to_string())
    }

    /// The text of the definition that has those parts.
    pub fn join(own: &str, common: &str) -> String {
        match (own.strip_suffix('}'), common.strip_prefix('{')) {
            (Some(own), Some(common)) if own != "{" && common != "}" => format!("{own},{common}"),
            _ => own.to_owned(),
        }
    }

    /// The job's label.
    pub fn label(&self) -> &str {
        self.word("label")
    }

    /// Whether the job is ever due.
    pub fn is_enabled(&self) -> bool {
        self.0.get("enabled").and_then(Value::as_bool).unwrap_or(true)
    }

    /// When the job is due; none if this version can't read it.
    pub fn schedule(&self) -> Option<Schedule> {
        Some(Schedule {
            cadence: Cadence::from_word(self.word("run"))?,
            at: Time::strptime("%H:%M", self.word("at")).ok()?,
            week_starts: Weekday::from_word(self.word("week_starts"))?,
            zone: TimeZone::get(self.word("timezone")).ok()?,
        })
    }

    /// The keys whose values are others in `next`, in their usual order.
    pub fn changed_keys(&self, next: &Definition) -> Vec<String> {
        let differs = |(key, value): &(&String, &Value)| self.0.get(*key).is_some_and(|before| before != *value);
        next.0.iter().filter(differs).map(|(key, _)| key.clone()).collect()
    }

    /// What this definition exports and the one before did not. A column is known by its name, where
    /// it comes from, and who receives it: all of a job's columns are new to a new recipient.
    pub fn exposed_since(&self, before: Option<&Definition>) -> Vec<Exposure> {
        if !self.is_enabled() {
            return Vec::new();
        }
        let known = before.filter(|before| before.is_enabled() && before.recipient() == self.recipient());
        let known: BTreeSet<String> = known.map(Definition::columns).unwrap_or_default();
        let mut exposed = Vec::new();
        for export in self.exports() {
            let columns = columns_of(export);
            let new = columns.iter().filter(|column| !known.contains(&identity(export, column)));
            let names = |wanted: &dyn Fn(&Value) -> bool| {
                new.clone().filter(|column| wanted(column)).map(|column| name(column).to_owned()).collect()
            };
            let (columns, sensitive): (Vec<String>, Vec<String>) =
                (names(&|_| true), names(&|column| column["sensitive"] == true));
            if !columns.is_empty() {
                let (job, recipient) = (self.label().to_owned(), self.recipient());
                exposed.push(Exposure { job, recipient, export: name(export).to_owned(), columns, sensitive });
            }
        }
        exposed
    }

    fn recipient(&self) -> String {
        if let Some(folder) = self.0.get("folder").and_then(Value::as_str) {
            return format!("the folder {folder}");
        }
        format!(
            "{}@{}:{}",
            self.word("user"),
            self.word("host").to_lowercase(),
            self.0.get("port").unwrap_or(&Value::Null)
        )
    }

    fn columns(&self) -> BTreeSet<String> {
        let all =
            self.exports().iter().flat_map(|export| columns_of(export).iter().map(|column| identity(export, column)));
        all.collect()
    }

    fn exports(&self) -> &[Value] {
        self.0.get("exports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn word(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

fn destination(destination: &Destination) -> Value {
    match destination {
        Destination::Sftp(to) => sftp(to),
        // A key that only one of two definitions has is not compared, so both kinds have the key that tells them apart.
        Destination::Folder(to) => json!({ "folder": to.path }),
    }
}

fn sftp(to: &SftpDestination) -> Value {
    let (host_keys, known_hosts) = match &to.trust {
        Trust::Pinned(keys) => (Some(keys), None),
        Trust::KnownHosts(file) => (None, Some(file)),
    };
    json!({
        "folder": null,
        "host": to.host,
        "port": to.port,
        "user": to.user,
        "directory": to.directory,
        "key": to.key,
        "key_passphrase": to.passphrase.is_some(),
        "host_keys": host_keys,
        "known_hosts": known_hosts,
        "allow_gap": to.allow_gap,
        "requests": to.requests,
        "max_rate": to.max_rate,
        "channels": match to.channels {
            Channels::Auto => json!("auto"),
            Channels::AtMost(number) => json!(number),
        },
    })
}

fn export(export: &JobExport) -> Value {
    let columns = export.columns.iter().map(|column| {
        let mut value = json!({ "name": column.name });
        // Most columns are what they are called, and tell nothing about persons.
        if column.sql_name != column.name {
            value["column"] = json!(column.sql_name);
        }
        if column.sensitive {
            value["sensitive"] = json!(true);
        }
        value
    });
    json!({
        "name": export.name,
        "source": export.source,
        "columns": columns.collect::<Vec<_>>(),
        "period": export.period.word(),
        "filter_by": export.filter.as_ref().map(|time| &time.name),
    })
}

fn columns_of(export: &Value) -> &[Value] {
    export["columns"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn identity(export: &Value, column: &Value) -> String {
    json!([export["name"], export["source"], column["name"], column["column"]]).to_string()
}

/// The options of the format, by their keys; null if it has none.
fn csv(format: &Format) -> Value {
    let Format::Csv(options) = format else { return Value::Null };
    json!({
        "delimiter": char::from(options.delimiter),
        "line_ending": options.line_ending.word(),
        "bom": options.bom,
        "header": options.header,
        "null": options.null,
        "quote": options.quote.word(),
        "boolean": [options.boolean.0, options.boolean.1],
        "datetime": options.datetime.word(),
        "decimal_separator": char::from(options.decimal_separator),
        "formula_guard": options.formula_guard,
    })
}

fn retry(retry: &Retry) -> Value {
    json!([retry.first.as_secs(), retry.max.as_secs(), retry.give_up.as_secs()])
}

#[cfg(test)]
mod fuzz;

//! A job's definition in the words of its configuration: what two versions of a configuration are compared by.
//!
//! A map from keys to values that can be kept and read by another version of the program: keys that only one side
//! knows are not compared. Secrets are not in it. Above all it tells which columns leave the house, and to whom.

use std::collections::BTreeSet;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::job::{Cadence, Format, Job, JobExport, Missed, Publish, Retry, Schedule, Trust};

/// What a job is, by the keys of its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition(Map<String, Value>);

/// Columns that leave the house and did not before.
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
        let (schedule, to) = (&job.schedule, &job.destination);
        let value = json!({
            "label": job.label,
            "description": job.description,
            "reason": job.reason,
            "enabled": job.enabled,
            "run": schedule.cadence.name(),
            "at": schedule.at.strftime("%H:%M").to_string(),
            "week_starts": format!("{:?}", schedule.week_starts).to_lowercase(),
            "timezone": schedule.zone.iana_name(),
            "exports": job.exports.iter().map(|of_job| export(of_job)).collect::<Vec<_>>(),
            "format": format_words(&job.format),
            "host": to.host,
            "port": to.port,
            "user": to.user,
            "directory": to.directory,
            "key": to.key,
            "key_passphrase": to.passphrase.is_some(),
            "trust": match &to.trust {
                Trust::Pinned(keys) => json!({ "host_keys": keys }),
                Trust::KnownHosts(file) => json!({ "known_hosts": file }),
            },
            "publish": match to.publish { Publish::Replace => "replace", Publish::Refuse => "refuse" },
            "allow_gap": to.allow_gap,
            "verify": format!("{:?}", to.verify).to_lowercase(),
            "requests": to.requests,
            "max_rate": to.max_rate,
            "channels": format!("{:?}", to.channels).to_lowercase(),
            "filename": job.filename.text(),
            "extension": job.extension,
            "zip": job.zip,
            "missed": match job.missed { Missed::All => "all", Missed::Latest => "latest", Missed::None => "none" },
            "retry": retry(&job.retry),
            "manifest": job.manifest,
        });
        match value {
            Value::Object(map) => Definition(map),
            _ => unreachable!("the literal above is an object"),
        }
    }

    /// The definition that `text` was made from; none if it is not one.
    pub fn parse(text: &str) -> Option<Definition> {
        serde_json::from_str(text).ok().map(Definition)
    }

    /// The definition as text, the same for the same definition.
    pub fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
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
        let cadences = [Cadence::Daily, Cadence::Weekly, Cadence::Monthly];
        Some(Schedule {
            cadence: cadences.into_iter().find(|cadence| cadence.name() == self.word("run"))?,
            at: Time::strptime("%H:%M", self.word("at")).ok()?,
            week_starts: weekday(self.word("week_starts"))?,
            zone: TimeZone::get(self.word("timezone")).ok()?,
        })
    }

    /// The keys whose values are others in `next`, in their usual order.
    pub fn changed_keys(&self, next: &Definition) -> Vec<String> {
        let differs = |(key, value): &(&String, &Value)| self.0.get(*key).is_some_and(|before| before != *value);
        next.0.iter().filter(differs).map(|(key, _)| key.clone()).collect()
    }

    /// What leaves the house by this definition and did not by the one before. A column is known by its name, where
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
        "source": format!("{:?}", export.source),
        "columns": columns.collect::<Vec<_>>(),
        "period": export.period.name(),
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

fn format_words(format: &Format) -> Value {
    match format {
        Format::Bi => json!("bi"),
        Format::Csv(options) => json!({ "csv": format!("{options:?}") }),
        Format::Ndjson => json!("ndjson"),
    }
}

fn retry(retry: &Retry) -> Value {
    json!([retry.first.as_secs(), retry.max.as_secs(), retry.give_up.as_secs()])
}

fn weekday(word: &str) -> Option<Weekday> {
    let days = Weekday::Monday.cycle_forward().take(7);
    days.into_iter().find(|day| format!("{day:?}").eq_ignore_ascii_case(word))
}

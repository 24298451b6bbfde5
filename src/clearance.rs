//! Whether files that wait in the spool may still be sent: for whom they were made, what they contain, and what a job
//! says about both today.
//!
//! Files belong to their recipient and to their columns, each known by its export, the export's source, its name and
//! its name in the database. [`compare`] looks for all of them in the job in force. It is the only maker of
//! [`Cleared`], without which no spooled file is sent.
//!
//! What is stored of this keeps its words, whatever becomes of the names of types: see the serde attributes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalogue::Source;
use crate::job::{Destination, Job, JobExport, SftpDestination};

/// The recipient of files.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Recipient {
    /// An account on an SFTP server. Its directories and the server's keys are no part of it.
    #[serde(rename = "sftp")]
    Sftp {
        /// The account.
        #[serde(rename = "user")]
        user: String,
        /// The host, in lower case.
        #[serde(rename = "host")]
        host: String,
        /// The port.
        #[serde(rename = "port")]
        port: u16,
    },
    /// A folder on this machine: whoever may read it.
    #[serde(rename = "folder")]
    Folder {
        /// Its path.
        #[serde(rename = "path")]
        path: String,
    },
}

/// A recipient and a directory there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Who receives files there.
    #[serde(rename = "recipient")]
    pub recipient: Recipient,
    /// The directory that they are put into.
    #[serde(rename = "directory")]
    pub directory: String,
}

/// What a file contains of one export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The export's name.
    #[serde(rename = "export")]
    export: String,
    /// Where its rows come from.
    #[serde(rename = "source")]
    source: Source,
    /// Its columns, in the order of the file.
    #[serde(rename = "columns")]
    columns: Vec<ContentColumn>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ContentColumn {
    /// Its name in the file.
    #[serde(rename = "name")]
    name: String,
    /// Its name in the database.
    #[serde(rename = "column")]
    sql_name: String,
}

/// The permission to send spooled files. Only [`compare`] gives it.
#[derive(Debug)]
#[must_use]
pub struct Cleared {
    is_new_recipient: bool,
}

/// Why spooled files may not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objections {
    job: String,
    /// Nobody knows what the files contain or for whom they were made.
    is_unrecorded: bool,
    /// Columns that the job does not export any more, by export.
    withdrawn: Vec<(String, Vec<String>)>,
    /// Columns whose names the job still exports, but from another source, by export.
    moved: Vec<(String, Vec<String>)>,
    /// For whom the files were made, and to whom the job delivers.
    recipients: Option<Box<(Recipient, Recipient)>>,
}

impl Recipient {
    /// Who receives what is delivered to `destination`.
    pub fn of(destination: &Destination) -> Recipient {
        match destination {
            Destination::Sftp(SftpDestination { user, host, port, .. }) => {
                Recipient::Sftp { user: user.clone(), host: host.to_lowercase(), port: *port }
            }
            Destination::Folder(folder) => Recipient::Folder { path: folder.path.to_string_lossy().into_owned() },
        }
    }

    /// The host that takes the files, in lower case; of a folder its path. What a host is granted is counted by it.
    pub fn host(&self) -> &str {
        match self {
            Recipient::Sftp { host, .. } => host,
            Recipient::Folder { path } => path,
        }
    }
}

impl fmt::Display for Recipient {
    /// `drop@sftp.partner.example:22`, or `the folder /srv/drops`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipient::Sftp { user, host, port } => write!(f, "{user}@{host}:{port}"),
            Recipient::Folder { path } => write!(f, "the folder {path}"),
        }
    }
}

impl Location {
    /// Where files of `destination` are put.
    pub fn of(destination: &Destination) -> Location {
        let directory = match destination {
            Destination::Sftp(sftp) => sftp.directory.clone(),
            Destination::Folder(folder) => folder.path.to_string_lossy().into_owned(),
        };
        Location { recipient: Recipient::of(destination), directory }
    }
}

impl Content {
    /// What a file made by `export` contains.
    pub fn of(export: &JobExport) -> Content {
        let columns = export.columns.iter();
        let columns =
            columns.map(|column| ContentColumn { name: column.name.clone(), sql_name: column.sql_name.clone() });
        Content { export: export.name.clone(), source: export.source.clone(), columns: columns.collect() }
    }
}

impl Cleared {
    /// The files were made for another recipient, and may go to the present one.
    pub fn is_new_recipient(&self) -> bool {
        self.is_new_recipient
    }
}

/// Compares what was recorded of a run's files with `job`: for whom they were made, and the contents of each; none
/// where that was not recorded. `may_be_new` allows another recipient. Nothing allows a column that the job does not
/// export.
pub fn compare<'a>(
    recipient: Option<&Recipient>,
    contents: impl IntoIterator<Item = Option<&'a [Content]>>,
    job: &Job,
    may_be_new: bool,
) -> Result<Cleared, Objections> {
    let contents: Option<Vec<&[Content]>> = contents.into_iter().collect();
    let (Some(made_for), Some(contents)) = (recipient, contents) else {
        return Err(Objections { is_unrecorded: true, ..Objections::none(job) });
    };
    let mut objections = Objections::none(job);
    contents.into_iter().flatten().for_each(|content| objections.look_at(content, job));
    let present = Recipient::of(&job.destination);
    let is_new_recipient = *made_for != present;
    if is_new_recipient && !may_be_new {
        objections.recipients = Some(Box::new((made_for.clone(), present)));
    }
    match objections == Objections::none(job) {
        true => Ok(Cleared { is_new_recipient }),
        false => Err(objections),
    }
}

impl Objections {
    fn none(job: &Job) -> Objections {
        let job = job.label.clone();
        Objections { job, is_unrecorded: false, withdrawn: Vec::new(), moved: Vec::new(), recipients: None }
    }

    /// Whether the new recipient is all that there is to object to.
    pub fn is_only_recipient(&self) -> bool {
        !self.is_unrecorded && self.withdrawn.is_empty() && self.moved.is_empty()
    }

    fn look_at(&mut self, content: &Content, job: &Job) {
        let today: Vec<Content> = job
            .exports
            .iter()
            .filter(|export| export.name == content.export)
            .map(|export| Content::of(export))
            .collect();
        let is_allowed = |column: &ContentColumn| {
            today.iter().any(|export| export.source == content.source && export.columns.contains(column))
        };
        let has_name = |column: &ContentColumn| {
            today.iter().any(|export| export.columns.iter().any(|other| other.name == column.name))
        };
        let (moved, withdrawn): (Vec<&ContentColumn>, Vec<&ContentColumn>) =
            content.columns.iter().filter(|column| !is_allowed(column)).partition(|column| has_name(column));
        for (columns, list) in [(withdrawn, &mut self.withdrawn), (moved, &mut self.moved)] {
            if !columns.is_empty() {
                let names = columns.into_iter().map(|column| column.name.clone());
                list.push((content.export.clone(), names.collect()));
            }
        }
    }
}

impl fmt::Display for Objections {
    /// Everything there is to object to, in one sentence without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Objections { job, is_unrecorded, withdrawn, moved, recipients } = self;
        let mut parts = Vec::new();
        if *is_unrecorded {
            let text = "an earlier version of exportd made the files, and recorded neither their recipient nor the \
                        sources of their columns";
            parts.push(text.to_owned());
        }
        if !withdrawn.is_empty() {
            parts.push(format!("job {job} no longer exports {}", named(withdrawn)));
        }
        if !moved.is_empty() {
            parts.push(format!("job {job} now reads {} from another source", named(moved)));
        }
        if let Some((made_for, present)) = recipients.as_deref() {
            parts.push(format!("the files are for {made_for}, and job {job} delivers to {present}"));
        }
        f.write_str(&parts.join("; "))
    }
}

/// `orders (email, phone), invoices (email)`
fn named(columns: &[(String, Vec<String>)]) -> String {
    let exports = columns.iter().map(|(export, columns)| format!("{export} ({})", columns.join(", ")));
    exports.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

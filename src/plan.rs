//! What one occurrence of a job will make: files, names, periods, and the directory that they are put into. Pure, so that `plan` and the run itself agree.

use std::sync::Arc;

use jiff::ZonedDateTime;

use crate::job::{Destination, Job, JobExport, SftpDestination};
use crate::name::NameValues;
use crate::period::Period;

/// The files of one occurrence of a job.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The due time that everything comes from.
    pub due: ZonedDateTime,
    /// The period of the job's cadence; an export's own may differ.
    pub period: Period,
    /// The files, in the order of the job's exports; a zip job has one.
    pub files: Vec<PlannedFile>,
    /// The manifest's name, if the job has one.
    pub manifest: Option<String>,
}

/// One file of an occurrence.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    /// Its final name at the destination.
    pub name: String,
    /// What it holds: one export, or all of a zip.
    pub parts: Vec<PlannedExport>,
}

/// One export in a file.
#[derive(Clone, Debug)]
pub struct PlannedExport {
    /// Its position in the job's exports.
    pub index: usize,
    /// The period it is restricted to; none for a full listing.
    pub period: Option<Period>,
}

/// Where the files of one occurrence are delivered: the job's destination with its directory's variables filled in.
pub fn destination(job: &Job, due: &ZonedDateTime) -> Arc<Destination> {
    let Destination::Sftp(sftp @ SftpDestination { template: Some(template), .. }) = &*job.destination else {
        return Arc::clone(&job.destination);
    };
    let period = Period::of_cadence(due, &job.schedule);
    let (shown, period) = (job.schedule.name_time(due), (&period.from, &period.to));
    let values = NameValues { label: &job.label, export_name: None, due: &shown, period, run_id: "" };
    let directory = template.render_directory(&values);
    Arc::new(Destination::Sftp(SftpDestination { directory, template: None, ..sftp.clone() }))
}

/// The job as one occurrence carries it out, with the directory of that occurrence.
pub fn for_due(job: &Arc<Job>, due: &ZonedDateTime) -> Arc<Job> {
    let destination = destination(job, due);
    match Arc::ptr_eq(&destination, &job.destination) {
        true => Arc::clone(job),
        false => Arc::new(Job { destination, ..Job::clone(job) }),
    }
}

impl Plan {
    /// The plan of `job` for `due`. `run_id` only matters to names that contain it.
    pub fn new(job: &Job, due: &ZonedDateTime, run_id: &str) -> Plan {
        let period = Period::of_cadence(due, &job.schedule);
        let shown = job.schedule.name_time(due);
        let parts: Vec<PlannedExport> =
            job.exports.iter().enumerate().map(|(index, export)| part(job, due, index, export)).collect();
        let name = |part: Option<&PlannedExport>| {
            let covered = part.and_then(|part| part.period.as_ref()).unwrap_or(&period);
            let export_name = part.map(|part| job.exports[part.index].name.as_str());
            let period = (&covered.from, &covered.to);
            let values = NameValues { label: &job.label, export_name, due: &shown, period, run_id };
            job.filename.render(&values, &job.extension)
        };
        let files = if job.zip {
            vec![PlannedFile { name: name(None), parts }]
        } else {
            parts.into_iter().map(|part| PlannedFile { name: name(Some(&part)), parts: vec![part] }).collect()
        };
        let manifest = job.manifest.then(|| crate::name::manifest_name(&job.label, &shown));
        Plan { due: due.clone(), period, files, manifest }
    }

    /// The names of all files, in the order in which they are published: the manifest comes last.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str()).chain(self.manifest.as_deref())
    }
}

fn part(job: &Job, due: &ZonedDateTime, index: usize, export: &JobExport) -> PlannedExport {
    let period = export.filter.as_ref().and_then(|_| Period::before(export.period, due, &job.schedule));
    PlannedExport { index, period }
}

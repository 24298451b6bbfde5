//! What is worth knowing of a configuration that is valid, without connecting to anything.

use jiff::Timestamp;

use crate::cli::plan::NO_RUN;
use crate::config::{Config, zone_remark};
use crate::job::Job;
use crate::name::is_windows_device;
use crate::plan::Plan;

use super::finding::{Finding, Level};

/// One finding for each thing that may not be meant as it is written.
pub fn look(config: &Config) -> Vec<Finding> {
    let jobs = config.jobs.iter().flat_map(|job| names(job).into_iter().chain(replaced(job)));
    zones(config).into_iter().chain(jobs).collect()
}

/// A template in the notation of another program, whose characters no name can have.
fn replaced(job: &Job) -> Option<Finding> {
    let character = job.filename.replaced()?;
    let text = format!("{character} in `filename` becomes _ in names; variables are written {{{{year}}}}");
    Some(Finding::new(Level::Hint, &job.label, text))
}

/// Names that no file on Windows can have: the partner's server, or whoever unpacks the zip, may run it.
fn names(job: &Job) -> Vec<Finding> {
    let plan = Plan::new(job, &job.schedule.next_due(Timestamp::now()), NO_RUN);
    let files = plan.files.iter().map(|file| (file.name.as_str(), "change `filename`"));
    let exports = job.exports.iter().filter(|_| job.zip);
    let members = exports.map(|export| (export.name.as_str(), "rename the export in the catalogue"));
    let devices = files.chain(members).filter(|(name, _)| is_windows_device(name));
    let text = |(name, remedy)| format!("{name} is a device on Windows, where no file can have that name; {remedy}");
    devices.map(|device| Finding::new(Level::Hint, &job.label, text(device))).collect()
}

/// Zones with a fixed offset: of jobs, and of columns.
fn zones(config: &Config) -> Vec<Finding> {
    let jobs = config.jobs.iter().map(|job| (job.label.clone(), Some(&job.schedule.zone)));
    let columns = config.catalogue.exports.iter().flat_map(|export| {
        export.columns.iter().map(|column| (format!("{}, column {}", export.name, column.name), column.zone.as_ref()))
    });
    let remarks = jobs.chain(columns).filter_map(|(place, zone)| Some((place, zone_remark(zone?)?)));
    remarks.map(|(place, remark)| Finding::new(Level::Hint, &place, remark)).collect()
}

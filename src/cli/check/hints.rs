//! What is worth knowing of a configuration that is valid, without connecting to anything.

use jiff::Timestamp;

use crate::cli::plan::NO_RUN;
use crate::config::{Config, state_of_another, zone_remark};
use crate::job::{Destination, Job};
use crate::name::is_windows_device;
use crate::plan::Plan;

use super::finding::{Finding, Level};
use super::foreign;

/// One finding for each thing that may not be meant as it is written.
pub fn look(config: &Config) -> Vec<Finding> {
    let jobs = config.jobs.iter().flat_map(|job| names(job).into_iter().chain(foreign_variables(job)));
    state(config).into_iter().chain(zones(config)).chain(jobs).collect()
}

/// Templates and paths in the notation of another program: the first variable of each that is none here.
fn foreign_variables(job: &Job) -> Vec<Finding> {
    let file_name = match job.filename.replaced() {
        Some(character) => {
            Some(format!("{character} in `filename` becomes _ in names; variables are written {{{{year}}}}"))
        }
        None => foreign("filename", job.filename.text()),
    };
    let place = match &*job.destination {
        Destination::Sftp(sftp) => {
            foreign("directory", sftp.template.as_ref().map_or(&sftp.directory, |template| template.text()))
        }
        Destination::Folder(folder) => {
            let path = folder.path.to_string_lossy();
            let own = path.find("{{").and_then(|from| Some(&path[from..from + path[from..].find("}}")? + 2]));
            let found = own.or_else(|| foreign::variable(&path));
            found.map(|found| format!("{found} in `folder` is taken as it is: a folder has no variables"))
        }
    };
    file_name.into_iter().chain(place).map(|text| Finding::new(Level::Hint, &job.label, text)).collect()
}

fn foreign(key: &str, text: &str) -> Option<String> {
    let found = foreign::variable(text)?;
    Some(format!("{found} in `{key}` is taken as it is; variables are written {{{{year}}}}"))
}

/// The state folder, if its owner alone may use it: whether it takes the daemon's state is not known then.
fn state(config: &Config) -> Option<Finding> {
    let denied = state_of_another(&config.state_dir)?;
    let text = format!("{} was not looked at: {denied}", config.state_dir.display());
    Some(Finding::new(Level::Hint, "the state folder", text))
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

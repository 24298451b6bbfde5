//! What readers of a configuration have in common: the catalogue, and one copy of what many jobs say alike.
//!
//! Thousands of jobs export the same columns, name their files by the same template and go to a few hundred places.
//! Equal ones are held once: of 10,000 jobs with the built-in exports, columns are 180 MB and templates 45 MB otherwise,
//! and destinations make the difference where memory is highest, with 1,000 runs due at once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::surroundings::Surroundings;
use crate::catalogue::Catalogue;
use crate::job::{Destination, JobExport, PeriodRule};
use crate::name::{NameFaults, NameTemplate};

/// What every reader may look at.
pub(super) struct Context<'a> {
    pub(super) from: &'a Surroundings,
    pub(super) catalogue: Catalogue,
    /// Whether all of the catalogue could be read, so that what it lacks does not exist.
    pub(super) catalogue_is_whole: bool,
    exports: RefCell<HashMap<Choice, Arc<JobExport>>>,
    destinations: RefCell<HashMap<Place, Vec<Arc<Destination>>>>,
    templates: RefCell<HashMap<String, NameTemplate>>,
}

/// A host, and a directory there.
type Place = (String, String);

/// What a job chooses of an export of the catalogue: all else is the catalogue's.
#[derive(PartialEq, Eq, Hash)]
struct Choice {
    export: String,
    columns: Vec<String>,
    period: PeriodRule,
    filter: Option<String>,
}

impl Choice {
    fn of(export: &JobExport) -> Choice {
        Choice {
            export: export.name.clone(),
            columns: export.columns.iter().map(|column| column.name.clone()).collect(),
            period: export.period,
            filter: export.filter.as_ref().map(|time| time.name.clone()),
        }
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(from: &'a Surroundings, catalogue: Catalogue, catalogue_is_whole: bool) -> Context<'a> {
        let (exports, destinations, templates) = (RefCell::default(), RefCell::default(), RefCell::default());
        Context { from, catalogue, catalogue_is_whole, exports, destinations, templates }
    }

    /// The same export, as one copy for all jobs that choose it so.
    pub(super) fn share_export(&self, export: JobExport) -> Arc<JobExport> {
        let mut exports = self.exports.borrow_mut();
        Arc::clone(exports.entry(Choice::of(&export)).or_insert_with(|| Arc::new(export)))
    }

    /// The same destination, as one copy for all jobs that deliver to it alike.
    pub(super) fn share_destination(&self, destination: Destination) -> Arc<Destination> {
        let place = match &destination {
            Destination::Sftp(sftp) => (sftp.host.clone(), sftp.directory.clone()),
            Destination::Folder(folder) => (String::new(), folder.path.display().to_string()),
        };
        let mut destinations = self.destinations.borrow_mut();
        let known = destinations.entry(place).or_default();
        if let Some(same) = known.iter().find(|other| ***other == destination) {
            return Arc::clone(same);
        }
        let new = Arc::new(destination);
        known.push(Arc::clone(&new));
        new
    }

    /// The template of `text`, as one copy for all jobs.
    pub(super) fn template(&self, text: &str) -> Result<NameTemplate, NameFaults> {
        if let Some(known) = self.templates.borrow().get(text) {
            return Ok(known.clone());
        }
        let template = NameTemplate::parse(text)?;
        self.templates.borrow_mut().insert(text.to_owned(), template.clone());
        Ok(template)
    }
}

//! What readers of a configuration have in common: the catalogue, and one place for each thing that many jobs say.
//!
//! Thousands of jobs make a few choices between them. What is equal is held once, so that the memory that a job takes is
//! that of what is its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::surroundings::Surroundings;
use crate::catalogue::{Catalogue, Column};
use crate::job::{Destination, JobExport};
use crate::name::{NameFault, NameTemplate};

/// What every reader may look at.
pub(super) struct Context<'a> {
    pub(super) from: &'a Surroundings,
    pub(super) catalogue: Catalogue,
    /// Whether all of the catalogue could be read, so that what it lacks does not exist.
    pub(super) catalogue_is_whole: bool,
    /// The columns of each choice: thousands of jobs make a few choices between them.
    choices: RefCell<HashMap<Choice, Arc<[Column]>>>,
    /// The exports of jobs, by their names, for the same reason.
    exports: RefCell<HashMap<String, Vec<Arc<JobExport>>>>,
    /// Their destinations, by host and directory, for the same reason.
    destinations: RefCell<HashMap<Place, Vec<Arc<Destination>>>>,
    /// Templates by their text, for the same reason.
    templates: RefCell<HashMap<String, NameTemplate>>,
}

/// A host, and a directory there.
type Place = (String, String);

/// An export, and the names of the columns chosen from it.
type Choice = (String, Vec<String>);

impl<'a> Context<'a> {
    pub(super) fn new(from: &'a Surroundings, catalogue: Catalogue, catalogue_is_whole: bool) -> Context<'a> {
        let (choices, exports) = (RefCell::default(), RefCell::default());
        let (destinations, templates) = (RefCell::default(), RefCell::default());
        Context { from, catalogue, catalogue_is_whole, choices, exports, destinations, templates }
    }

    /// The same columns, in one place for all jobs.
    pub(super) fn share_columns(&self, export: &str, columns: Vec<Column>) -> Arc<[Column]> {
        let names = columns.iter().map(|column| column.name.clone()).collect();
        Arc::clone(self.choices.borrow_mut().entry((export.to_owned(), names)).or_insert_with(|| columns.into()))
    }

    /// The same export, in one place for all jobs. Its columns are shared already.
    pub(super) fn share_export(&self, export: JobExport) -> Arc<JobExport> {
        let filter = |export: &JobExport| export.filter.as_ref().map(|time| time.name.clone());
        let mut exports = self.exports.borrow_mut();
        let known = exports.entry(export.name.clone()).or_default();
        share(known, export, |export, other| {
            let is_same_choice = Arc::ptr_eq(&other.columns, &export.columns) && other.period == export.period;
            is_same_choice && filter(other) == filter(export)
        })
    }

    /// The same destination, in one place for all jobs.
    pub(super) fn share_destination(&self, destination: Destination) -> Arc<Destination> {
        let place = (destination.host.clone(), destination.directory.clone());
        let mut destinations = self.destinations.borrow_mut();
        share(destinations.entry(place).or_default(), destination, Destination::eq)
    }

    /// The template of `text`, in one place for all jobs.
    pub(super) fn template(&self, text: &str) -> Result<NameTemplate, NameFault> {
        if let Some(known) = self.templates.borrow().get(text) {
            return Ok(known.clone());
        }
        let template = NameTemplate::parse(text)?;
        self.templates.borrow_mut().insert(text.to_owned(), template.clone());
        Ok(template)
    }
}

/// The one of `known` that is the same as `new`; if there is none, `new` becomes known.
fn share<T>(known: &mut Vec<Arc<T>>, new: T, is_same: impl Fn(&T, &T) -> bool) -> Arc<T> {
    if let Some(same) = known.iter().find(|other| is_same(&new, other)) {
        return Arc::clone(same);
    }
    let new = Arc::new(new);
    known.push(Arc::clone(&new));
    new
}

//! Templates of names and of directories: what is wrong with one, at its place.

use super::fault::Fault;
use super::guess::suggest;
use super::keys::variable_answer;
use super::table::Item;
use crate::name::NameFault;

/// Reports what is wrong with the template of `item`, which can name `variables`.
pub(super) fn report(item: &Item<'_>, faults: &[NameFault], variables: &'static [&'static str]) {
    for fault in faults {
        let span = fault.range().map_or(item.span.clone(), |range| item.part(range));
        let told = Fault::new(format!("`{}`: {fault}", item.key));
        let known = variables.iter().copied();
        let told = match fault {
            NameFault::UnknownVariable { name, .. } => match variable_answer(name) {
                Some(answer) => told.label("unknown").help(answer),
                None => suggest(told, name, known),
            },
            NameFault::Syntax | NameFault::NotAVariable { .. } => suggest(told, "", known).label("in here"),
        };
        item.file.fault(span, told);
    }
}

//! `reason`: a job that lets sensitive columns out says why. Every job for itself: a default would be a reason for
//! whatever comes next.

use std::sync::Arc;

use super::fault::Fault;
use super::job_keys::JobKeys;
use super::keys::LONGEST_REASON;
use super::table::Item;
use crate::job::JobExport;

/// Reads a job's `reason`.
pub(super) fn read(keys: &JobKeys<'_>) -> Option<Option<String>> {
    let Some(item) = keys.own.get("reason") else { return Some(None) };
    item.line()?;
    item.text_of(LONGEST_REASON).map(|text| Some(text.trim().to_owned()))
}

/// Reports the first sensitive column of a job that gives no reason.
pub(super) fn check(keys: &JobKeys<'_>, exports: &[Arc<JobExport>]) {
    if keys.own.get("reason").is_some() {
        return;
    }
    let items = keys.own.get("exports").and_then(|item| item.list()).unwrap_or_default();
    // `exports` are those of the list, one for one; a list with a fault gives none.
    let exposing = items.iter().zip(exports).find(|(_, export)| export.sensitive().count() > 0);
    let Some((item, export)) = exposing else { return };
    let mut columns: Vec<&str> =
        export.sensitive().map(|column| column.group.as_deref().unwrap_or(&column.name)).collect();
    columns.dedup();
    let name = &export.name;
    let message = match &columns[..] {
        [one] => format!("the column `{one}` of `{name}` is sensitive, and the job does not say why it leaves"),
        several => {
            let columns = several.join("`, `");
            format!("the columns `{columns}` of `{name}` are sensitive, and the job does not say why they leave")
        }
    };
    let fault = Fault::new(message).label("add `reason = \"…\"` to the job, or leave this out");
    let help = "what `reason` says is shown by check and report, and kept in the history of every run";
    naming(item, export).unwrap_or_else(|| item.clone()).fault(fault.help(help));
}

/// The word by which the job names the first of its sensitive columns, or the pattern that it is a member of.
fn naming<'a>(item: &Item<'a>, export: &JobExport) -> Option<Item<'a>> {
    let table = item.as_table()?;
    let names = table.get("fields").or_else(|| table.get("add"))?.texts()?;
    let is_sensitive =
        |text: &str| export.sensitive().any(|column| column.name == text || column.group.as_deref() == Some(text));
    names.into_iter().find(|(_, text)| is_sensitive(text)).map(|(item, _)| item)
}

//! Secrets by reference: from an environment variable, a file, or a credential that systemd hands over.
//!
//! A secret may also stand in the file itself. Faults name the reference and never the text.

use super::context::Context;
use super::fault::Fault;
use super::keys;
use super::table::{Item, Table};
use super::unreadable::unreadable;
use crate::secret::Secret;

/// Reads the secret behind `item`.
pub(super) fn read(item: &Item<'_>, context: &Context<'_>) -> Option<Secret> {
    let text = match (item.as_text(), item.as_table()) {
        (Some(text), _) if is_variable(text) => {
            let fault = Fault::new(format!("`{}` is a variable, and nothing is substituted in this file", item.key));
            item.fault(fault.label("write { env = \"NAME\" }"));
            return None;
        }
        (Some(text), _) => text.to_owned(),
        (None, Some(table)) => dereference(item, &table, context)?,
        (None, None) => {
            item.refuse("text, or a reference such as { env = \"NAME\" }");
            return None;
        }
    };
    if text.is_empty() {
        item.fault(Fault::new(format!("`{}` is empty", item.key)).label("there is nothing in it"));
        return None;
    }
    Some(Secret::new(text))
}

/// Whether all of a text is a variable as a shell writes it. Within a text it may be part of a password.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).or_else(|| text.strip_prefix('$'));
    name.is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

fn dereference(item: &Item<'_>, table: &Table<'_>, context: &Context<'_>) -> Option<String> {
    table.refuse_unknown(&keys::REFERENCE);
    let sources: Vec<Item<'_>> = keys::REFERENCE.names().filter_map(|key| table.get(key)).collect();
    let [source] = &sources[..] else {
        let fault = Fault::new(format!("`{}` needs exactly one source", item.key));
        item.fault(fault.label("write { env = \"NAME\" }, { file = \"PATH\" } or { credential = \"NAME\" }"));
        return None;
    };
    match source.key {
        "env" => from_variable(source, context),
        "file" => from_file(source, &context.from.base_dir.join(source.line()?)),
        _ => from_credential(source, context),
    }
}

fn from_variable(source: &Item<'_>, context: &Context<'_>) -> Option<String> {
    let name = source.line()?;
    let value = (context.from.variable)(name);
    if value.is_none() {
        source.fault(
            Fault::new(format!("the environment variable `{name}` is not set")).label("set it, or name another"),
        );
    }
    value
}

fn from_credential(source: &Item<'_>, context: &Context<'_>) -> Option<String> {
    let name = source.line()?;
    if name.contains('/') {
        source.fault(Fault::new("a credential has a name, not a path").label("for a path write { file = … }"));
        return None;
    }
    let Some(folder) = (context.from.variable)("CREDENTIALS_DIRECTORY") else {
        let fault = Fault::new(format!("no credentials are given, so `{name}` can't be read"));
        source.fault(
            fault.label("CREDENTIALS_DIRECTORY is not set").help("systemd sets it for a unit with LoadCredential="),
        );
        return None;
    };
    from_file(source, &context.from.base_dir.join(folder).join(name))
}

fn from_file(source: &Item<'_>, path: &std::path::Path) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => {
            source.fault(unreadable(&format!("the secret's file {}", path.display()), path, &error));
            None
        }
    }
}

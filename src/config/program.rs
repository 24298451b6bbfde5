//! Programs that the daemon calls, looked for when somebody asks whether a configuration works on this machine.

use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::context::Context;
use super::fault::Fault;
use super::table::Item;
use crate::access::{self, Denied};

/// Reports what keeps the program that `item` names from being started. A name without a folder is looked for in PATH.
pub(super) fn check(item: &Item<'_>, name: &str, context: &Context<'_>) {
    if name.contains('/') {
        return check_path(item, Path::new(name));
    }
    let folders = (context.from.variable)("PATH").unwrap_or_default();
    let found: Vec<PathBuf> = std::env::split_paths(&folders).map(|folder| folder.join(name)).collect();
    if found.iter().any(|path| is_program(path)) {
        return;
    }
    match found.iter().find(|path| path.is_file()) {
        Some(path) => check_path(item, path),
        None => item.fault(Fault::new(format!("there is no program `{name}` in PATH")).label("write its whole path")),
    }
}

fn check_path(item: &Item<'_>, path: &Path) {
    if is_program(path) {
        return;
    }
    let shown = path.display();
    let fault = match path.metadata() {
        Err(error) if access::is_denied(&error) => {
            let denied = Denied::at(path);
            Fault::new(format!("{shown} can't be looked at: {}", denied.what())).help(denied.remedy())
        }
        Err(_) if path.is_relative() => {
            Fault::new(format!("there is no program {shown} in the current folder")).label("write its whole path")
        }
        Err(_) => Fault::new(format!("there is no program {shown}")).label("name one that is on this machine"),
        Ok(found) if found.is_file() => Fault::new(format!("{shown} can't be executed"))
            .label("not executable for this user")
            .help(format!("if it is the right file: chmod +x {}", access::shell_word(path))),
        Ok(_) => Fault::new(format!("{shown} is not a file")).label("name a program"),
    };
    item.fault(fault);
}

fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

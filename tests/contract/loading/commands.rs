//! Runs the commands of docs/loading.md, and reads what they have loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use exportd::store::StoreKind;
use serde::Serialize;
use tempfile::TempDir;

use super::orders::{Rows, names};
use crate::contract::format::readers::ask_python;
use crate::support::databases::{Database, PASSWORD};

/// A command, and where its table is to be found afterwards.
#[derive(Serialize)]
pub struct Load {
    loader: String,
    folder: PathBuf,
    script: String,
    environment: BTreeMap<&'static str, String>,
    /// The file of an SQLite database, from the folder.
    database: PathBuf,
    /// What the command needs as long as it runs.
    #[serde(skip)]
    _server: Option<(Database, TempDir)>,
}

impl Load {
    /// A command that runs in `folder`, on a server with an empty database of its own.
    pub async fn command(loader: &str, folder: &Path, script: String) -> Load {
        let server = match loader {
            "postgresql" => Some(Database::new(StoreKind::Postgres).await),
            "mariadb" => Some(Database::new(StoreKind::Mysql).await),
            _ => None,
        };
        if loader == "mariadb" {
            // What people have who never chose one. Nothing may depend on it.
            server.as_ref().unwrap().run("alter database character set latin1").await;
        }
        let home = tempfile::tempdir().unwrap();
        let environment = server.as_ref().map(|server| environment(server, home.path())).unwrap_or_default();
        let (loader, folder, database) = (loader.to_owned(), folder.to_owned(), "shop.db".into());
        Load { loader, folder, script, environment, database, _server: server.map(|server| (server, home)) }
    }

    /// No command: the table is in `database` already.
    pub fn none(database: &Database, home: &Path) -> Load {
        let (loader, environment, path) = match database.kind {
            StoreKind::Sqlite => ("sqlite", BTreeMap::new(), database.path()),
            StoreKind::Postgres => ("postgresql", environment(database, home), PathBuf::new()),
            StoreKind::Mysql => ("mariadb", environment(database, home), PathBuf::new()),
        };
        let (loader, folder, script) = (loader.to_owned(), home.to_owned(), "true".to_owned());
        Load { loader, folder, script, environment, database: path, _server: None }
    }
}

/// What lets the clients find `database` without being told on the command line; `home` gets a file for that.
fn environment(database: &Database, home: &Path) -> BTreeMap<&'static str, String> {
    let (_, place) = database.url.rsplit_once(':').unwrap();
    let (port, name) = place.split_once('/').unwrap();
    let login = format!("[client]\nhost = 127.0.0.1\nport = {port}\nuser = exportd\npassword = {PASSWORD}\n");
    std::fs::write(home.join(".my.cnf"), format!("{login}[mysql]\ndatabase = {name}\n")).unwrap();
    let home = home.to_str().unwrap();
    let variables = [
        ("HOME", home),
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", port),
        ("PGUSER", "postgres"),
        ("PGDATABASE", name),
        ("PGTZ", "UTC"),
    ];
    variables.map(|(variable, value)| (variable, value.to_owned())).into()
}

/// The rows of `orders` after each of these.
pub fn rows_after(loads: &[Load]) -> Vec<Result<Rows, String>> {
    ask_python("loading/cells.py", &[], &serde_json::json!({ "names": names(), "loads": loads }))
}

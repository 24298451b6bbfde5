//! What a store's tables look like in full: the raw material of a catalogue's draft.
//!
//! More than [`Snapshot::inspect`] tells, and asked once for all tables: keys, defaults, and types as the store
//! keeps them, its own names for types (domains, enumerations) taken away. Only what this role may read is listed.

use std::collections::HashMap;

use super::error::StoreError;
use super::relation::DbTable;
use super::{Inner, Snapshot};

/// A table or view in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDetails {
    /// The schema, where the database has several.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether it is a view.
    pub is_view: bool,
    /// Its columns, in the store's order.
    pub columns: Vec<ColumnDetails>,
    /// The columns of its primary key, in the key's order; empty if it has none.
    pub key: Vec<String>,
    /// Why its columns could not be looked up: a view of what is gone, say.
    pub fault: Option<String>,
    /// Why an export of it may hold other rows than an administrator expects; one sentence.
    pub warning: Option<String>,
}

/// A column in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDetails {
    /// Its name.
    pub name: String,
    /// Its type, in the store's words; of an enumeration a word that starts with `enum`.
    pub sql_type: String,
    /// Whether it can be NULL as far as the store knows.
    pub nullable: bool,
    /// The expression of its default.
    pub default: Option<String>,
    /// Whether the store sets it to the present time with every change.
    pub on_update: bool,
}

impl Snapshot {
    /// All tables and views that [`Snapshot::tables`] lists, in full; of a server whose URL names a database only
    /// those of that database.
    pub async fn describe(&mut self) -> Result<Vec<TableDetails>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(sqlite) => sqlite.describe(),
            Inner::Postgres(postgres) => postgres.describe().await,
            Inner::Mysql(mysql) => mysql.describe().await,
        }
    }
}

/// A column as servers list it: with its table, among those of all tables.
pub(super) struct FoundColumn {
    pub(super) schema: Option<String>,
    pub(super) table: String,
    pub(super) details: ColumnDetails,
    /// Where it stands in the primary key.
    pub(super) key_position: Option<i64>,
}

/// Puts the columns into their tables. Those of tables that are not listed are left out.
pub(super) fn assemble(tables: Vec<DbTable>, columns: Vec<FoundColumn>) -> Vec<TableDetails> {
    let mut columns_of: HashMap<(Option<String>, String), Vec<FoundColumn>> = HashMap::new();
    for column in columns {
        let table = (column.schema.clone(), column.table.clone());
        columns_of.entry(table).or_default().push(column);
    }
    let details = |table: DbTable| {
        let columns = columns_of.remove(&(table.schema.clone(), table.name.clone())).unwrap_or_default();
        let position = |column: &FoundColumn| Some((column.key_position?, column.details.name.clone()));
        let mut key: Vec<(i64, String)> = columns.iter().filter_map(position).collect();
        key.sort();
        TableDetails {
            schema: table.schema,
            name: table.name,
            is_view: table.is_view,
            columns: columns.into_iter().map(|column| column.details).collect(),
            key: key.into_iter().map(|(_, name)| name).collect(),
            fault: None,
            warning: None,
        }
    };
    tables.into_iter().map(details).collect()
}

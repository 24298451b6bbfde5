//! Tables that the snapshot does not cover: those of engines without transactions, such as MyISAM and Aria, and those
//! that are read from another server, whatever their engine says of itself.
//!
//! A table is found by its name, in what an export reads from and in the definitions of views. The name in a query can
//! also be an alias or a column, and then a warning too many is better than one that is missing. What is behind a view
//! can only be told to a role that may see its definition and its tables; that it may not is told as well.

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;
use sqlx::mysql::MySqlRow;

use super::catalogue::{text, truth};
use super::{Mysql, error};
use crate::catalogue::Source;
use crate::store::error::StoreError;
use crate::store::sql::Quotes;
use crate::wording::few;

const OUTSIDE: &str = "SELECT t.table_schema, t.table_name, t.table_schema = DATABASE(), t.engine \
     FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine \
     WHERE (coalesce(e.transactions, 'NO') <> 'YES' OR upper(e.engine) IN ('FEDERATED', 'SPIDER', 'CONNECT')) \
       AND t.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') \
     ORDER BY BINARY t.table_name, BINARY t.table_schema";

const VIEWS: &str = "SELECT table_schema, table_name, table_schema = DATABASE(), view_definition \
     FROM information_schema.views \
     WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')";

/// What helps without a right for our role: an administrator sees every table.
const OUT_OF_SIGHT: &str = "it reads a view whose tables the role may not see, so it is not known whether their engines have \
    transactions: grant the role SHOW VIEW on the view and SELECT on its tables, or have an administrator look at ENGINE in \
    information_schema.tables";

/// What may be outside the snapshot, and the views that may lead to it.
#[derive(Debug)]
pub(super) struct Engines {
    outside: Vec<Known>,
    /// Empty where there is nothing that they could lead to.
    views: Vec<Known>,
}

/// A table or view, and its engine or definition.
#[derive(Debug)]
struct Known {
    schema: String,
    name: String,
    is_ours: bool,
    fact: String,
}

impl Known {
    fn of(row: &MySqlRow) -> sqlx::Result<Known> {
        Ok(Known { schema: text(row, 0)?, name: text(row, 1)?, is_ours: truth(row, 2)?, fact: text(row, 3)? })
    }

    /// As definitions of views write it.
    fn path(&self) -> String {
        Quotes::Backtick.quote_path(&self.schema, &self.name)
    }

    /// Whether a person's query seems to read it.
    fn is_named_in(&self, query: &str) -> bool {
        mentions(query, &self.name) && (self.is_ours || mentions(query, &self.schema))
    }
}

impl Mysql {
    /// What there is to say about the tables behind `from` that take no part in the snapshot. `from` is an item of a
    /// FROM clause: the whole name of a table or view, or the query of `source`.
    pub(super) async fn outside_snapshot(&mut self, source: &Source, from: &str) -> Result<Option<String>, StoreError> {
        let Engines { outside, views } = self.engines().await?;
        let is_read = |known: &Known| match source {
            Source::Table(_) => from == known.path(),
            Source::Query(query) => known.is_named_in(query),
        };
        let mut texts: Vec<&str> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Known> = views.iter().filter(|view| is_read(view)).collect();
        while let Some(view) = next.pop() {
            if seen.insert(view.path()) {
                texts.push(&view.fact);
                next.extend(views.iter().filter(|inner| view.fact.contains(&inner.path())));
            }
        }
        let is_behind = |table: &&Known| is_read(table) || texts.iter().any(|text| text.contains(&table.path()));
        let found: Vec<String> =
            outside.iter().filter(is_behind).map(|table| format!("{} ({})", table.name, table.fact)).collect();
        Ok((!found.is_empty()).then(|| warning(&few(&found, found.len()))))
    }

    /// What there is to say if `statement` reads a view behind which our role may not look. A server explains a statement
    /// only to those who may see every table and view that it reads.
    pub(super) async fn out_of_sight(&mut self, statement: &str) -> Result<Option<String>, StoreError> {
        let explained = sqlx::query(AssertSqlSafe(format!("EXPLAIN {statement}"))).fetch_all(self.db()?).await;
        Ok(explained.is_err_and(|error| error::is_unexplained(&error)).then(|| OUT_OF_SIGHT.to_owned()))
    }

    /// The lists are the same for all exports of a run, and a server with many tables takes its time for them.
    async fn engines(&mut self) -> Result<&Engines, StoreError> {
        let engines = match self.engines.take() {
            Some(known) => known,
            None => {
                let outside = self.known(OUTSIDE).await?;
                let views = if outside.is_empty() { Vec::new() } else { self.known(VIEWS).await? };
                Engines { outside, views }
            }
        };
        Ok(self.engines.insert(engines))
    }

    async fn known(&mut self, question: &'static str) -> Result<Vec<Known>, StoreError> {
        let rows = self.ask(sqlx::query(question)).await?;
        rows.iter().map(Known::of).collect::<sqlx::Result<_>>().map_err(|error| error::of(error, self.timeout))
    }
}

fn warning(tables: &str) -> String {
    format!(
        "the run's snapshot does not cover {tables}: an engine without transactions, or of another server, also shows \
         what is written while a run reads"
    )
}

/// Whether `name` is one of the words of `text`, or stands in it in backticks. Case does not matter.
fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let is_part = |character: char| character.is_alphanumeric() || character == '_' || character == '$';
    text.split(|character| !is_part(character)).any(|word| word == name)
        || text.contains(&Quotes::Backtick.quote(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        for text in ["select * from Logs", "select * from shop.logs l", "select * from `logs`", "(select 1 from logs)"]
        {
            assert!(mentions(text, "logs"), "{text}");
        }
        assert!(!mentions("select * from logs_old join blogs", "logs"));
        assert!(mentions("select * from `the ``logs`", "the `logs"));
    }
}

//! From an export to the statements that read it.

use rusqlite::{Connection, params};

use super::time::{self, Functions, Spelling};
use super::unreadable::TimeCheck;
use super::{Sqlite, error};
use crate::catalogue::{Column, Source, Unreadable};
use crate::job::JobExport;
use crate::store::bounds;
use crate::store::error::StoreError;
use crate::store::relation::{self, Case, DbColumn, declared_scale};
use crate::store::sql::{Quotes, Select, subquery, table_names};
use crate::store::statement;
use crate::value::{ColumnType, Scale};

/// A table, view or query, and its columns.
pub(super) struct Relation {
    /// As an item of a FROM clause.
    pub(super) from: String,
    pub(super) columns: Vec<DbColumn>,
}

/// How one export is read.
#[derive(Debug)]
pub(in crate::store) struct ReadPlan {
    /// The statement that is right whatever the rows hold.
    pub(super) select: Select,
    /// For each cell, how the column's type declares the scale.
    pub(in crate::store) scales: Vec<Scale>,
    /// What the period is compared with.
    pub(super) filter: Option<Filter>,
    /// Each time that is read, where no period filters and none may be NULL instead.
    pub(super) listed: Vec<TimeCheck>,
    /// A faster way, for rows whose datetimes are all spelt alike.
    pub(super) indexed: Option<Indexed>,
}

/// The column that a period filters on.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) check: TimeCheck,
    /// The condition that an index can answer.
    pub(super) range: String,
}

/// Rows in the raw order of their columns, which an index yields without sorting.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) select: Select,
    /// For each datetime that rows are sorted by.
    pub(super) odd_ones: Vec<OddOne>,
}

/// Statements that yield a row if two datetimes are spelt differently.
#[derive(Debug)]
pub(super) struct OddOne {
    /// Among all rows.
    pub(super) of_all: String,
    /// Among the rows of the period and some around it.
    pub(super) of_period: String,
}

impl Sqlite {
    /// Checks that everything `export` names exists, and decides how it is read.
    pub(in crate::store) fn prepare(
        &mut self,
        export: &JobExport,
        hints: &mut Vec<String>,
    ) -> Result<ReadPlan, StoreError> {
        let relation = self.relation(&export.source)?;
        let found = relation::find(export, &relation.columns, Case::Folds)?;
        let quoted = |column: &DbColumn| Quotes::Double.quote(&column.name);
        let mut select = Select {
            cells: found.cells.iter().map(|column| quoted(column)).collect(),
            from: relation.from.clone(),
            filter: String::new(),
            order: Vec::new(),
        };
        let filter = match (&export.filter, found.filter) {
            (Some(time), Some(column)) => {
                Some(self.filter(&mut select, &time.column, &quoted(column), &export.source, hints)?)
            }
            _ => None,
        };
        let mut datetimes = Vec::new();
        for column in &found.order {
            let name = quoted(column);
            match declared(export, column) {
                Some(declared) if declared.kind == ColumnType::Datetime => {
                    let functions = self.register(declared)?;
                    select.order.push(format!("{}({name})", functions.sorted));
                    datetimes.push((name, functions));
                }
                _ => select.order.push(format!("{name} COLLATE BINARY")),
            }
        }
        self.compile(&select.text(true))?;
        let raw = found.order.iter().map(|column| format!("{} COLLATE BINARY", quoted(column))).collect();
        let indexed = self.indexed(&select, raw, &datetimes, filter.as_ref())?;
        let scales = found.cells.iter().map(|column| scale(&column.sql_type)).collect();
        let is_listed = |column: &Column| {
            filter.is_none()
                && matches!(column.kind, ColumnType::Date | ColumnType::Datetime)
                && column.unreadable == Unreadable::Fail
        };
        let cells = found.cells.iter().zip(export.columns.iter()).filter(|(_, declared)| is_listed(declared));
        let listed = cells.map(|(column, declared)| TimeCheck {
            from: relation.from.clone(),
            name: quoted(column),
            column: declared.clone(),
        });
        let listed = listed.collect();
        Ok(ReadPlan { scales, select, filter, listed, indexed })
    }

    /// Adds the condition on the period to `select`.
    fn filter(
        &mut self,
        select: &mut Select,
        declared: &Column,
        name: &str,
        source: &Source,
        hints: &mut Vec<String>,
    ) -> Result<Filter, StoreError> {
        let range = format!("SELECT 1 FROM {} WHERE {name} >= ?1 AND {name} < ?2", select.from);
        let has_index = self.explain(&range)?.iter().any(|step| step.starts_with("SEARCH"));
        if !has_index {
            hints.push(bounds::no_index(name));
        }
        let check = TimeCheck { from: select.from.clone(), name: name.to_owned(), column: declared.clone() };
        if declared.kind == ColumnType::Date {
            select.filter = format!("{name} >= ?1 AND {name} < ?2");
            return Ok(Filter { check, range: select.filter.clone() });
        }
        let functions = self.register(declared)?;
        let is_table = matches!(source, Source::Table(_));
        let spelling = if has_index && is_table { self.spelling(&select.from, name)? } else { Spelling::Both };
        select.filter = time::condition(name, &functions, spelling);
        let range = time::range(name, spelling);
        Ok(Filter { check, range })
    }

    /// What the ends of an index tell: SQLite sorts all numbers before all texts.
    fn spelling(&self, from: &str, name: &str) -> Result<Spelling, StoreError> {
        let sql = format!("SELECT typeof((SELECT min({name}) FROM {from})), typeof((SELECT max({name}) FROM {from}))");
        let ends = self.db.query_row(&sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        let (first, last) = ends.map_err(error::asking)?;
        let is_number = |kind: &str| matches!(kind, "integer" | "real");
        Ok(match (first.as_str(), last.as_str()) {
            ("text", "text") => Spelling::Texts,
            (first, last) if is_number(first) && is_number(last) => Spelling::Numbers,
            _ => Spelling::Both,
        })
    }

    /// The faster way, if the order is by datetimes and an index yields their raw order.
    fn indexed(
        &self,
        select: &Select,
        raw_order: Vec<String>,
        datetimes: &[(String, Functions)],
        filter: Option<&Filter>,
    ) -> Result<Option<Indexed>, StoreError> {
        if datetimes.is_empty() {
            return Ok(None);
        }
        let raw = Select { order: raw_order, ..select.clone() };
        if self.explain(&raw.text(filter.is_some()))?.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY") {
            return Ok(None);
        }
        let odd_ones = datetimes.iter().map(|(name, functions)| {
            let shape = format!("{}({name})", functions.shape);
            let odd_one = |range: &str| {
                let rows = format!("FROM {} WHERE {range} AND {name} IS NOT NULL", select.from);
                format!("SELECT 1 {rows} AND {shape} IS NOT nullif((SELECT {shape} {rows} LIMIT 1), -1) LIMIT 1")
            };
            OddOne { of_all: odd_one("1"), of_period: odd_one(filter.map_or("1", |filter| &filter.range)) }
        });
        Ok(Some(Indexed { select: raw, odd_ones: odd_ones.collect() }))
    }

    /// How SQLite reads a period, if its datetimes are spelt alike.
    pub(in crate::store) fn plan(&self, plan: &ReadPlan) -> Result<String, StoreError> {
        let select = plan.indexed.as_ref().map_or(&plan.select, |indexed| &indexed.select);
        Ok(self.explain(&select.text(plan.filter.is_some()))?.join("\n"))
    }

    /// Finds what `source` names.
    pub(super) fn relation(&self, source: &Source) -> Result<Relation, StoreError> {
        match source {
            Source::Table(table) => self.table(table),
            Source::Query(query) => self.query(query),
        }
    }

    fn table(&self, table: &str) -> Result<Relation, StoreError> {
        for (schema, name) in table_names(table) {
            let schema = schema.unwrap_or("main");
            let (schema, name) = match spelt(&self.db, schema, name).map_err(error::asking)? {
                Some(found) => found,
                None => continue,
            };
            let columns = columns(&self.db, &schema, &name).map_err(error::asking)?;
            return Ok(Relation { from: Quotes::Double.quote_path(&schema, &name), columns });
        }
        let tables = self.tables()?;
        let nearest = relation::nearest(table, tables.iter().map(|table| table.name.as_str()));
        Err(StoreError::NoTable { table: table.to_owned(), nearest })
    }

    fn query(&self, query: &str) -> Result<Relation, StoreError> {
        let query = statement::single_select(query, statement::SQLITE)?;
        let from = subquery(query, Quotes::Double);
        let statement = self.db.prepare(&format!("SELECT * FROM {from}")).map_err(error::asking)?;
        if statement.parameter_count() > 0 {
            return Err(StoreError::Query("it has parameters, and there is nothing to bind to them".to_owned()));
        }
        let columns = statement.columns().into_iter().map(|column| DbColumn {
            name: column.name().to_owned(),
            sql_type: column.decl_type().unwrap_or("unknown").to_owned(),
            nullable: true,
        });
        let mut columns: Vec<DbColumn> = columns.collect();
        // Of columns that share a name, a subquery renames all but the first one, case or not.
        if let Ok(bare) = self.db.prepare(query) {
            for (index, name) in bare.column_names().into_iter().enumerate().skip(1) {
                let earlier = columns[..index].iter().find(|column| column.name.eq_ignore_ascii_case(name));
                if let Some(earlier) = earlier.map(|column| column.name.clone()) {
                    columns[index].name = earlier;
                }
            }
        }
        Ok(Relation { columns, from })
    }

    fn register(&mut self, column: &Column) -> Result<Functions, StoreError> {
        self.functions += 1;
        time::register(&self.db, column, self.functions).map_err(error::asking)
    }

    fn compile(&self, sql: &str) -> Result<(), StoreError> {
        self.db.prepare(sql).map(drop).map_err(error::asking)
    }

    /// The steps of SQLite's plan for `sql`.
    pub(super) fn explain(&self, sql: &str) -> Result<Vec<String>, StoreError> {
        let steps = || {
            let mut statement = self.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            // The plan does not depend on what is bound, so nothing is.
            statement.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<Vec<String>>>()
        };
        steps().map_err(error::asking)
    }
}

/// The schema and table as the database spells them.
fn spelt(db: &Connection, schema: &str, name: &str) -> rusqlite::Result<Option<(String, String)>> {
    let sql = "SELECT schema, name FROM pragma_table_list \
               WHERE schema = ?1 COLLATE NOCASE AND name = ?2 COLLATE NOCASE LIMIT 1";
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query(params![schema, name])?;
    rows.next()?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

fn columns(db: &Connection, schema: &str, name: &str) -> rusqlite::Result<Vec<DbColumn>> {
    // A hidden column of a virtual table (1) is no data; generated columns (2 and 3) are.
    let sql = "SELECT name, type, \"notnull\" FROM pragma_table_xinfo(?1, ?2) WHERE hidden <> 1 ORDER BY cid";
    let mut statement = db.prepare(sql)?;
    let column = |row: &rusqlite::Row<'_>| {
        let sql_type: String = row.get(1)?;
        let sql_type = if sql_type.is_empty() { "unknown".to_owned() } else { sql_type };
        Ok(DbColumn { name: row.get(0)?, sql_type, nullable: !row.get::<_, bool>(2)? })
    };
    statement.query_map(params![name, schema], column)?.collect()
}

/// What the column's type says about its decimals, which may have more digits all the same.
fn scale(sql_type: &str) -> Scale {
    declared_scale(sql_type).map_or(Scale::AsNeeded, Scale::AtLeast)
}

/// What the export says about a column of the store.
fn declared<'a>(export: &'a JobExport, column: &DbColumn) -> Option<&'a Column> {
    let filter = export.filter.iter().map(|time| &time.column);
    export.columns.iter().chain(filter).find(|declared| declared.sql_name.eq_ignore_ascii_case(&column.name))
}

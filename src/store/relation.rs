//! What a store says about its tables and columns, and how the columns of an export are found among them.

use super::error::{MissingColumn, StoreError};
use crate::catalogue::Source;
use crate::job::JobExport;

/// A column as the store describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbColumn {
    /// Its name, as the store spells it.
    pub name: String,
    /// Its type, in the store's words.
    pub sql_type: String,
    /// Whether it can be NULL as far as the store knows.
    pub nullable: bool,
}

/// A table or view of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbTable {
    /// The schema, where the database has several.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether it is a view.
    pub is_view: bool,
}

/// Columns that have names; each database knows more about them in its own way.
pub(super) trait Named {
    /// The column's name.
    fn name(&self) -> &str;
}

impl Named for DbColumn {
    fn name(&self) -> &str {
        &self.name
    }
}

/// Whether the names of columns differ by case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// `a` and `A` are two columns.
    Matters,
    /// `a` and `A` are the same column.
    Folds,
}

/// The columns of a store that an export needs.
#[derive(Debug)]
pub(super) struct Found<'a, C> {
    /// One for each column of the file.
    pub(super) cells: Vec<&'a C>,
    /// The one that the period filters on.
    pub(super) filter: Option<&'a C>,
    /// Those that fix the order.
    pub(super) order: Vec<&'a C>,
}

/// Finds every column that `export` names among `columns`, or says which are missing, all at once.
pub(super) fn find<'a, C: Named>(export: &JobExport, columns: &'a [C], case: Case) -> Result<Found<'a, C>, StoreError> {
    let mut missing: Vec<MissingColumn> = Vec::new();
    let mut doubled = None;
    let mut look_up = |name: &str| {
        let found = position(columns, name, case);
        if found.is_none() && missing.iter().all(|column| column.name != name) {
            let nearest = nearest(name, columns.iter().map(Named::name));
            missing.push(MissingColumn { name: name.to_owned(), nearest });
        }
        let found = &columns[found?];
        if columns.iter().filter(|column| column.name() == found.name()).count() > 1 {
            doubled = doubled.or(Some(found.name()));
        }
        Some(found)
    };
    let cells = export.columns.iter().filter_map(|column| look_up(&column.sql_name)).collect();
    let filter = export.filter.as_ref().and_then(|time| look_up(&time.column.sql_name));
    let order = export.order.iter().filter_map(|name| look_up(name)).collect();
    if let Some(name) = doubled {
        return Err(need_alias(name));
    }
    if missing.is_empty() {
        return Ok(Found { cells, filter, order });
    }
    let from = match &export.source {
        Source::Table(table) => format!("\"{table}\""),
        Source::Query(_) => format!("the query of \"{}\"", export.name),
    };
    Err(StoreError::NoColumns { from, missing })
}

/// Two columns of a query have the same name, and so neither can be asked for.
pub(super) fn need_alias(name: &str) -> StoreError {
    StoreError::Query(format!("two of its columns are named \"{name}\"; give one an alias"))
}

/// The digits after the point that a type declares: 2 for `numeric(10,2)`, in any database's spelling.
pub fn declared_scale(sql_type: &str) -> Option<u16> {
    const EXACT: [&str; 5] = ["numeric", "decimal", "dec", "number", "fixed"];
    let (name, rest) = sql_type.split_once('(')?;
    let (_, scale) = rest.split(')').next()?.split_once(',')?;
    let is_exact = EXACT.iter().any(|exact| exact.eq_ignore_ascii_case(name.trim()));
    scale.trim().parse().ok().filter(|_| is_exact)
}

fn position<C: Named>(columns: &[C], name: &str, case: Case) -> Option<usize> {
    let exact = columns.iter().position(|column| column.name() == name);
    match case {
        Case::Matters => exact,
        Case::Folds => exact.or_else(|| columns.iter().position(|column| same_name(column.name(), name))),
    }
}

fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The name most similar to `name`, if any is similar enough to be what was meant.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let wanted = name.to_lowercase();
    candidates
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= 0.5)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Column, TimeColumn};
    use crate::job::PeriodRule;
    use crate::value::ColumnType;

    fn export(columns: &[&str], filter: &str, order: &[&str]) -> JobExport {
        let column = Column::new(filter, ColumnType::Datetime);
        JobExport {
            name: "agents".to_owned(),
            source: Source::Table("agents".to_owned()),
            columns: columns.iter().map(|name| Column::new(name, ColumnType::String)).collect(),
            order: order.iter().map(|name| (*name).to_owned()).collect(),
            period: PeriodRule::Day,
            filter: Some(TimeColumn { name: "created".to_owned(), column }),
        }
    }

    #[test]
    fn finds_the_scale_of_exact_types() {
        for (sql_type, scale) in [
            ("numeric(10,2)", Some(2)),
            ("DECIMAL (10, 0)", Some(0)),
            ("decimal(12,4) unsigned zerofill", Some(4)),
            ("numeric(10)", None),
            ("numeric(5,-2)", None),
            ("numeric", None),
            ("float(7,3)", None),
            ("varchar(10,2)", None),
        ] {
            assert_eq!(declared_scale(sql_type), scale, "{sql_type}");
        }
    }

    fn columns(names: &[&str]) -> Vec<DbColumn> {
        let column = |name: &&str| DbColumn { name: (*name).to_owned(), sql_type: "text".to_owned(), nullable: true };
        names.iter().map(column).collect()
    }

    #[test]
    fn names_every_missing_column_once_with_the_nearest() {
        let found = columns(&["id", "email", "Created_At", "größe"]);
        let export = export(&["id", "emial", "zzz"], "created_at", &["emial", "grösse"]);
        let error = find(&export, &found, Case::Matters).unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"agents\" has no column \"emial\" (did you mean \"email\"?), \"zzz\", \
             \"created_at\" (did you mean \"Created_At\"?), \"grösse\" (did you mean \"größe\"?)"
        );
        assert!(error.is_permanent());
    }

    #[test]
    fn case_folds_only_where_no_column_fits_exactly() {
        let found = columns(&["ID", "id", "Created_At"]);
        let wanted = export(&["id", "ID"], "created_at", &["CREATED_AT"]);
        let wanted = find(&wanted, &found, Case::Folds).unwrap();
        assert_eq!(wanted.cells.iter().map(|column| column.name()).collect::<Vec<_>>(), ["id", "ID"]);
        assert_eq!(wanted.filter.unwrap().name(), "Created_At");
        assert_eq!(wanted.order[0].name(), "Created_At");
    }
}

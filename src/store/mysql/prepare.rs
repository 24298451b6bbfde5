//! From an export to the statement that reads it.

use sqlx::{AssertSqlSafe, Executor, Row};

use super::catalogue::{self, MyColumn};
use super::{Mysql, error};
use crate::catalogue::Column;
use crate::job::JobExport;
use crate::period::Period;
use crate::store::Remarks;
use crate::store::bounds::{self, Form};
use crate::store::error::StoreError;
use crate::store::relation::{self, Case};
use crate::store::sql::{Quotes, Select};
use crate::store::unreadable::{Ends, NumberCheck};
use crate::value::Scale;

/// How one export is read.
#[derive(Debug)]
pub(in crate::store) struct ReadPlan {
    pub(super) select: Select,
    /// For each cell, how the column's type declares the scale.
    pub(in crate::store) scales: Vec<Scale>,
    /// How the ends of a period are written.
    pub(super) filter: Option<Form>,
    /// How to see whether the numbers that a period compares with can be read.
    numbers: Option<NumberCheck>,
}

impl Mysql {
    /// Checks that everything `export` names exists and may be read, and decides how it is read.
    pub(in crate::store) async fn prepare(
        &mut self,
        export: &JobExport,
        remarks: &mut Remarks,
    ) -> Result<ReadPlan, StoreError> {
        let relation = self.relation(&export.source).await?;
        let found = relation::find(export, &relation.columns, Case::Folds)?;
        remarks.warnings.extend(self.outside_snapshot(&export.source, &relation.from).await?);
        let order = |column: &&MyColumn| column.class.order(&quoted(column), column.collation.as_deref());
        let mut select = Select {
            cells: found.cells.iter().map(|column| cell(column)).collect(),
            from: relation.from.clone(),
            filter: String::new(),
            order: found.order.iter().map(order).collect(),
        };
        let (mut filter, mut numbers) = (None, None);
        if let (Some(time), Some(column)) = (&export.filter, found.filter) {
            let (form, condition) = condition(&time.column, column)?;
            select.filter = condition;
            numbers = form
                .is_number()
                .then(|| NumberCheck::new(&relation.from, &quoted(column), &time.column, |end| format!("{end} + 0e0")));
            filter = Some(form);
            if column.lacks_index {
                remarks.hints.push(bounds::no_index(&quoted(column)));
            }
        }
        // Preparing it is what tells whether every function and right is there.
        let sql = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(select.text(true)));
        let timeout = self.timeout;
        self.db()?.prepare(sql).await.map_err(|error| error::of(error, timeout))?;
        remarks.hints.extend(self.out_of_sight(&select.text(false)).await?);
        let scales = found.cells.iter().map(|column| scale(column)).collect();
        Ok(ReadPlan { select, scales, filter, numbers })
    }

    /// Fails if a number that a period compares with can't be read. Says what there is to warn of.
    pub(in crate::store) async fn check_times(&mut self, plan: &ReadPlan) -> Result<Option<String>, StoreError> {
        let Some(check) = &plan.numbers else { return Ok(None) };
        check.run(async |sql| self.numbers(sql).await).await
    }

    async fn numbers(&mut self, sql: &str) -> Result<Ends, StoreError> {
        let rows = self.ask(sqlx::query(AssertSqlSafe(sql))).await?;
        let ends = rows.first().map_or(Ok(None), |row| {
            let end = |index| row.try_get::<Option<f64>, _>(index);
            Ok(end(0)?.zip(end(1)?).zip(end(2)?).map(|((least, greatest), rows)| [least, greatest, rows]))
        });
        ends.map_err(|error| error::of(error, self.timeout))
    }

    /// How the server reads a period, in JSON.
    pub(in crate::store) async fn explain(&mut self, plan: &ReadPlan, period: &Period) -> Result<String, StoreError> {
        let sql = format!("EXPLAIN FORMAT=JSON {}", plan.select.text(plan.filter.is_some()));
        let mut question = sqlx::query(AssertSqlSafe(sql));
        if let Some(form) = &plan.filter {
            question = question.bind(form.text(&period.from)).bind(form.text(&period.to));
        }
        let steps = self.ask(question).await?;
        let steps = steps.iter().map(|step| catalogue::text(step, 0)).collect::<sqlx::Result<Vec<String>>>();
        Ok(steps.map_err(|error| error::of(error, self.timeout))?.join("\n"))
    }
}

fn quoted(column: &MyColumn) -> String {
    Quotes::Backtick.quote(&column.column.name)
}

/// The expression for a cell. Adding nothing makes a wider number of a TINYINT(1), and keeps its sign.
fn cell(column: &MyColumn) -> String {
    if column.is_tiny { format!("{} + 0", quoted(column)) } else { quoted(column) }
}

/// Every decimal has a scale, and the server sends all digits of it, also those of an expression.
fn scale(column: &MyColumn) -> Scale {
    if column.column.sql_type.starts_with("decimal") { Scale::AsStored } else { Scale::AsNeeded }
}

/// How `column`, declared as `declared`, is compared with a period.
fn condition(declared: &Column, column: &MyColumn) -> Result<(Form, String), StoreError> {
    let Some((form, cast)) = column.class.filter(declared) else {
        return Err(StoreError::NotATime {
            column: column.column.name.clone(),
            sql_type: column.column.sql_type.clone(),
            declared: declared.kind.name(),
        });
    };
    let name = quoted(column);
    Ok((form, format!("{name} >= CAST(? AS {cast}) AND {name} < CAST(? AS {cast})")))
}

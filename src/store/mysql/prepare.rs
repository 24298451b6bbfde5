//! From an export to the statement that reads it.

use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::catalogue::{self, MyColumn};
use super::{Mysql, error};
use crate::catalogue::{Column, Unreadable};
use crate::job::JobExport;
use crate::period::Period;
use crate::store::Remarks;
use crate::store::bounds::{self, Form};
use crate::store::column_check::{Answer, Asked, Class, ColumnCheck};
use crate::store::error::StoreError;
use crate::store::relation::{self, Case};
use crate::store::sql::{Quotes, Select};
use crate::value::{ColumnType, Scale};

/// How one export is read.
#[derive(Debug)]
pub(in crate::store) struct ReadPlan {
    pub(super) select: Select,
    /// For each cell, how the column's type declares the scale.
    pub(in crate::store) scales: Vec<Scale>,
    /// How the ends of a period are written.
    pub(super) filter: Option<Form>,
    /// For each cell, whether it is declared a time, so that a decimal is a number and not text.
    pub(super) are_times: Vec<bool>,
    /// How to see whether the times that a period compares with can be read.
    times: Option<ColumnCheck>,
    /// The same for each time that is read, where no period filters.
    listed: Vec<ColumnCheck>,
}

/// Dates that are none. What has a year and no month or day, such as 2026-11-00, sorts among those of its year.
const UNREADABLE: &[Class] = &[Class { what: ["zero date", ""], condition: "{} < CAST('0001-01-01' AS DATETIME)" }];

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
        let (mut filter, mut times) = (None, None);
        if let (Some(time), Some(column)) = (&export.filter, found.filter) {
            let (form, condition) = condition(&time.column, column)?;
            select.filter = condition;
            times = Some(column_check(&relation.from, &quoted(column), &time.column, &form));
            filter = Some(form);
            if column.lacks_index {
                remarks.hints.push(bounds::no_index(&quoted(column)));
            }
        }
        let cells = found.cells.iter().zip(export.columns.iter()).filter(|_| filter.is_none());
        let listed =
            cells.filter(|(_, declared)| declared.unreadable == Unreadable::Fail).filter_map(|(column, declared)| {
                let (form, _) = column.class.filter(declared)?;
                Some(column_check(&relation.from, &quoted(column), declared, &form))
            });
        let listed = listed.collect();
        // Preparing it is what tells whether every function and right is there.
        let sql = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(select.text(true)));
        let timeout = self.timeout;
        self.db()?.prepare(sql).await.map_err(|error| error::of(error, timeout))?;
        remarks.hints.extend(self.out_of_sight(&select.text(false)).await?);
        let scales = found.cells.iter().map(|column| scale(column)).collect();
        let are_times = export.columns.iter().map(|column| column.kind == ColumnType::Datetime).collect();
        Ok(ReadPlan { select, scales, filter, are_times, times, listed })
    }

    /// Fails if a time that a period compares with can't be read. Says what there is to warn of.
    pub(in crate::store) async fn check_times(&mut self, plan: &ReadPlan) -> Result<Option<String>, StoreError> {
        let Some(check) = &plan.times else { return Ok(None) };
        check.run(self).await
    }

    /// The same for every time that is read, where no period filters.
    pub(in crate::store) async fn check_listed(&mut self, plan: &ReadPlan) -> Result<Vec<String>, StoreError> {
        let mut warnings = Vec::new();
        for check in &plan.listed {
            warnings.extend(check.run(self).await?);
        }
        Ok(warnings)
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

impl Asked for Mysql {
    /// Whether an index answers a statement for the least and the greatest value, so that no table is read.
    async fn is_ready(&mut self, ends: &str) -> Result<bool, StoreError> {
        let steps = self.ask(sqlx::query(AssertSqlSafe(format!("EXPLAIN {ends}")))).await?;
        let extra = |step: &MySqlRow| catalogue::text(step, step.len() - 1).unwrap_or_default();
        Ok(matches!(&steps[..], [step] if extra(step).contains("optimized away")))
    }

    async fn numbers(&mut self, sql: &str) -> Result<Answer, StoreError> {
        let rows = self.ask(sqlx::query(AssertSqlSafe(sql))).await?;
        let numbers = |row: &MySqlRow| (0..row.len()).map(|index| row.try_get(index)).collect();
        rows.first().map_or(Ok(Answer::new()), numbers).map_err(|error| error::of(error, self.timeout))
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

/// How to see whether every value of the column that is quoted as `name` can be read as `declared`.
fn column_check(from: &str, name: &str, declared: &Column, form: &Form) -> ColumnCheck {
    let double = |number: &str| format!("{number} + 0e0");
    match form.is_number() {
        true => ColumnCheck::of_numbers(from, name, declared, double),
        false => ColumnCheck::of_times(from, name, declared, UNREADABLE, double),
    }
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

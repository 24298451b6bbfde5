//! From an export to the statement that reads it.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::catalogue::PgColumn;
use super::types::Wire;
use super::{Postgres, error};
use crate::catalogue::{Column, Source, Unreadable};
use crate::job::JobExport;
use crate::period::Period;
use crate::store::bounds::{self, Form};
use crate::store::column_check::{Answer, Asked, Class, ColumnCheck};
use crate::store::error::StoreError;
use crate::store::relation::{self, Case};
use crate::store::sql::{Quotes, Select};
use crate::store::{Remarks, RowSecurity};
use crate::value::{ColumnType, Scale};

/// What somebody can do who has been warned of row-level security and wants the rows that remain.
const MEANT: &str = "if that is meant, write `row_security = \"on\"` in [store]";

/// How one export is read.
#[derive(Debug)]
pub(in crate::store) struct ReadPlan {
    pub(super) select: Select,
    /// What comes for each cell.
    pub(super) wires: Vec<Wire>,
    /// For each cell, how the column's type declares the scale.
    pub(in crate::store) scales: Vec<Scale>,
    /// How the ends of a period are written.
    pub(super) filter: Option<Form>,
    /// How to see whether the times that a period compares with can be read.
    times: Option<ColumnCheck>,
    /// The same for each time that is read, where no period filters.
    listed: Vec<ColumnCheck>,
}

/// Times that are none of the years 1 to 9999.
const UNREADABLE: &[Class] = &[
    Class { what: ["infinite time", ""], condition: "{} IN ('infinity', '-infinity')" },
    Class {
        what: ["time", " outside the years 1 to 9999"],
        condition: "({} < '0001-01-01' AND {} > '-infinity') OR ({} >= '10000-01-01' AND {} < 'infinity')",
    },
];

/// The modifier of a text is its length, and says nothing about a number in it.
fn scale(column: &PgColumn) -> Scale {
    let is_exact = matches!(column.kind.wire, Wire::Numeric | Wire::Elements(ColumnType::Decimal));
    if is_exact && column.has_scale { Scale::AsStored } else { Scale::AsNeeded }
}

impl Postgres {
    /// Checks that everything `export` names exists and may be read, and decides how it is read.
    pub(in crate::store) async fn prepare(
        &mut self,
        export: &JobExport,
        remarks: &mut Remarks,
    ) -> Result<ReadPlan, StoreError> {
        self.undone(async |postgres| postgres.plan(export, remarks).await).await
    }

    async fn plan(&mut self, export: &JobExport, remarks: &mut Remarks) -> Result<ReadPlan, StoreError> {
        let relation = self.relation(&export.source).await?;
        if let Source::Table(name) = &export.source {
            self.namesakes(name, remarks).await?;
        }
        let found = relation::find(export, &relation.columns, Case::Matters)?;
        let quoted = |column: &PgColumn| Quotes::Double.quote(&column.column.name);
        let order =
            |column: &&PgColumn| column.kind.order(&quoted(column), column.column.nullable, column.has_byte_order);
        let mut select = Select {
            cells: found.cells.iter().map(|column| column.kind.cell(&quoted(column))).collect(),
            from: relation.from.clone(),
            filter: String::new(),
            order: found.order.iter().map(order).collect(),
        };
        let wires = found.cells.iter().zip(export.columns.iter());
        let wires = wires.map(|(column, declared)| column.kind.wire_as(declared.kind)).collect();
        let scales = found.cells.iter().map(|column| scale(column)).collect();
        let (mut filter, mut times) = (None, None);
        if let (Some(time), Some(column)) = (&export.filter, found.filter) {
            let (form, condition) = condition(&time.column, column)?;
            select.filter = condition;
            self.bind_any(&form).await?;
            times = Some(column_check(&relation.from, &quoted(column), &time.column, &form));
            filter = Some(form);
            if column.lacks_index {
                remarks.hints.push(bounds::no_index(&quoted(column)));
            }
        }
        let cells = found.cells.iter().zip(export.columns.iter()).filter(|_| filter.is_none());
        let listed =
            cells.filter(|(_, declared)| declared.unreadable == Unreadable::Fail).filter_map(|(column, declared)| {
                let (form, _) = column.kind.filter(declared)?;
                Some(column_check(&relation.from, &quoted(column), declared, &form))
            });
        let listed = listed.collect();
        // Planning it is what tells whether every function, operator and right is there.
        let statement = select.text(filter.is_some());
        self.ask(sqlx::query(AssertSqlSafe(format!("EXPLAIN {statement}")))).await?;
        self.behind(remarks).await?;
        if let Some(narrowed) = self.narrowed(&statement).await? {
            match self.row_security {
                Some(RowSecurity::Off) => return Err(narrowed.refusal()),
                Some(RowSecurity::On) => remarks.hints.push(narrowed.warning()),
                None => remarks.warnings.push(format!("{}; {MEANT}", narrowed.warning())),
            }
        }
        Ok(ReadPlan { select, wires, scales, filter, times, listed })
    }

    /// Fails if a time that a period compares with can't be read. Says what there is to warn of.
    pub(in crate::store) async fn check_times(&mut self, plan: &ReadPlan) -> Result<Option<String>, StoreError> {
        let Some(check) = &plan.times else { return Ok(None) };
        self.undone(async |postgres| check.run(postgres).await).await
    }

    /// The same for every time that is read, where no period filters.
    pub(in crate::store) async fn check_listed(&mut self, plan: &ReadPlan) -> Result<Vec<String>, StoreError> {
        let mut warnings = Vec::new();
        for check in &plan.listed {
            warnings.extend(self.undone(async |postgres| check.run(postgres).await).await?);
        }
        Ok(warnings)
    }

    /// How the server reads a period.
    pub(in crate::store) async fn explain(&mut self, plan: &ReadPlan, period: &Period) -> Result<String, StoreError> {
        if let Some(form) = &plan.filter {
            self.bind(form, period).await?;
        }
        let sql = format!("EXPLAIN {}", plan.select.text(plan.filter.is_some()));
        let steps = self.ask(sqlx::query(AssertSqlSafe(sql))).await?;
        let steps = steps.iter().map(|step| step.try_get(0)).collect::<sqlx::Result<Vec<&str>>>();
        Ok(steps.map_err(|error| error::of(error, self.timeout))?.join("\n"))
    }

    /// Binds some period, for the planner evaluates the condition.
    async fn bind_any(&mut self, form: &Form) -> Result<(), StoreError> {
        let today = jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let period = Period { from: today.clone(), to: today };
        self.bind(form, &period).await
    }

    /// Does `work` and takes back what it leaves in the transaction: settings, locks, and an error, which would end the
    /// transaction and with it the snapshot of the other exports.
    pub(super) async fn undone<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Postgres) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A query of its own shows whether row-level security refuses, so that its error is not mistaken for another one.
        self.run("SAVEPOINT exportd; SET LOCAL row_security = on").await?;
        let result = work(self).await;
        if self.connection.is_open() {
            self.run("ROLLBACK TO SAVEPOINT exportd; RELEASE SAVEPOINT exportd").await?;
        }
        result
    }

    pub(super) async fn run(&mut self, statements: &'static str) -> Result<(), StoreError> {
        let timeout = self.timeout;
        self.db()?.execute(statements).await.map_err(|error| error::of(error, timeout))?;
        Ok(())
    }
}

impl Asked for Postgres {
    /// Whether an index answers a statement for the least and the greatest value: then nothing is left to aggregate.
    async fn is_ready(&mut self, ends: &str) -> Result<bool, StoreError> {
        let steps = self.ask(sqlx::query(AssertSqlSafe(format!("EXPLAIN {ends}")))).await?;
        Ok(steps.first().is_some_and(|step| step.try_get(0).is_ok_and(|step: &str| step.starts_with("Result"))))
    }

    async fn numbers(&mut self, sql: &str) -> Result<Answer, StoreError> {
        let rows = self.ask(sqlx::query(AssertSqlSafe(sql))).await?;
        let numbers = |row: &PgRow| (0..row.len()).map(|index| row.try_get(index)).collect();
        rows.first().map_or(Ok(Answer::new()), numbers).map_err(|error| error::of(error, self.timeout))
    }
}

/// How to see whether every value of the column that is quoted as `name` can be read as `declared`.
fn column_check(from: &str, name: &str, declared: &Column, form: &Form) -> ColumnCheck {
    // No double holds every numeric.
    let double = |number: &str| format!("least(greatest({number}, -1e30), 1e30)::float8");
    match form.is_number() {
        true => ColumnCheck::of_numbers(from, name, declared, double),
        false => ColumnCheck::of_times(from, name, declared, UNREADABLE, double),
    }
}

/// How `column`, declared as `declared`, is compared with a period.
fn condition(declared: &Column, column: &PgColumn) -> Result<(Form, String), StoreError> {
    let Some((form, cast)) = column.kind.filter(declared) else {
        return Err(StoreError::NotATime {
            column: column.column.name.clone(),
            sql_type: column.column.sql_type.clone(),
            declared: declared.kind.name(),
        });
    };
    let name = Quotes::Double.quote(&column.column.name);
    let end = |setting: &str| format!("current_setting('{setting}')::{cast}");
    let condition = format!("{name} >= {} AND {name} < {}", end("exportd.from"), end("exportd.to"));
    Ok((form, condition))
}

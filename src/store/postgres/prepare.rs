//! From an export to the statement that reads it.

use sqlx::{AssertSqlSafe, Executor, Row};

use super::catalogue::PgColumn;
use super::types::Wire;
use super::{Postgres, error};
use crate::catalogue::{Column, Source};
use crate::job::JobExport;
use crate::period::Period;
use crate::store::bounds::{self, Form};
use crate::store::error::StoreError;
use crate::store::relation::{self, Case};
use crate::store::sql::{Quotes, Select};
use crate::store::unreadable::{Ends, NumberCheck};
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
    /// How to see whether the numbers that a period compares with can be read.
    numbers: Option<NumberCheck>,
}

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
        let wires = found.cells.iter().map(|column| column.kind.wire).collect();
        let scales = found.cells.iter().map(|column| scale(column)).collect();
        let (mut filter, mut numbers) = (None, None);
        if let (Some(time), Some(column)) = (&export.filter, found.filter) {
            let (form, condition) = condition(&time.column, column)?;
            select.filter = condition;
            self.bind_any(&form).await?;
            if form.is_number() {
                // No double holds every numeric.
                let double = |end: &str| format!("least(greatest({end}, -1e30), 1e30)::float8");
                numbers = Some(NumberCheck::new(&relation.from, &quoted(column), &time.column, double));
            }
            filter = Some(form);
            if column.lacks_index {
                remarks.hints.push(bounds::no_index(&quoted(column)));
            }
        }
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
        Ok(ReadPlan { select, wires, scales, filter, numbers })
    }

    /// Fails if a number that a period compares with can't be read. Says what there is to warn of.
    pub(in crate::store) async fn check_times(&mut self, plan: &ReadPlan) -> Result<Option<String>, StoreError> {
        let Some(check) = &plan.numbers else { return Ok(None) };
        self.undone(async |postgres| check.run(async |sql| postgres.numbers(sql).await).await).await
    }

    async fn numbers(&mut self, sql: &str) -> Result<Ends, StoreError> {
        let rows = self.ask(sqlx::query(AssertSqlSafe(sql))).await?;
        let ends = rows.first().map_or(Ok(None), |row| {
            let end = |index| row.try_get::<Option<f64>, _>(index);
            Ok(end(0)?.zip(end(1)?).zip(end(2)?).map(|((least, greatest), rows)| [least, greatest, rows]))
        });
        ends.map_err(|error| error::of(error, self.timeout))
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
        // Whether row-level security refuses is asked for by itself, so that its error is not taken for another.
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

//! Reading rows: one statement, each value lent to the sink where SQLite keeps it.

use rusqlite::types::Value as Bound;
use rusqlite::{Connection, params_from_iter};

use super::deadline::Deadline;
use super::prepare::{Filter, Indexed, ReadPlan};
use super::value::value;
use super::{Sqlite, error, time};
use crate::catalogue::EpochUnit;
use crate::period::Period;
use crate::store::bounds;
use crate::store::error::{ReadError, StoreError};
use crate::value::{ColumnType, RowSink};

impl Sqlite {
    /// Fails if a value of the column that a period filters on can't be placed in time. Says what there is to warn of.
    pub(in crate::store) fn check_times(&self, plan: &ReadPlan) -> Result<Option<String>, StoreError> {
        plan.filter.as_ref().map_or(Ok(None), |filter| self.check_column(&filter.check))
    }

    /// Fails if a time that is read where no period filters can't be read. Says what there is to warn of.
    pub(in crate::store) fn check_listed(&self, plan: &ReadPlan) -> Result<Vec<String>, StoreError> {
        plan.listed.iter().filter_map(|check| self.check_cells(check).transpose()).collect()
    }

    /// Hands every row to `sink`.
    pub(in crate::store) fn read<S: RowSink>(
        &self,
        plan: &ReadPlan,
        period: Option<&Period>,
        sink: &mut S,
    ) -> Result<(), ReadError> {
        let bound = match (&plan.filter, period) {
            (Some(filter), Some(period)) => bindings(filter, period),
            _ => Vec::new(),
        };
        let fault = |error| ReadError::Store(self.fault(plan.filter.as_ref(), &bound, error));
        let _deadline = Deadline::start(&self.db, self.timeout).map_err(fault)?;
        let select = match &plan.indexed {
            Some(indexed) if spelt_alike(&self.db, indexed, &bound).map_err(fault)? => &indexed.select,
            _ => &plan.select,
        };
        let mut statement = self.db.prepare(&select.text(!bound.is_empty())).map_err(error::asking)?;
        let used = statement.parameter_count();
        let mut rows = statement.query(params_from_iter(bound.iter().take(used))).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            for index in 0..plan.scales.len() {
                sink.cell(value(row.get_ref(index).map_err(fault)?))?;
            }
            sink.end_row()?;
        }
        self.check_unchanged()?;
        Ok(())
    }

    /// An error of running the statement that `bound` is bound to.
    fn fault(&self, filter: Option<&Filter>, bound: &[Bound], error: rusqlite::Error) -> StoreError {
        match filter {
            Some(filter) if error::is_unreadable_time(&error) => {
                let counted = filter.check.unreadable_among(&self.db, &filter.range, bound);
                counted.unwrap_or_else(|error| error::running(error, self.timeout))
            }
            _ => error::running(error, self.timeout),
        }
    }
}

fn bindings(filter: &Filter, period: &Period) -> Vec<Bound> {
    let column = &filter.check.column;
    if column.kind == ColumnType::Date {
        return vec![Bound::Text(bounds::date_text(&period.from)), Bound::Text(bounds::date_text(&period.to))];
    }
    time::bindings(period, column.epoch.unwrap_or(EpochUnit::Seconds)).into()
}

fn spelt_alike(db: &Connection, indexed: &Indexed, bound: &[Bound]) -> rusqlite::Result<bool> {
    for odd_one in &indexed.odd_ones {
        let mut statement = db.prepare(if bound.is_empty() { &odd_one.of_all } else { &odd_one.of_period })?;
        let used = statement.parameter_count();
        if statement.exists(params_from_iter(bound.iter().take(used)))? {
            return Ok(false);
        }
    }
    Ok(true)
}

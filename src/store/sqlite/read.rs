//! Reading rows: one statement, each value lent to the sink where SQLite keeps it.

use std::time::{Duration, Instant};

use rusqlite::types::Value as Bound;
use rusqlite::{Connection, params_from_iter};

use super::prepare::{Filter, Indexed, ReadPlan};
use super::value::value;
use super::{Sqlite, error, time};
use crate::period::Period;
use crate::store::bounds;
use crate::store::error::ReadError;
use crate::value::RowSink;

/// Virtual machine steps between two looks at the clock: some thousand looks a second.
const STEPS: i32 = 20_000;

impl Sqlite {
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
        let time_column = match &plan.filter {
            Some(Filter::Datetime { name, .. }) => name.as_str(),
            _ => "",
        };
        let fault = |error| ReadError::Store(error::running(error, self.timeout, time_column));
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
}

fn bindings(filter: &Filter, period: &Period) -> Vec<Bound> {
    match filter {
        Filter::Date { .. } => {
            vec![Bound::Text(bounds::date_text(&period.from)), Bound::Text(bounds::date_text(&period.to))]
        }
        Filter::Datetime { unit, .. } => time::bindings(period, *unit).into(),
    }
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

/// Interrupts statements once their time is up, as long as it lives.
struct Deadline<'a>(&'a Connection);

impl<'a> Deadline<'a> {
    fn start(db: &'a Connection, timeout: Duration) -> rusqlite::Result<Deadline<'a>> {
        let started = Instant::now();
        db.progress_handler(STEPS, Some(move || started.elapsed() > timeout))?;
        Ok(Deadline(db))
    }
}

impl Drop for Deadline<'_> {
    fn drop(&mut self) {
        // Only a connection that is gone refuses, and it has nothing left to interrupt.
        let _ = self.0.progress_handler(0, None::<fn() -> bool>);
    }
}

//! A look at all values in the time column of a server's table, before a period filters on it.
//!
//! A server compares what no file can hold as well: numbers of another unit, infinity, dates before the year 1, and
//! 0000-00-00. Each lies outside of every period, so its row would be left out in silence.

use super::error::StoreError;
use super::unreadable::{Tally, is_placed, of_1970};
use crate::catalogue::Column;
use crate::instant::{self, fitting_unit};
use crate::value::Value;

/// How to see whether every time of a column can be read.
#[derive(Debug)]
pub(super) struct ColumnCheck {
    look: Look,
    column: Column,
}

#[derive(Debug)]
enum Look {
    /// All numbers are read in one way, so the least and the greatest say whether all can be read, but for those that
    /// look like Julian days.
    Numbers {
        /// Gives the least and the greatest.
        ends: String,
        /// Gives these, and of the numbers that can't be read the least, the greatest and the count.
        all: String,
        /// The condition that a number can't be read.
        refused: String,
    },
    /// Gives for each class of times that can't be read how many there are.
    Times { counts: String, classes: &'static [Class] },
}

/// Times of a server's own types that can't be read.
#[derive(Debug)]
pub(super) struct Class {
    /// The noun for one, and what is said after it.
    pub(super) what: [&'static str; 2],
    /// The condition for the column that stands in the place of `{}`.
    pub(super) condition: &'static str,
}

/// The numbers that a statement of a [`ColumnCheck`] gives in its only row.
pub(super) type Answer = Vec<Option<f64>>;

/// A server that a [`ColumnCheck`] asks.
pub(super) trait Asked {
    /// Whether an index answers a statement for the least and the greatest value, so that no table is read.
    async fn is_ready(&mut self, ends: &str) -> Result<bool, StoreError>;

    /// Runs a statement.
    async fn numbers(&mut self, sql: &str) -> Result<Answer, StoreError>;
}

impl ColumnCheck {
    /// For a column of numbers that is quoted as `name`. `double` makes a double of a number.
    pub(super) fn of_numbers(from: &str, name: &str, column: &Column, double: impl Fn(&str) -> String) -> ColumnCheck {
        let [first, end] = instant::readable_numbers(column.epoch);
        let mut refused = format!("{name} < {first} OR {name} >= {end}");
        if column.epoch.is_none() {
            let [first, end] = instant::JULIAN_LOOKS;
            refused.push_str(&format!(" OR ({name} >= {first} AND {name} < {end})"));
        }
        let ends = |value: &str| [double(&format!("min({value})")), double(&format!("max({value})"))].join(", ");
        let (of_all, of_refused) = (ends(name), ends(&format!("CASE WHEN {refused} THEN {name} END")));
        let count = double(&format!("count(CASE WHEN {refused} THEN 1 END)"));
        let look = Look::Numbers {
            ends: format!("SELECT {of_all} FROM {from}"),
            all: format!("SELECT {of_all}, {of_refused}, {count} FROM {from}"),
            refused,
        };
        ColumnCheck { look, column: column.clone() }
    }

    /// For a column of the server's own dates or datetimes, which may hold what `classes` list.
    pub(super) fn of_times(
        from: &str,
        name: &str,
        column: &Column,
        classes: &'static [Class],
        double: impl Fn(&str) -> String,
    ) -> ColumnCheck {
        let conditions: Vec<String> = classes.iter().map(|class| class.condition.replace("{}", name)).collect();
        let count = |condition: &String| double(&format!("count(CASE WHEN {condition} THEN 1 END)"));
        let counts: Vec<String> = conditions.iter().map(count).collect();
        // The condition repeats what is counted: an index may lead to these rows, or tell that there is none.
        let counts = format!("SELECT {} FROM {from} WHERE {}", counts.join(", "), conditions.join(" OR "));
        ColumnCheck { look: Look::Times { counts, classes }, column: column.clone() }
    }

    /// Fails if a value can't be read. Says what there is to warn of. Where no index knows the ends, all rows have to be
    /// made, which for a view may be the most of a run: so they are made once.
    pub(super) async fn run(&self, server: &mut impl Asked) -> Result<Option<String>, StoreError> {
        let mut tally = Tally::default();
        let latest = match &self.look {
            Look::Times { counts, classes } => {
                for (rows, class) in server.numbers(counts).await?.into_iter().zip(*classes) {
                    tally.add_times(rows.unwrap_or_default() as u64, class.what);
                }
                None
            }
            Look::Numbers { ends, all, refused } => {
                let (latest, unreadable) = if server.is_ready(ends).await? {
                    let [Some(least), Some(greatest)] = server.numbers(ends).await?[..] else { return Ok(None) };
                    let is_doubtful = self.is_doubtful(least, greatest);
                    let sought = format!("{all} WHERE {refused}");
                    (Some(greatest), if is_doubtful { server.numbers(&sought).await? } else { Answer::new() })
                } else {
                    let answer = server.numbers(all).await?;
                    (answer.get(1).copied().flatten(), answer)
                };
                if let [_, _, Some(least), Some(greatest), Some(rows)] = unreadable[..] {
                    let fits = fitting_unit(least).filter(|unit| fitting_unit(greatest) == Some(*unit));
                    tally.add_numbers(rows as u64, fits);
                }
                latest
            }
        };
        let warning = tally.verdict(&self.column)?;
        Ok(warning.or_else(|| of_1970(latest?, &self.column)))
    }

    /// Whether numbers between these ends may be unreadable.
    fn is_doubtful(&self, least: f64, greatest: f64) -> bool {
        let is_placed = |number| is_placed(Value::Float(number), &self.column);
        let [first, end] = instant::JULIAN_LOOKS;
        let may_look_julian = self.column.epoch.is_none() && least < end && greatest >= first;
        !is_placed(least) || !is_placed(greatest) || may_look_julian
    }
}

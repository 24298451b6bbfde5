//! Times that can't be read: of their rows nobody can say whether they belong to a period.
//!
//! Such a row must not be left out in silence: a column whose numbers count milliseconds, and is read as if they were
//! seconds, would give an empty file every night. So a row is left out only if its time certainly lies outside the
//! period, and a column that holds any other value can't be filtered on.

use super::error::StoreError;
use crate::catalogue::{Column, EpochUnit, Unreadable};
use crate::instant::{self, fitting_unit};
use crate::value::{ColumnType, Value};
use crate::wording::plural;
use crate::words::Words;

/// A year in seconds, for a look at 1970.
const YEAR: i64 = 366 * instant::DAY_SECONDS;

/// Whether the time in `value` is known well enough to compare it with a period.
///
/// A text that begins with a date is, whatever follows: if the date lies outside of the period by days, so does the row,
/// and if not, the value is read.
pub(super) fn is_placed(value: Value<'_>, column: &Column) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => instant::begins_with_date(text),
        Value::Bytes(_) => false,
        number => column.kind == ColumnType::Datetime && instant::read(number, column).is_ok(),
    }
}

/// What helps against texts that are no times.
const WRITE_TEXTS: &str =
    "write times as `2026-11-21 04:00:00` in the store, or in a view or query that the export reads";
/// What helps against texts of digits.
const CAST_TEXTS: &str = "they hold numbers as text; cast them to numbers in a view or query that the export reads";

/// What helps against times of a server's own types that are no points in time that a file could hold.
const WRITE_NULL: &str =
    "write NULL in the store or a view, or give the column `unreadable = \"null\"` in the catalogue";
/// The same where the column has that already.
const WRITE_NULL_INSTEAD: &str = "write NULL in the store or a view";

/// The values of a column that can't be read, counted by what they are.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Numbers whose class does not matter.
    numbers: Numbers,
    whole: Numbers,
    real: Numbers,
    texts: u64,
    /// Of the texts those that are numbers.
    digits: u64,
    binary: u64,
    /// Times of a server's own types, each kind with the noun for one and what is said after it.
    times: Vec<(u64, [&'static str; 2])>,
}

/// Numbers that can't be read.
#[derive(Debug, Default)]
struct Numbers {
    rows: u64,
    /// The unit that fits all of them.
    fits: Option<EpochUnit>,
}

impl Numbers {
    fn add(&mut self, rows: u64, fits: Option<EpochUnit>) {
        self.fits = if self.rows == 0 || self.fits == fits { fits } else { None };
        self.rows += rows;
    }

    fn remedy(&self, declared: ColumnType) -> String {
        match (self.fits, declared) {
            (_, ColumnType::Date) => "declare the column as a datetime with the `epoch` that they count".to_owned(),
            (Some(unit), _) => format!("`epoch = \"{}\"` for the column in the catalogue would fit", unit.word()),
            (None, _) => "no `epoch` fits them all; correct them in the store or a view".to_owned(),
        }
    }
}

impl Tally {
    /// Counts a value.
    pub(super) fn add(&mut self, value: Value<'_>) {
        match value {
            Value::Int(number) => self.whole.add(1, fitting_unit(number as f64)),
            Value::Float(number) => self.real.add(1, fitting_unit(number)),
            Value::Text(text) => {
                self.texts += 1;
                self.digits += u64::from(is_number(text));
            }
            _ => self.binary += 1,
        }
    }

    /// Counts `rows` numbers, of which `fits` is the unit that fits all.
    pub(super) fn add_numbers(&mut self, rows: u64, fits: Option<EpochUnit>) {
        self.numbers.add(rows, fits);
    }

    /// Counts `rows` times of a server's own type; `what` is the noun for one, and what is said after it.
    pub(super) fn add_times(&mut self, rows: u64, what: [&'static str; 2]) {
        self.times.push((rows, what));
    }

    /// The error that says what was counted in `column`, or the warning where such values may be NULL; nothing if none
    /// was.
    pub(super) fn verdict(&self, column: &Column) -> Result<Option<String>, StoreError> {
        let found = self.words(column);
        let name = &column.sql_name;
        match (found.is_empty(), column.unreadable) {
            (true, _) => Ok(None),
            (false, Unreadable::Null) => Ok(Some(format!(
                "values of the time column \"{name}\" can't be read, so their rows are in no file: {found}"
            ))),
            (false, Unreadable::Fail) => {
                Err(StoreError::UnreadableTimes { column: name.clone(), declared: column.kind, found })
            }
        }
    }

    /// What was counted, with what helps. Kinds that the same helps against share the words for it.
    fn words(&self, column: &Column) -> String {
        let declared = column.kind;
        let of_times = if column.unreadable == Unreadable::Null { WRITE_NULL_INSTEAD } else { WRITE_NULL };
        let of_texts = if self.digits == self.texts { CAST_TEXTS } else { WRITE_TEXTS };
        let numbers =
            [(&self.numbers, "number"), (&self.whole, "whole number"), (&self.real, "real number")].into_iter();
        let found = numbers
            .map(|(numbers, what)| (numbers.rows, [what, ""], numbers.remedy(declared)))
            .chain([(self.texts, ["text", ""], of_texts.to_owned())])
            .chain([(self.binary, ["binary value", ""], "correct them in the store".to_owned())])
            .chain(self.times.iter().map(|(rows, what)| (*rows, *what, of_times.to_owned())))
            .filter(|(rows, ..)| *rows > 0);
        let mut groups: Vec<(Vec<String>, String)> = Vec::new();
        for (rows, [noun, rest], remedy) in found {
            let counted = format!("{}{rest}", plural(rows as usize, noun));
            match groups.last_mut() {
                Some((kinds, last)) if *last == remedy => kinds.push(counted),
                _ => groups.push((vec![counted], remedy)),
            }
        }
        let words = groups.iter().map(|(kinds, remedy)| format!("{} ({remedy})", kinds.join(" and ")));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Whether a text is a number that would be a time that data usually has, in some unit. `20261121` is none.
fn is_number(text: &[u8]) -> bool {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.and_then(fitting_unit).is_some()
}

/// The warning that all numbers of a column are times of 1970 or before, of which `latest` is the last: probably they
/// count something else.
pub(super) fn of_1970(latest: f64, column: &Column) -> Option<String> {
    let at = instant::read(Value::Float(latest), column).ok()??;
    let unit = column.epoch.unwrap_or(EpochUnit::Seconds);
    if !(1..YEAR).contains(&at.seconds) {
        return None;
    }
    let remedy = match fitting_unit(latest) {
        Some(fits) => format!("`epoch = \"{}\"` for the column in the catalogue would fit", fits.word()),
        None => "check what they count".to_owned(),
    };
    let (name, unit) = (&column.sql_name, unit.word());
    Some(format!("read with `epoch = \"{unit}\"`, the latest number in column \"{name}\" is a time of 1970; {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[Value<'_>], kind: ColumnType) -> String {
        let mut tally = Tally::default();
        values.iter().for_each(|value| tally.add(*value));
        tally.verdict(&Column::new("at", kind)).map_or_else(|error| error.to_string(), Option::unwrap_or_default)
    }

    #[test]
    fn what_can_t_be_read_is_told_by_class_with_what_fits() {
        assert_eq!(told(&[], ColumnType::Datetime), "");
        assert_eq!(
            told(
                &[Value::Float(2_461_011.5), Value::Float(2_461_012.25), Value::Text(b"yesterday")],
                ColumnType::Datetime
            ),
            "the time column \"at\" holds values that can't be read as datetime, so it is unknown which period their rows \
             belong to: 2 real numbers (`epoch = \"julian\"` for the column in the catalogue would fit), \
             1 text (write times as `2026-11-21 04:00:00` in the store, or in a view or query that the export reads)"
        );
        let mixed = told(&[Value::Int(1_764_000_000_000), Value::Int(1_764_000_000_000_000)], ColumnType::Datetime);
        assert!(mixed.contains("2 whole numbers (no `epoch` fits them all"), "{mixed}");
        let texts = |texts: &[&'static str]| {
            let values: Vec<Value<'_>> = texts.iter().map(|text| Value::Text(text.as_bytes())).collect();
            told(&values, ColumnType::Datetime)
        };
        assert!(texts(&["1764000000", "1764000000.5"]).contains("2 texts (they hold numbers as text; cast them"));
        for text in ["27.11.2026", "27-11-2026", "2026-02-30", "2026-11-271", "20261127", "+49 30 1234567", "1.2.3"] {
            assert!(texts(&[text]).contains("1 text (write times as"), "{text}");
        }
        assert!(told(&[Value::Bytes(b"x")], ColumnType::Datetime).contains("1 binary value ("));
        assert!(told(&[Value::Int(1_764_000_000)], ColumnType::Date).contains("declare the column as a datetime"));
    }

    #[test]
    fn what_the_same_helps_against_is_told_once() {
        let days = told(&[Value::Int(2_461_012), Value::Float(2_461_011.5)], ColumnType::Datetime);
        assert!(
            days.ends_with(
                ": 1 whole number and 1 real number (`epoch = \"julian\"` for the column in the \
                                catalogue would fit)"
            ),
            "{days}"
        );
    }

    #[test]
    fn a_row_is_placed_if_its_day_is_known() {
        let datetime = Column::new("at", ColumnType::Datetime);
        for text in ["2026-11-21", "2026-11-21 25:00:00", "2026-11-21T04:00:00 ", "0001-01-01x"] {
            assert!(is_placed(Value::Text(text.as_bytes()), &datetime), "{text}");
        }
        for text in
            ["", "yesterday", "01/11/2026 06:00", "1764000000", "0000-00-00", "2026-02-30", "2026-11-2", "2026-11-211"]
        {
            assert!(!is_placed(Value::Text(text.as_bytes()), &datetime), "{text}");
        }
        assert!(is_placed(Value::Int(-1), &datetime) && is_placed(Value::Null, &datetime));
        assert!(!is_placed(Value::Int(-1), &Column::new("at", ColumnType::Date)));
    }

    #[test]
    fn a_column_that_ends_in_1970_is_told() {
        let with = |epoch| Column { epoch, ..Column::new("at", ColumnType::Datetime) };
        let told = of_1970(1_764_000_000.0, &with(Some(EpochUnit::Milliseconds))).unwrap();
        assert!(told.contains("`epoch = \"ms\"`, the latest") && told.ends_with("catalogue would fit"), "{told}");
        assert!(of_1970(20_261_121.0, &with(None)).unwrap().ends_with("check what they count"));
        for fine in [1_764_000_000.0, 0.0, -5.0, 31_622_400.0] {
            assert_eq!(of_1970(fine, &with(None)), None, "{fine}");
        }
    }
}

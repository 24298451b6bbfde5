//! Rows of the binary protocol, decoded into values.

use sqlx::mysql::{MySqlColumn, MySqlRow};
use sqlx::{Column, MySql, Row, Type, TypeInfo};

use crate::instant::days_from_civil;
use crate::store::error::{ReadError, StoreError};
use crate::value::{Instant, RowSink, Value};

/// What the bytes of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Int8,
    Uint8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Float4,
    Float8,
    Date,
    Datetime,
    Timestamp,
    Time,
    Text,
    /// A decimal that counts the units of an epoch.
    DecimalTime,
    Bytes,
    Bit,
}

/// Decodes the rows of one result.
pub(super) struct Decoder {
    wires: Vec<Wire>,
    /// The current cell, where its text is made and not received.
    scratch: Vec<u8>,
}

impl Decoder {
    /// A decoder for rows of these columns, of which `are_times` says whether they are declared as times.
    pub(super) fn new(columns: &[MySqlColumn], are_times: &[bool]) -> Decoder {
        let wire = |(column, is_time): (&MySqlColumn, &bool)| match column.type_info().name() {
            "DECIMAL" if *is_time => Wire::DecimalTime,
            _ => wire(column),
        };
        Decoder { wires: columns.iter().zip(are_times).map(wire).collect(), scratch: Vec::with_capacity(32) }
    }

    /// Hands the cells of `row` to `sink`.
    pub(super) fn row<S: RowSink>(&mut self, row: &MySqlRow, sink: &mut S) -> Result<(), ReadError> {
        for (index, &wire) in self.wires.iter().enumerate() {
            let value = match cell(row, index, wire)? {
                None => Value::Null,
                Some(bytes) => value(wire, bytes, &mut self.scratch)
                    .ok_or_else(|| StoreError::Protocol("a value of another type".to_owned()))?,
            };
            sink.cell(value)?;
        }
        sink.end_row()?;
        Ok(())
    }
}

/// The bytes of a cell; `None` for NULL.
fn cell(row: &MySqlRow, index: usize, wire: Wire) -> Result<Option<&[u8]>, StoreError> {
    let lost = |_| StoreError::Protocol("a row with too few columns".to_owned());
    let bytes = row.try_get_unchecked::<Option<&[u8]>, _>(index).map_err(lost)?;
    match (bytes, wire) {
        // The driver takes the date 0000-00-00 for NULL; asked for bytes that can't be NULL, it yields them.
        (None, Wire::Date | Wire::Datetime | Wire::Timestamp) => Ok(row.try_get_unchecked::<&[u8], _>(index).ok()),
        (bytes, _) => Ok(bytes),
    }
}

fn wire(column: &MySqlColumn) -> Wire {
    let info = column.type_info();
    match info.name() {
        // A TINYINT(1) that is unsigned looks the same; `prepare` asks for it as a wider number.
        "BOOLEAN" | "TINYINT" => Wire::Int8,
        "TINYINT UNSIGNED" => Wire::Uint8,
        "SMALLINT" => Wire::Int16,
        "SMALLINT UNSIGNED" | "YEAR" => Wire::Uint16,
        "INT" | "MEDIUMINT" => Wire::Int32,
        "INT UNSIGNED" | "MEDIUMINT UNSIGNED" => Wire::Uint32,
        "BIGINT" => Wire::Int64,
        "BIGINT UNSIGNED" => Wire::Uint64,
        "FLOAT" => Wire::Float4,
        "DOUBLE" => Wire::Float8,
        "DATE" => Wire::Date,
        "DATETIME" => Wire::Datetime,
        "TIMESTAMP" => Wire::Timestamp,
        "TIME" => Wire::Time,
        "BIT" => Wire::Bit,
        "DECIMAL" | "JSON" | "ENUM" | "SET" => Wire::Text,
        // The driver's name tells text from binary data by a flag that text of a binary collation has as well.
        _ if <str as Type<MySql>>::compatible(info) => Wire::Text,
        _ => Wire::Bytes,
    }
}

fn value<'a>(wire: Wire, bytes: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<Value<'a>> {
    Some(match wire {
        Wire::Text => Value::Text(bytes),
        Wire::DecimalTime => Value::of_digits(bytes)?,
        Wire::Bytes => Value::Bytes(bytes),
        Wire::Bit => Value::Uint(bits(bytes)?),
        Wire::Int8 => Value::Int(i8::from_le_bytes(bytes.try_into().ok()?).into()),
        Wire::Uint8 => Value::Int(u8::from_le_bytes(bytes.try_into().ok()?).into()),
        Wire::Int16 => Value::Int(i16::from_le_bytes(bytes.try_into().ok()?).into()),
        Wire::Uint16 => Value::Int(u16::from_le_bytes(bytes.try_into().ok()?).into()),
        Wire::Int32 => Value::Int(i32::from_le_bytes(bytes.try_into().ok()?).into()),
        Wire::Uint32 => Value::Int(u32::from_le_bytes(bytes.try_into().ok()?).into()),
        Wire::Int64 => Value::Int(i64::from_le_bytes(bytes.try_into().ok()?)),
        Wire::Uint64 => Value::Uint(u64::from_le_bytes(bytes.try_into().ok()?)),
        Wire::Float4 => Value::Float32(f32::from_le_bytes(bytes.try_into().ok()?)),
        Wire::Float8 => Value::Float(f64::from_le_bytes(bytes.try_into().ok()?)),
        Wire::Date => {
            let moment = Moment::read(bytes)?;
            match moment.days() {
                Some(days) => Value::Date(days),
                None => Value::Text(moment.write_date(scratch)),
            }
        }
        Wire::Datetime => datetime(bytes, scratch, Value::Civil)?,
        Wire::Timestamp => datetime(bytes, scratch, Value::Instant)?,
        Wire::Time => Value::Text(write_time(bytes, scratch)?),
    })
}

fn datetime<'a>(bytes: &[u8], scratch: &'a mut Vec<u8>, point: impl FnOnce(Instant) -> Value<'a>) -> Option<Value<'a>> {
    let moment = Moment::read(bytes)?;
    Some(match moment.instant() {
        Some(instant) => point(instant),
        None => Value::Text(moment.write_date(scratch)),
    })
}

/// The number whose digits to the base of two are the bits of a BIT(n), which has at most 64.
fn bits(bytes: &[u8]) -> Option<u64> {
    let mut word = [0; 8];
    let start = word.len().checked_sub(bytes.len())?;
    word[start..].copy_from_slice(bytes);
    Some(u64::from_be_bytes(word))
}

/// A date and time of the wire, which may be none of the calendar's: `0000-00-00`, `2026-11-00`.
#[derive(Default)]
struct Moment {
    year: u32,
    month: u32,
    day: u32,
    seconds: i64,
    micros: u32,
}

impl Moment {
    /// Reads 0, 4, 7 or 11 bytes behind their number; what is left out is zero.
    fn read(bytes: &[u8]) -> Option<Moment> {
        let (&length, fields) = bytes.split_first()?;
        if fields.len() != usize::from(length) {
            return None;
        }
        let mut moment = Moment::default();
        if let [low, high, month, day, ..] = *fields {
            moment =
                Moment { year: u16::from_le_bytes([low, high]).into(), month: month.into(), day: day.into(), ..moment };
        }
        if let [_, _, _, _, hour, minute, second, ..] = *fields {
            moment.seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        }
        if let [_, _, _, _, _, _, _, micros @ ..] = fields
            && let Ok(micros) = <[u8; 4]>::try_from(micros)
        {
            moment.micros = u32::from_le_bytes(micros);
        }
        matches!(length, 0 | 4 | 7 | 11).then_some(moment)
    }

    fn days(&self) -> Option<i32> {
        days_from_civil(self.year, self.month, self.day)
    }

    fn instant(&self) -> Option<Instant> {
        let seconds = i64::from(self.days()?) * 86_400 + self.seconds;
        Some(Instant { seconds, nanos: self.micros.checked_mul(1000).filter(|nanos| *nanos < 1_000_000_000)? })
    }

    /// The date as the database writes it; whoever expects a date will say that it is none.
    fn write_date<'a>(&self, text: &'a mut Vec<u8>) -> &'a [u8] {
        text.clear();
        text.extend_from_slice(format!("{:04}-{:02}-{:02}", self.year, self.month, self.day).as_bytes());
        text
    }
}

/// A time of day, or a span of up to 838 hours, as text: `-12:30:00.5`.
fn write_time<'a>(bytes: &[u8], text: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let (negative, days, [hour, minute, second], micros) = match *bytes.split_first()?.1 {
        [] => (0, 0, [0; 3], 0),
        [negative, d0, d1, d2, d3, hour, minute, second] => {
            (negative, u32::from_le_bytes([d0, d1, d2, d3]), [hour, minute, second], 0)
        }
        [negative, d0, d1, d2, d3, hour, minute, second, m0, m1, m2, m3] => {
            let micros = u32::from_le_bytes([m0, m1, m2, m3]);
            (negative, u32::from_le_bytes([d0, d1, d2, d3]), [hour, minute, second], micros)
        }
        _ => return None,
    };
    let hours = days.checked_mul(24)?.checked_add(hour.into())?;
    let sign = if negative == 0 { "" } else { "-" };
    let mut time = format!("{sign}{hours:02}:{minute:02}:{second:02}");
    if micros > 0 {
        time.push_str(format!(".{micros:06}").trim_end_matches('0'));
    }
    text.clear();
    text.extend_from_slice(time.as_bytes());
    Some(text)
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wire: Wire, bytes: &[u8]) -> String {
        match value(wire, bytes, &mut Vec::new()) {
            Some(Value::Text(text)) => String::from_utf8(text.to_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn decodes_dates_that_exist_and_shows_those_that_do_not() {
        assert_eq!(of(Wire::Date, &[4, 0xb2, 0x07, 1, 2]), "Some(Date(1))");
        assert_eq!(of(Wire::Date, &[0]), "0000-00-00");
        assert_eq!(of(Wire::Date, &[4, 0xb2, 0x07, 0, 2]), "1970-00-02");
        assert_eq!(of(Wire::Datetime, &[0]), "0000-00-00");
        let midnight = Value::Civil(Instant { seconds: 86_400, nanos: 0 });
        assert_eq!(of(Wire::Datetime, &[4, 0xb2, 0x07, 1, 2]), format!("{:?}", Some(midnight)));
        let micro = Value::Instant(Instant { seconds: 3661, nanos: 1000 });
        assert_eq!(of(Wire::Timestamp, &[11, 0xb2, 0x07, 1, 1, 1, 1, 1, 1, 0, 0, 0]), format!("{:?}", Some(micro)));
        assert_eq!(of(Wire::Datetime, &[4, 0xb2]), "None");
    }

    #[test]
    fn writes_times_of_day() {
        assert_eq!(of(Wire::Time, &[0]), "00:00:00");
        assert_eq!(of(Wire::Time, &[8, 0, 0, 0, 0, 0, 12, 30, 0]), "12:30:00");
        assert_eq!(of(Wire::Time, &[12, 1, 1, 0, 0, 0, 1, 2, 3, 0x20, 0xa1, 0x07, 0]), "-25:02:03.5");
        assert_eq!(of(Wire::Time, &[3, 1, 2, 3]), "None");
    }

    #[test]
    fn numbers_have_their_own_width_and_sign() {
        assert_eq!(of(Wire::Int8, &[0xff]), "Some(Int(-1))");
        assert_eq!(of(Wire::Uint8, &[0xff]), "Some(Int(255))");
        assert_eq!(of(Wire::Uint64, &[0xff; 8]), "Some(Uint(18446744073709551615))");
        assert_eq!(of(Wire::Int32, &[1, 0]), "None");
        assert_eq!(of(Wire::Bit, &[1, 2]), "Some(Uint(258))");
        assert_eq!(of(Wire::Bit, &[0xff; 8]), "Some(Uint(18446744073709551615))");
        assert_eq!(of(Wire::Bit, &[0; 9]), "None");
    }
}

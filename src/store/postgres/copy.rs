//! The binary format of COPY, decoded into values.
//!
//! A message of the server holds one row as a rule, but nothing promises that, so rows are found in the bytes and not
//! in the messages. A row is looked through for its end before any of its cells is handed on.

use super::numeric;
use super::types::Wire;
use crate::store::error::{ReadError, StoreError};
use crate::value::{Instant, RowSink, Value};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// 2000-01-01, the first day of PostgreSQL's clock, in days since 1970-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_SECONDS: i64 = EPOCH_DAYS as i64 * 86_400;

/// Decodes the rows of one COPY.
pub(super) struct Decoder {
    wires: Vec<Wire>,
    /// The start of what has not come in full yet.
    carry: Vec<u8>,
    /// The current cell, where its text is made and not received.
    scratch: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    End,
}

impl Decoder {
    /// A decoder for rows of these columns.
    pub(super) fn new(wires: Vec<Wire>) -> Decoder {
        Decoder { wires, carry: Vec::new(), scratch: Vec::with_capacity(64), state: State::Header }
    }

    /// Takes the next bytes and hands the rows that they complete to `sink`.
    pub(super) fn feed<S: RowSink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), ReadError> {
        if self.carry.is_empty() {
            let taken = self.take(bytes, sink)?;
            self.carry.extend_from_slice(&bytes[taken..]);
            return Ok(());
        }
        let mut carry = std::mem::take(&mut self.carry);
        carry.extend_from_slice(bytes);
        let taken = self.take(&carry, sink)?;
        carry.drain(..taken);
        self.carry = carry;
        Ok(())
    }

    /// Makes sure that nothing is missing.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        if self.state == State::End && self.carry.is_empty() { Ok(()) } else { Err(malformed("rows without an end")) }
    }

    /// Hands on all rows that `bytes` hold in full; says how many bytes that were.
    fn take<S: RowSink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<usize, ReadError> {
        let mut at = 0;
        if self.state == State::Header {
            let Some(length) = header(bytes)? else { return Ok(0) };
            at = length;
            self.state = State::Rows;
        }
        while let Some(count) = int2(&bytes[at..]) {
            if self.state == State::End {
                return Err(malformed("rows after their end").into());
            }
            if count == -1 {
                self.state = State::End;
                at += 2;
                continue;
            }
            if usize::try_from(count) != Ok(self.wires.len()) {
                return Err(malformed("rows with another number of columns").into());
            }
            let Some(length) = row_length(&bytes[at + 2..], self.wires.len()) else { return Ok(at) };
            self.row(&bytes[at + 2..at + 2 + length], sink)?;
            at += 2 + length;
        }
        Ok(at)
    }

    fn row<S: RowSink>(&mut self, mut bytes: &[u8], sink: &mut S) -> Result<(), ReadError> {
        for &wire in &self.wires {
            let length = int4(bytes).unwrap_or(-1);
            bytes = &bytes[4..];
            let value = match usize::try_from(length) {
                Err(_) => Value::Null,
                Ok(length) => {
                    let (cell, rest) = bytes.split_at(length);
                    bytes = rest;
                    value(wire, cell, &mut self.scratch).ok_or_else(|| malformed("a value of another type"))?
                }
            };
            sink.cell(value)?;
        }
        sink.end_row()?;
        Ok(())
    }
}

/// The length of the header, once it is there.
fn header(bytes: &[u8]) -> Result<Option<usize>, StoreError> {
    let fixed = SIGNATURE.len() + 8;
    if bytes.len() < fixed {
        return Ok(None);
    }
    if &bytes[..SIGNATURE.len()] != SIGNATURE {
        return Err(malformed("no rows in binary format"));
    }
    let extension = int4(&bytes[SIGNATURE.len() + 4..]).and_then(|length| usize::try_from(length).ok());
    let length = fixed + extension.ok_or_else(|| malformed("a header of negative length"))?;
    Ok((bytes.len() >= length).then_some(length))
}

/// The length of a row of `columns`, if it is there in full.
fn row_length(bytes: &[u8], columns: usize) -> Option<usize> {
    let mut at = 0;
    for _ in 0..columns {
        let length = int4(bytes.get(at..)?)?;
        at = at.checked_add(4)?.checked_add(usize::try_from(length).unwrap_or(0))?;
    }
    (at <= bytes.len()).then_some(at)
}

fn value<'a>(wire: Wire, cell: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<Value<'a>> {
    Some(match wire {
        Wire::Text => Value::Text(cell),
        Wire::Bytea => Value::Bytes(cell),
        Wire::Elements(kind) => Value::Elements(cell, kind),
        Wire::Bool => Value::Bool(cell.first().copied()? != 0),
        Wire::Int2 => Value::Int(i16::from_be_bytes(cell.try_into().ok()?).into()),
        Wire::Int4 => Value::Int(i32::from_be_bytes(cell.try_into().ok()?).into()),
        Wire::Int8 => Value::Int(i64::from_be_bytes(cell.try_into().ok()?)),
        Wire::Oid => Value::Int(u32::from_be_bytes(cell.try_into().ok()?).into()),
        Wire::Float4 => Value::Float32(f32::from_be_bytes(cell.try_into().ok()?)),
        Wire::Float8 => Value::Float(f64::from_be_bytes(cell.try_into().ok()?)),
        Wire::Numeric => {
            scratch.clear();
            numeric::write(cell, scratch)?;
            Value::Text(scratch)
        }
        Wire::NumericTime => {
            scratch.clear();
            numeric::write(cell, scratch)?;
            Value::of_digits(scratch)?
        }
        Wire::Date => match i32::from_be_bytes(cell.try_into().ok()?) {
            i32::MAX => Value::Text(b"infinity"),
            i32::MIN => Value::Text(b"-infinity"),
            days => Value::Date(days.checked_add(EPOCH_DAYS)?),
        },
        Wire::Timestamp => timestamp(cell, Value::Civil)?,
        Wire::TimestampTz => timestamp(cell, Value::Instant)?,
        Wire::Uuid => {
            uuid(cell.try_into().ok()?, scratch);
            Value::Text(scratch)
        }
    })
}

/// Infinity is handed on as the word: it is no point in time, and whoever expects one will say so.
fn timestamp(cell: &[u8], point: impl FnOnce(Instant) -> Value<'static>) -> Option<Value<'static>> {
    Some(match i64::from_be_bytes(cell.try_into().ok()?) {
        i64::MAX => Value::Text(b"infinity"),
        i64::MIN => Value::Text(b"-infinity"),
        micros => {
            let since_2000 = Instant::from_micros(micros);
            point(Instant { seconds: since_2000.seconds + EPOCH_SECONDS, nanos: since_2000.nanos })
        }
    })
}

fn uuid(bytes: [u8; 16], text: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    text.clear();
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push(b'-');
        }
        text.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

fn int2(bytes: &[u8]) -> Option<i16> {
    bytes.first_chunk().map(|bytes| i16::from_be_bytes(*bytes))
}

fn int4(bytes: &[u8]) -> Option<i32> {
    bytes.first_chunk().map(|bytes| i32::from_be_bytes(*bytes))
}

fn malformed(what: &str) -> StoreError {
    StoreError::Protocol(what.to_owned())
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Stop;

    /// Writes every cell and row into one text.
    #[derive(Default)]
    struct Notes(String);

    impl RowSink for Notes {
        fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
            self.0.push_str(&format!("{value:?} "));
            Ok(())
        }

        fn end_row(&mut self) -> Result<(), Stop> {
            self.0.push('\n');
            Ok(())
        }
    }

    fn stream() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 3, 9, 9, 9]);
        for row in [(1i32, Some("a")), (2, None), (3, Some(""))] {
            bytes.extend_from_slice(&[0, 2, 0, 0, 0, 4]);
            bytes.extend_from_slice(&row.0.to_be_bytes());
            bytes.extend_from_slice(&row.1.map_or(-1, |text| text.len() as i32).to_be_bytes());
            bytes.extend_from_slice(row.1.unwrap_or("").as_bytes());
        }
        bytes.extend_from_slice(&[0xff, 0xff]);
        bytes
    }

    fn decode(messages: impl Iterator<Item = Vec<u8>>) -> Result<String, ReadError> {
        let mut decoder = Decoder::new(vec![Wire::Int4, Wire::Text]);
        let mut notes = Notes::default();
        for message in messages {
            decoder.feed(&message, &mut notes)?;
        }
        decoder.finish()?;
        Ok(notes.0)
    }

    #[test]
    fn rows_are_found_however_messages_are_cut() {
        let bytes = stream();
        let expected = "Int(1) Text([97]) \nInt(2) Null \nInt(3) Text([]) \n";
        assert_eq!(decode([bytes.clone()].into_iter()).unwrap(), expected);
        for size in 1..bytes.len() {
            assert_eq!(decode(bytes.chunks(size).map(<[u8]>::to_vec)).unwrap(), expected, "{size}");
        }
    }

    #[test]
    fn nothing_may_be_missing_or_left_over() {
        let bytes = stream();
        for length in 0..bytes.len() {
            decode([bytes[..length].to_vec()].into_iter()).unwrap_err();
        }
        decode([bytes, vec![0, 2]].into_iter()).unwrap_err();
    }

    #[test]
    fn decodes_times() {
        let mut scratch = Vec::new();
        let mut of = |wire, cell: &[u8]| format!("{:?}", value(wire, cell, &mut scratch));
        assert_eq!(of(Wire::Date, &0i32.to_be_bytes()), "Some(Date(10957))");
        assert_eq!(of(Wire::Date, &i32::MAX.to_be_bytes()), format!("{:?}", Some(Value::Text(b"infinity"))));
        let civil = Value::Civil(Instant { seconds: 946_684_799, nanos: 999_999_000 });
        assert_eq!(of(Wire::Timestamp, &(-1i64).to_be_bytes()), format!("{:?}", Some(civil)));
        assert_eq!(of(Wire::TimestampTz, &i64::MIN.to_be_bytes()), format!("{:?}", Some(Value::Text(b"-infinity"))));
        assert_eq!(of(Wire::Int4, &[1]), "None");
    }

    #[test]
    fn writes_a_uuid_as_text() {
        let mut text = Vec::new();
        uuid([0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0], &mut text);
        assert_eq!(text, b"123e4567-e89b-12d3-a456-426614174000");
    }
}

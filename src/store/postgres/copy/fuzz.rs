//! Damaged rows of PostgreSQL.

use super::*;
use crate::fuzz::attack;
use crate::value::{ColumnType, Stop};

/// The columns of the seed, which `contract::fuzz_seeds` records.
const WIRES: [Wire; 15] = [
    Wire::Bool,
    Wire::Int2,
    Wire::Int4,
    Wire::Int8,
    Wire::Oid,
    Wire::Float4,
    Wire::Float8,
    Wire::Numeric,
    Wire::Text,
    Wire::Bytea,
    Wire::Date,
    Wire::Timestamp,
    Wire::TimestampTz,
    Wire::Uuid,
    Wire::Elements(ColumnType::Decimal),
];

/// Keeps what it gets, without the content of long cells.
#[derive(Default, PartialEq, Debug)]
struct Kept(Vec<String>);

impl RowSink for Kept {
    fn cell(&mut self, value: Value<'_>) -> Result<(), Stop> {
        self.0.push(match value {
            Value::Text(text) => format!("{} bytes from {:?}", text.len(), text.get(..40).unwrap_or(text)),
            value => format!("{value:?}"),
        });
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        self.0.push("end of row".to_owned());
        Ok(())
    }
}

/// However the bytes are cut into messages, the same rows and the same fault come of them.
#[test]
fn postgres_copy() {
    attack("postgres_copy", &[], |input| {
        let (rows, end) = decoded(&[input]);
        let cut = input.iter().fold(0, |sum: usize, byte| sum.wrapping_mul(31) + usize::from(*byte));
        let pieces: Vec<&[u8]> = input.chunks(cut % 97 + 1).collect();
        assert_eq!(decoded(&pieces), (rows, end.clone()));
        let (rows, _) = decoded(&[input]);
        (end, rows.0.len(), rows.0.iter().map(String::len).max())
    });
}

fn decoded(messages: &[&[u8]]) -> (Kept, String) {
    let mut decoder = Decoder::new(WIRES.to_vec());
    let mut rows = Kept::default();
    let fed = messages.iter().try_for_each(|message| decoder.feed(message, &mut rows));
    let end = fed.map_err(|error| error.to_string()).and_then(|()| decoder.finish().map_err(|error| error.to_string()));
    (rows, format!("{end:?}"))
}

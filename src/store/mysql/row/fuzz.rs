//! Damaged cells of MySQL and MariaDB.

use super::*;
use crate::fuzz::attack;

/// The kinds of cells in the seed, which `contract::fuzz_seeds` records.
const WIRES: [Wire; 17] = [
    Wire::Int8,
    Wire::Uint8,
    Wire::Int16,
    Wire::Uint16,
    Wire::Int32,
    Wire::Uint32,
    Wire::Int64,
    Wire::Uint64,
    Wire::Float4,
    Wire::Float8,
    Wire::Date,
    Wire::Datetime,
    Wire::Timestamp,
    Wire::Time,
    Wire::Text,
    Wire::Bytes,
    Wire::Bit,
];

/// The input is a sequence of cells: a kind, a length, and as many bytes.
#[test]
fn mysql_cells() {
    attack("mysql_cells", &[], |mut input| {
        let (mut scratch, mut outcomes) = (Vec::new(), Vec::new());
        while let [kind, length, rest @ ..] = input {
            let (cell, rest) = rest.split_at(usize::from(*length).min(rest.len()));
            let value = value(WIRES[usize::from(*kind) % WIRES.len()], cell, &mut scratch);
            outcomes.push((*kind, value.map(Value::kind)));
            input = rest;
        }
        outcomes
    });
}

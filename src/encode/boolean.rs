//! Cells of the type `boolean`.

use super::dialect::Dialect;
use super::{Written, name_of};
use crate::value::Value;

/// Appends the format's word for true or false.
pub(super) fn write(value: Value<'_>, dialect: &Dialect, out: &mut Vec<u8>) -> Written {
    let truth = match value {
        Value::Bool(truth) => truth,
        Value::Int(0) | Value::Uint(0) | Value::Bytes([0]) => false,
        Value::Int(1) | Value::Uint(1) | Value::Bytes([1]) => true,
        Value::Int(_) | Value::Uint(_) => return Err("a number other than 0 and 1"),
        Value::Text(word) | Value::Bytes(word) => truth_of(word).ok_or("text that is neither true nor false")?,
        other => return Err(name_of(other)),
    };
    out.extend_from_slice(&dialect.boolean_cells[usize::from(truth)]);
    Ok(())
}

fn truth_of(word: &[u8]) -> Option<bool> {
    let is = |expected: &[u8]| word.eq_ignore_ascii_case(expected);
    if is(b"t") || is(b"true") || is(b"1") {
        Some(true)
    } else if is(b"f") || is(b"false") || is(b"0") {
        Some(false)
    } else {
        None
    }
}

//! Cells of the types `id`, `string` and `text`.

use super::dialect::Dialect;
use super::{Written, number};
use crate::value::Value;

/// Appends a cell of text. Characters are never changed, NUL included. `scratch` is a buffer to work in.
pub(super) fn write(value: Value<'_>, dialect: &Dialect, scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Written {
    match value {
        Value::Text(text) => dialect.unchecked_text(text, out).map_err(|_| "text that is not UTF-8")?,
        Value::Bytes(bytes) => {
            dialect.unchecked_text(bytes, out).map_err(|_| "binary data that is not UTF-8 text")?;
        }
        Value::Int(number) => dialect.guarded_text(itoa::Buffer::new().format(number).as_bytes(), out),
        Value::Uint(number) => dialect.guarded_text(itoa::Buffer::new().format(number).as_bytes(), out),
        Value::Float(_) | Value::Float32(_) => {
            scratch.clear();
            number::push_shortest(number::finite(value)?, scratch);
            dialect.guarded_text(scratch, out);
        }
        Value::Bool(_) => return Err("a boolean (declare the column as boolean)"),
        Value::Date(_) => return Err("a date (declare the column as date)"),
        Value::Instant(_) | Value::Civil(_) => return Err("a datetime (declare the column as datetime)"),
        Value::Null => return Err("NULL"),
    }
    Ok(())
}

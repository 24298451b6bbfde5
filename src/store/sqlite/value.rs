//! Values as SQLite keeps them, and as the sink takes them.

use rusqlite::types::ValueRef;

use crate::value::Value;

/// A value of SQLite as the sink takes it.
pub(super) fn value(raw: ValueRef<'_>) -> Value<'_> {
    match raw {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Float(number),
        ValueRef::Text(text) => Value::Text(text),
        ValueRef::Blob(bytes) => Value::Bytes(bytes),
    }
}

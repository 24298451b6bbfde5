//! Whether a column's type in the database can be what a catalogue declares it to be.
//!
//! A first look for checks, by type alone: it only rejects what no value of the type could be read as. What becomes of
//! a value is decided where it is written, and SQLite's types say nothing about values, so nothing is rejected there.

use super::StoreKind;
use crate::value::ColumnType;

/// What values of a database type are like, as far as reading them is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Boolean,
    Number,
    Text,
    Date,
    Moment,
    TimeOfDay,
    Json,
    List,
    Bytes,
    Unreadable,
}

/// Whether some value of `sql_type`, in the database's own words, can be read as `declared`.
pub fn can_be(kind: StoreKind, sql_type: &str, declared: ColumnType) -> bool {
    if kind == StoreKind::Sqlite {
        return true;
    }
    let family = family(kind, &sql_type.to_lowercase());
    match declared {
        ColumnType::Id | ColumnType::String | ColumnType::Text => {
            !matches!(family, Family::Boolean | Family::Date | Family::Moment | Family::Unreadable)
        }
        ColumnType::Integer | ColumnType::Float | ColumnType::Decimal => {
            matches!(family, Family::Number | Family::Text)
        }
        ColumnType::Boolean => matches!(family, Family::Boolean | Family::Number | Family::Text | Family::Bytes),
        ColumnType::Date => matches!(family, Family::Date | Family::Moment | Family::Text),
        ColumnType::Datetime => matches!(family, Family::Date | Family::Moment | Family::Number | Family::Text),
        ColumnType::Array => matches!(family, Family::List | Family::Json | Family::Text),
    }
}

fn family(kind: StoreKind, sql_type: &str) -> Family {
    if sql_type.ends_with("[]") {
        return Family::List;
    }
    let word: String = sql_type.chars().take_while(char::is_ascii_alphanumeric).collect();
    match word.as_str() {
        // MySQL's name for a number of one digit.
        "boolean" | "bool" if kind == StoreKind::Mysql => Family::Number,
        "boolean" | "bool" => Family::Boolean,
        // Its bits are those of a number; PostgreSQL's are text.
        "bit" if kind == StoreKind::Mysql => Family::Number,
        "smallint" | "integer" | "int" | "bigint" | "tinyint" | "mediumint" | "int2" | "int4" | "int8" | "numeric"
        | "decimal" | "real" | "double" | "float" | "float4" | "float8" | "oid" | "year" => Family::Number,
        "date" => Family::Date,
        "timestamp" | "timestamptz" | "datetime" => Family::Moment,
        "time" | "timetz" | "interval" => Family::TimeOfDay,
        "json" | "jsonb" => Family::Json,
        "bytea" | "binary" | "varbinary" | "blob" | "tinyblob" | "mediumblob" | "longblob" => Family::Bytes,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection"
            if kind == StoreKind::Mysql =>
        {
            Family::Unreadable
        }
        // Everything else is read as the text that the database makes of it.
        _ => Family::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_t_be_is_told_by_type() {
        let can_be = |sql_type, declared| can_be(StoreKind::Postgres, sql_type, declared);
        assert!(can_be("integer", ColumnType::Id) && can_be("character varying(36)", ColumnType::Id));
        assert!(!can_be("boolean", ColumnType::Integer) && can_be("boolean", ColumnType::Boolean));
        assert!(!can_be("timestamp with time zone", ColumnType::String));
        assert!(can_be("timestamp with time zone", ColumnType::Date));
        assert!(can_be("text[]", ColumnType::Array) && !can_be("integer", ColumnType::Array));
        assert!(!can_be("interval", ColumnType::Datetime) && can_be("interval", ColumnType::String));
        assert!(can_be("numeric(12,2)", ColumnType::Decimal) && !can_be("jsonb", ColumnType::Decimal));
    }

    #[test]
    fn databases_mean_different_things_by_a_word() {
        assert!(can_be(StoreKind::Mysql, "tinyint(1)", ColumnType::Boolean));
        assert!(can_be(StoreKind::Mysql, "boolean", ColumnType::Integer));
        assert!(can_be(StoreKind::Mysql, "bit(1)", ColumnType::Boolean));
        assert!(can_be(StoreKind::Mysql, "bit(8)", ColumnType::Integer));
        assert!(!can_be(StoreKind::Mysql, "geometry", ColumnType::String));
        assert!(can_be(StoreKind::Sqlite, "BOOLEAN", ColumnType::Array), "types of SQLite say nothing");
    }
}

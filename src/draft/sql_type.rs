//! What a database's name for a type means, whichever database it is.

use crate::store::StoreKind;
use crate::value::ColumnType;

/// What values a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text of at most `limit` characters.
    Text { limit: Option<u32> },
    /// One of a closed list of words.
    Choice,
    /// A whole number.
    Whole,
    /// An exact number.
    Decimal,
    /// A binary floating-point number.
    Float,
    /// True or false.
    Boolean,
    /// MySQL's `tinyint(1)`: a boolean by custom only.
    Digit,
    /// A calendar date.
    Date,
    /// A date and time, with or without a zone.
    Datetime,
    /// A time of day or a length of time.
    Clock,
    /// A UUID.
    Uuid,
    /// An address of a machine.
    Network,
    /// Several bits: a number in MySQL, text elsewhere.
    Bits,
    /// JSON, XML and other containers of anything, arrays of them, and arrays of arrays.
    Document,
    /// A few bytes, which may be text: keys and names of programs that keep them so.
    Bytes { limit: Option<u32> },
    /// Bytes: pictures, files.
    Binary,
    /// Points and areas.
    Geometry,
    /// A list of plain values.
    List { of_text: bool },
    /// Anything else.
    Unknown,
}

impl Shape {
    /// Reads a type as SQLite, PostgreSQL, MySQL and MariaDB write them.
    pub(super) fn of(sql_type: &str) -> Shape {
        let text = sql_type.trim().to_lowercase();
        if let Some(element) = text.strip_suffix("[]") {
            return match Shape::of(element) {
                Shape::Document | Shape::List { .. } => Shape::Document,
                _ if element.starts_with("composite ") => Shape::Document,
                element => Shape::List { of_text: !element.is_number() },
            };
        }
        let (base, size) = split(&text);
        match base {
            "" | "unknown" => Shape::Text { limit: None },
            "bit" if size.is_none_or(|size| size == 1) => Shape::Boolean,
            "bit" | "bit varying" | "varbit" => Shape::Bits,
            "tinyint" if size == Some(1) => Shape::Digit,
            "enum" | "set" | "\"char\"" => Shape::Choice,
            base if ["composite ", "range "].iter().any(|kind| base.starts_with(kind)) => Shape::Unknown,
            "tinytext" | "name" => Shape::Text { limit: Some(255) },
            "bool" | "boolean" => Shape::Boolean,
            "money" | "decimal" | "numeric" | "number" | "dec" | "fixed" => Shape::Decimal,
            "float" | "double" | "real" | "double precision" | "float4" | "float8" => Shape::Float,
            "date" => Shape::Date,
            "time" | "timetz" => Shape::Clock,
            "uuid" | "uniqueidentifier" | "guid" => Shape::Uuid,
            "inet" | "cidr" | "macaddr" | "macaddr8" | "inet4" | "inet6" => Shape::Network,
            "json" | "jsonb" | "xml" | "hstore" => Shape::Document,
            "binary" | "varbinary" => Shape::Bytes { limit: size },
            "bytea" | "image" | "raw" => Shape::Binary,
            "geometry" | "geography" | "point" | "polygon" | "linestring" | "line" | "lseg" | "box" | "path"
            | "circle" | "multipoint" | "multipolygon" | "multilinestring" | "geometrycollection"
            | "geomcollection" => Shape::Geometry,
            // PostgreSQL counts from one where a `char` has no size, SQLite does not count at all.
            "character" if size.is_none() => Shape::Text { limit: Some(1) },
            "serial" | "bigserial" | "smallserial" | "year" | "oid" => Shape::Whole,
            base if base.starts_with("datetime") || base.starts_with("timestamp") => Shape::Datetime,
            // `interval day to second` is one as well.
            base if base.starts_with("time ") || base.starts_with("interval") => Shape::Clock,
            base if base.starts_with("enum ") => Shape::Choice,
            base if base.ends_with("blob") => Shape::Binary,
            base if base.contains("char") || base.contains("text") || base.contains("clob") || base == "string" => {
                Shape::Text { limit: size }
            }
            base if base.contains("int") && !base.contains("range") && !base.contains("point") => Shape::Whole,
            base if base.starts_with("double") || base.starts_with("float") => Shape::Float,
            base if base.starts_with("decimal") || base.starts_with("numeric") => Shape::Decimal,
            _ => Shape::Unknown,
        }
    }

    /// What a catalogue calls such values of a database; none if a file can't hold them. PostgreSQL has a text for every
    /// value.
    pub(super) fn column_type(self, store: StoreKind) -> Option<ColumnType> {
        match self {
            Shape::Bits if store == StoreKind::Mysql => Some(ColumnType::Integer),
            Shape::Geometry if store != StoreKind::Postgres => None,
            Shape::Unknown if store == StoreKind::Mysql => None,
            Shape::Text { limit: Some(0..=255) } | Shape::Choice | Shape::Clock | Shape::Network => {
                Some(ColumnType::String)
            }
            Shape::Text { .. }
            | Shape::Document
            | Shape::Bits
            | Shape::Bytes { .. }
            | Shape::Geometry
            | Shape::Unknown => Some(ColumnType::Text),
            Shape::Whole => Some(ColumnType::Integer),
            Shape::Decimal => Some(ColumnType::Decimal),
            Shape::Float => Some(ColumnType::Float),
            Shape::Boolean | Shape::Digit => Some(ColumnType::Boolean),
            Shape::Date => Some(ColumnType::Date),
            Shape::Datetime => Some(ColumnType::Datetime),
            Shape::Uuid => Some(ColumnType::Id),
            Shape::List { .. } => Some(ColumnType::Array),
            Shape::Binary => None,
        }
    }

    /// Whether a period can filter on such values.
    pub(super) fn is_time(self) -> bool {
        matches!(self, Shape::Date | Shape::Datetime)
    }

    /// Whether it is a number.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Shape::Whole | Shape::Decimal | Shape::Float)
    }

    /// Whether it is text at first sight: not yet known to be harmless.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Shape::Text { .. } | Shape::Bytes { .. } | Shape::Choice | Shape::List { of_text: true })
    }
}

/// A type's name without its size, and the size: `varchar(20)`, `timestamp(6) without time zone`, `int(11) unsigned`.
fn split(text: &str) -> (&str, Option<u32>) {
    let Some((base, rest)) = text.split_once('(') else { return (text, None) };
    let size = rest.split([',', ')']).next().and_then(|size| size.trim().parse().ok());
    (base.trim_end(), size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(limit: Option<u32>) -> Shape {
        Shape::Text { limit }
    }

    fn check(expected: &[(&str, Shape)]) {
        for (sql_type, shape) in expected {
            assert_eq!(Shape::of(sql_type), *shape, "{sql_type}");
        }
    }

    #[test]
    fn knows_the_simple_types_of_all_three_databases() {
        check(&[
            ("TEXT", text(None)),
            ("text", text(None)),
            ("varchar(20)", text(Some(20))),
            ("NVARCHAR(160)", text(Some(160))),
            ("character varying(255)", text(Some(255))),
            ("character varying", text(None)),
            ("character(2)", text(Some(2))),
            ("longtext", text(None)),
            ("tinytext", text(Some(255))),
            ("citext", text(None)),
            ("unknown", text(None)),
            ("enum('G','PG')", Shape::Choice),
            ("enum mpaa_rating", Shape::Choice),
            ("set('a','b')", Shape::Choice),
            ("INTEGER", Shape::Whole),
            ("int(11) unsigned", Shape::Whole),
            ("bigint", Shape::Whole),
            ("tinyint(4)", Shape::Whole),
            ("year(4)", Shape::Whole),
            ("tinyint(1)", Shape::Digit),
            ("bit(1)", Shape::Boolean),
            ("bit(8)", Shape::Bits),
            ("bit varying", Shape::Bits),
            ("bit varying(1)", Shape::Bits),
            ("boolean", Shape::Boolean),
            ("numeric(10,2)", Shape::Decimal),
            ("DECIMAL", Shape::Decimal),
            ("decimal(5,2) unsigned", Shape::Decimal),
            ("double precision", Shape::Float),
            ("double unsigned", Shape::Float),
            ("real", Shape::Float),
            ("date", Shape::Date),
            ("DATETIME", Shape::Datetime),
            ("datetime(6)", Shape::Datetime),
            ("timestamp without time zone", Shape::Datetime),
            ("timestamp(3) with time zone", Shape::Datetime),
            ("time without time zone", Shape::Clock),
            ("interval", Shape::Clock),
            ("interval(3)", Shape::Clock),
            ("interval day to second", Shape::Clock),
        ]);
    }

    #[test]
    fn knows_what_only_some_databases_have() {
        check(&[
            ("uuid", Shape::Uuid),
            ("inet", Shape::Network),
            ("jsonb", Shape::Document),
            ("blob", Shape::Binary),
            ("BLOB SUB_TYPE TEXT", text(None)),
            ("binary(16)", Shape::Bytes { limit: Some(16) }),
            ("varbinary(255)", Shape::Bytes { limit: Some(255) }),
            ("bytea", Shape::Binary),
            ("geometry", Shape::Geometry),
            ("point", Shape::Geometry),
            ("text[]", Shape::List { of_text: true }),
            ("integer[]", Shape::List { of_text: false }),
            ("integer[][]", Shape::Document),
            ("jsonb[]", Shape::Document),
            ("composite print_address", Shape::Unknown),
            ("composite print_address[]", Shape::Document),
            ("range textrange", Shape::Unknown),
            ("range int4range[]", Shape::List { of_text: true }),
            ("int4range", Shape::Unknown),
            ("ltree", Shape::Unknown),
            ("hstore", Shape::Document),
            ("xml", Shape::Document),
            ("tsvector", Shape::Unknown),
        ]);
    }
}

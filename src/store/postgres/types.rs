//! What is known of PostgreSQL's types: how each is asked for, what then comes over the wire, how it sorts and how a
//! period compares with it.

use crate::catalogue::{Column, EpochUnit};
use crate::store::bounds::Form;
use crate::value::ColumnType;

/// What the binary format of a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Bool,
    Int2,
    Int4,
    Int8,
    /// Unsigned, 32 bits.
    Oid,
    Float4,
    Float8,
    /// Handed on as text.
    Numeric,
    /// A numeric that counts the units of an epoch, and is handed on as a number.
    NumericTime,
    Text,
    Bytea,
    Date,
    Timestamp,
    TimestampTz,
    Uuid,
    /// A JSON array of texts, each of this type.
    Elements(ColumnType),
}

/// How a column is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Plain,
    /// Cast to text: types whose text is what people mean by them.
    AsText,
    /// As its output function writes it: inet, whose cast to text appends the length of a whole address, `/32`.
    AsShown,
    /// Cast to numeric: money, whose text depends on the server's locale.
    AsNumeric,
    /// As JSON text, which keeps the elements of an array apart.
    AsJson,
    /// As JSON text of the array that this cast makes, whose elements are text.
    AsJsonOf(&'static str),
}

/// How rows are sorted by a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// As the type sorts.
    Plain,
    /// By the bytes of the text.
    Bytes,
    /// By the bytes of the text that it is cast to.
    BytesOfText,
}

/// A type, its domains taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) wire: Wire,
    ask: Ask,
    sort: Sort,
}

impl Type {
    /// The type with this identifier, kind (`typtype`) and category (`typcategory`) in `pg_type`.
    pub(super) fn new(oid: u32, kind: &str, category: &str) -> Type {
        let plain = |wire| Type { wire, ask: Ask::Plain, sort: Sort::Plain };
        let elements =
            |kind, cast| Type { wire: Wire::Elements(kind), ask: Ask::AsJsonOf(cast), sort: Sort::BytesOfText };
        match oid {
            16 => plain(Wire::Bool),
            17 => plain(Wire::Bytea),
            20 => plain(Wire::Int8),
            21 => plain(Wire::Int2),
            23 => plain(Wire::Int4),
            26 => plain(Wire::Oid),
            700 => plain(Wire::Float4),
            701 => plain(Wire::Float8),
            1082 => plain(Wire::Date),
            1114 => plain(Wire::Timestamp),
            1184 => plain(Wire::TimestampTz),
            1700 => plain(Wire::Numeric),
            2950 => plain(Wire::Uuid),
            790 => Type { wire: Wire::Numeric, ask: Ask::AsNumeric, sort: Sort::Plain },
            // name, text, varchar
            19 | 25 | 1043 => Type { wire: Wire::Text, ask: Ask::Plain, sort: Sort::Bytes },
            // json
            114 => Type { wire: Wire::Text, ask: Ask::Plain, sort: Sort::BytesOfText },
            869 => Type { wire: Wire::Text, ask: Ask::AsShown, sort: Sort::Plain },
            // time, interval: they sort by themselves
            1083 | 1186 => Type { wire: Wire::Text, ask: Ask::AsText, sort: Sort::Plain },
            // json[], char(n)[], jsonb[]: their elements are text where they stand alone.
            199 | 1014 | 3807 => Type { wire: Wire::Text, ask: Ask::AsJsonOf("text[]"), sort: Sort::BytesOfText },
            // real[], double precision[]
            1021 | 1022 => elements(ColumnType::Float, "text[]"),
            // date[]
            1182 => elements(ColumnType::Date, "text[]"),
            // timestamp[], timestamptz[]
            1115 | 1185 => elements(ColumnType::Datetime, "text[]"),
            // numeric[], money[]
            1231 => elements(ColumnType::Decimal, "text[]"),
            791 => elements(ColumnType::Decimal, "numeric[]::text[]"),
            // Of all others, JSON spells the elements as they are written alone.
            _ if category == "A" => Type { wire: Wire::Text, ask: Ask::AsJson, sort: Sort::BytesOfText },
            _ if kind == "e" => Type { wire: Wire::Text, ask: Ask::Plain, sort: Sort::BytesOfText },
            // Among them char(n): as text it loses the blanks that only pad it.
            _ => Type { wire: Wire::Text, ask: Ask::AsText, sort: Sort::BytesOfText },
        }
    }

    /// What is made of the wire for a column that is declared as `declared`.
    pub(super) fn wire_as(self, declared: ColumnType) -> Wire {
        match (self.wire, declared) {
            (Wire::Numeric, ColumnType::Datetime) => Wire::NumericTime,
            (wire, _) => wire,
        }
    }

    /// Whether all values have the same digits after the point: those of money, which the server's locale declares.
    pub(super) fn has_fixed_scale(self) -> bool {
        matches!(self.ask, Ask::AsNumeric | Ask::AsJsonOf("numeric[]::text[]"))
    }

    /// The expression for a cell of the column `name`, which is quoted.
    pub(super) fn cell(self, name: &str) -> String {
        match self.ask {
            Ask::Plain => name.to_owned(),
            Ask::AsText => format!("{name}::text"),
            Ask::AsShown => format!("textin(inet_out({name}))"),
            Ask::AsNumeric => format!("{name}::numeric"),
            Ask::AsJson => format!("array_to_json({name})::text"),
            Ask::AsJsonOf(cast) => format!("array_to_json({name}::{cast})::text"),
        }
    }

    /// The expression that sorts rows by the column `name`. Only what is needed stands in it, so that an index on
    /// the column can yield the order: `has_byte_order` says that its collation is `C` already.
    pub(super) fn order(self, name: &str, nullable: bool, has_byte_order: bool) -> String {
        let key = match self.sort {
            Sort::Plain => name.to_owned(),
            Sort::Bytes if has_byte_order => name.to_owned(),
            Sort::Bytes => format!("{name} COLLATE \"C\""),
            Sort::BytesOfText => format!("{name}::text COLLATE \"C\""),
        };
        if nullable { format!("{key} NULLS FIRST") } else { key }
    }

    /// How a period compares with a column that is declared as `declared`, and the type to compare in.
    pub(super) fn filter(self, declared: &Column) -> Option<(Form, &'static str)> {
        if self.ask != Ask::Plain {
            return None;
        }
        let civil = || Form::Civil(declared.zone.clone());
        let unit = declared.epoch.unwrap_or(EpochUnit::Seconds);
        match (declared.kind, self.wire) {
            (ColumnType::Date, Wire::Date) => Some((Form::Date, "date")),
            (ColumnType::Date, Wire::Timestamp) => Some((Form::Date, "timestamp")),
            (ColumnType::Datetime, Wire::Date | Wire::Timestamp) => Some((civil(), "timestamp")),
            // The session's clock shows UTC: the date of an instant is its date there, as it is written.
            (ColumnType::Date, Wire::TimestampTz) => Some((Form::Date, "timestamptz")),
            (ColumnType::Datetime, Wire::TimestampTz) => Some((Form::Instant, "timestamptz")),
            (ColumnType::Datetime, Wire::Int2 | Wire::Int4 | Wire::Int8) => Some((Form::Epoch(unit), "int8")),
            (ColumnType::Datetime, Wire::Numeric) => Some((Form::of_fractions(unit), "numeric")),
            (ColumnType::Datetime, Wire::Float4 | Wire::Float8) => Some((Form::of_fractions(unit), "float8")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_says_no_more_than_it_must() {
        let text = Type::new(25, "b", "S");
        assert_eq!(text.order("\"a\"", false, true), "\"a\"");
        assert_eq!(text.order("\"a\"", true, false), "\"a\" COLLATE \"C\" NULLS FIRST");
        assert_eq!(Type::new(1184, "b", "D").order("\"a\"", false, false), "\"a\"");
        assert_eq!(Type::new(90000, "e", "E").order("\"a\"", false, false), "\"a\"::text COLLATE \"C\"");
    }

    #[test]
    fn every_type_has_a_way_over_the_wire() {
        assert_eq!(Type::new(1043, "b", "S").cell("\"a\""), "\"a\"");
        assert_eq!(Type::new(1042, "b", "S").cell("\"a\""), "\"a\"::text");
        assert_eq!(Type::new(1007, "b", "A").cell("\"a\""), "array_to_json(\"a\")::text");
        assert_eq!(Type::new(1185, "b", "A").cell("\"a\""), "array_to_json(\"a\"::text[])::text");
        assert_eq!(Type::new(791, "b", "A").cell("\"a\""), "array_to_json(\"a\"::numeric[]::text[])::text");
        assert_eq!(Type::new(790, "b", "N").cell("\"a\""), "\"a\"::numeric");
        assert_eq!(Type::new(77777, "b", "U").cell("\"a\""), "\"a\"::text");
    }
}

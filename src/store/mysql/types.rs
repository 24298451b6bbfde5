//! What is known of the types of MySQL and MariaDB: how rows sort by them and how a period compares with them.

use crate::catalogue::{Column, EpochUnit};
use crate::store::bounds::Form;
use crate::value::ColumnType;

/// How a column of a type, in the words of `information_schema.columns.data_type`, behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Whole and fractional numbers.
    Number,
    Date,
    Datetime,
    /// An instant.
    Timestamp,
    /// Text, sorted by a collation.
    Text,
    /// What is read as text but sorts in its own way: the members of an ENUM or SET by their position.
    Listed,
    /// Binary data, times of day, years, addresses.
    Other,
}

impl Class {
    /// The class of a type.
    pub(super) fn of(data_type: &str) -> Class {
        let name = data_type.to_ascii_lowercase();
        match name.split([' ', '(']).next().unwrap_or_default() {
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "decimal" | "numeric" | "float"
            | "double" | "boolean" => Class::Number,
            "date" => Class::Date,
            "datetime" => Class::Datetime,
            "timestamp" => Class::Timestamp,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Class::Text,
            "enum" | "set" | "json" => Class::Listed,
            _ => Class::Other,
        }
    }

    /// The expression that sorts rows by the column `name`, which is quoted: text by its bytes, and as little of it
    /// as is needed, so that an index on the column can yield the order.
    pub(super) fn order(self, name: &str, collation: Option<&str>) -> String {
        match self {
            Class::Text if collation.is_some_and(has_byte_order) => name.to_owned(),
            Class::Text => format!("CAST({name} AS BINARY)"),
            Class::Listed => format!("CAST(CAST({name} AS CHAR) AS BINARY)"),
            _ => name.to_owned(),
        }
    }

    /// How a period compares with a column that is declared as `declared`, and the type to compare in.
    pub(super) fn filter(self, declared: &Column) -> Option<(Form, &'static str)> {
        let civil = || Form::Civil(declared.zone.clone());
        match (declared.kind, self) {
            (ColumnType::Date, Class::Date) => Some((Form::Date, "DATE")),
            // The session's clock shows UTC: the date of an instant is its date there, as it is written.
            (ColumnType::Date, Class::Datetime | Class::Timestamp) => Some((Form::Date, "DATETIME(6)")),
            (ColumnType::Datetime, Class::Date | Class::Datetime) => Some((civil(), "DATETIME(6)")),
            (ColumnType::Datetime, Class::Timestamp) => Some((Form::Civil(None), "DATETIME(6)")),
            (ColumnType::Datetime, Class::Number) => Some(match declared.epoch.unwrap_or(EpochUnit::Seconds) {
                EpochUnit::Julian => (Form::JulianDays, "DECIMAL(30, 12)"),
                unit => (Form::Epoch(unit), "SIGNED"),
            }),
            _ => None,
        }
    }
}

/// Whether texts of a collation sort by their bytes. `utf8mb4_bin` and its like do not quite: to them a text is
/// followed by blanks without end, and so `a` sorts behind `a` and a tab.
fn has_byte_order(collation: &str) -> bool {
    collation == "binary" || collation == "utf8mb4_0900_bin" || collation.ends_with("_nopad_bin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_sorts_by_bytes() {
        assert_eq!(Class::of("varchar").order("`a`", Some("utf8mb4_general_ci")), "CAST(`a` AS BINARY)");
        assert_eq!(Class::of("varchar").order("`a`", Some("utf8mb4_bin")), "CAST(`a` AS BINARY)");
        assert_eq!(Class::of("text").order("`a`", Some("utf8mb4_nopad_bin")), "`a`");
        assert_eq!(Class::of("enum").order("`a`", Some("utf8mb4_bin")), "CAST(CAST(`a` AS CHAR) AS BINARY)");
        assert_eq!(Class::of("bigint").order("`a`", None), "`a`");
        assert_eq!(Class::of("varbinary").order("`a`", None), "`a`");
    }

    #[test]
    fn types_are_known_with_their_size_and_sign() {
        assert_eq!(Class::of("INT UNSIGNED"), Class::Number);
        assert_eq!(Class::of("decimal(10,2)"), Class::Number);
        assert_eq!(Class::of("VARCHAR"), Class::Text);
        assert_eq!(Class::of("uuid"), Class::Other);
    }
}

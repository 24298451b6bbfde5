//! Which columns say when a row came into being, and when it last changed.

use super::dictionary::{Group, dictionary};
use super::reason::Reason;
use super::sql_type::Shape;
use super::subject::is_key;
use super::words::{folded, words};
use crate::store::{ColumnDetails, TableDetails};

/// The time columns of a table, by position among its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// When the row was made.
    pub(super) created: Option<usize>,
    /// When it was last changed.
    pub(super) updated: Option<usize>,
    /// If nothing says surely when the row was made: what may say it, the likeliest first.
    pub(super) candidates: Vec<usize>,
}

/// What follows the table's own noun in the name of its time: `order_date`.
const MOMENT: [&str; 10] = ["date", "at", "on", "time", "datetime", "timestamp", "datum", "dato", "fecha", "day"];

/// What else ends or begins the name of a time: `gebucht_am`, `pagado_el`, `data_zamowienia`.
const MOMENT_ELSEWHERE: [&str; 9] = ["am", "le", "el", "il", "op", "den", "dnia", "data", "clock"];

/// Finds the time columns by their names, and by what the database fills them with. `is_found` says which columns are
/// times by their values, whatever their type.
pub(super) fn times(table: &TableDetails, is_found: impl Fn(usize) -> bool) -> Times {
    let is_time = |at: &usize| Shape::of(&table.columns[*at].sql_type).is_time() || is_found(*at);
    let times: Vec<usize> = (0..table.columns.len()).filter(is_time).collect();
    let named = |names: &[String]| {
        let of_name = |name: &String| times.iter().copied().find(|at| folded(&table.columns[*at].name) == *name);
        names.iter().find_map(of_name)
    };
    let filled = |is_update: bool| {
        let is = |at: &usize| {
            let column = &table.columns[*at];
            is_filled(column) && column.on_update == is_update && (is_update || !is_elsewhen(&column.name))
        };
        times.iter().copied().find(is)
    };
    let updated = named(dictionary().updated()).or_else(|| filled(true));
    let created = named(dictionary().created()).or_else(|| times.iter().copied().find(|at| is_moment_of(table, *at)));
    let created = created.or_else(|| filled(false).filter(|at| Some(*at) != updated));
    let candidates = if created.is_none() { candidates(table, updated, is_time) } else { Vec::new() };
    Times { created, updated, candidates }
}

/// All times that may be the one when the row was made. A wrong guess would leave rows out of every file, so that a
/// person has to choose: first among columns of a time type, then among those that are times by their names alone.
fn candidates(table: &TableDetails, updated: Option<usize>, is_time: impl Fn(&usize) -> bool) -> Vec<usize> {
    let may_be = |at: &usize| {
        let name = &table.columns[*at].name;
        Some(*at) != updated && !dictionary().updated().contains(&folded(name)) && !is_elsewhen(name)
    };
    let (typed, others): (Vec<usize>, Vec<usize>) = (0..table.columns.len()).filter(may_be).partition(is_time);
    typed.into_iter().chain(others.into_iter().filter(|at| is_time_by_name(&table.columns[*at]))).collect()
}

/// Whether a column is a number or text whose name says that it is a time.
pub(super) fn is_time_by_name(column: &ColumnDetails) -> bool {
    let can_be = matches!(Shape::of(&column.sql_type), Shape::Text { .. } | Shape::Whole);
    let is_one_word = words(&column.name).len() < 2;
    can_be && (is_named_like_a_time(&column.name) && !is_one_word || is_bookkeeping(&column.name))
}

/// Whether a column of this name may be a time, if its values are like one: `placed_at`, `at`, `day`.
pub(super) fn is_named_like_a_time(column: &str) -> bool {
    let words = words(column);
    let is_moment = |word: Option<&String>| {
        word.is_some_and(|word| [&MOMENT[..], &MOMENT_ELSEWHERE].concat().contains(&word.as_str()))
    };
    !is_key(&words) && (is_moment(words.last()) || is_moment(words.first())) || is_bookkeeping(column)
}

/// Whether a time of this name is surely not the one when its row was made: `valid_until`, `last_seen`, a birthday.
fn is_elsewhen(column: &str) -> bool {
    let is = |word: &String| dictionary().is(Group::Elsewhen, word) || dictionary().reason(word) == Some(Reason::Birth);
    words(column).iter().any(is)
}

/// Whether a column of this name says when its row was made or changed.
pub(super) fn is_bookkeeping(column: &str) -> bool {
    let column = folded(column);
    [dictionary().created(), dictionary().updated()].iter().any(|names| names.contains(&column))
}

/// Whether the database writes the present time into the column by itself.
fn is_filled(column: &ColumnDetails) -> bool {
    let default = column.default.as_deref().unwrap_or_default().to_lowercase();
    let now = ["current_timestamp", "now()", "current_date", "clock_timestamp()", "localtimestamp", "datetime('now'"];
    column.on_update || now.iter().any(|now| default.contains(now))
}

/// `order_date` of `orders`, `InvoiceDate` of `Invoice`: the time of what the table is about.
fn is_moment_of(table: &TableDetails, at: usize) -> bool {
    let column = words(&table.columns[at].name);
    let Some((moment, noun)) = column.split_last() else { return false };
    !noun.is_empty() && MOMENT.contains(&moment.as_str()) && words(&table.name).ends_with(noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: &[(&str, &str, Option<&str>, bool)]) -> TableDetails {
        let column = |(name, sql_type, default, on_update): &(&str, &str, Option<&str>, bool)| ColumnDetails {
            name: (*name).to_owned(),
            sql_type: (*sql_type).to_owned(),
            nullable: true,
            default: default.map(str::to_owned),
            on_update: *on_update,
        };
        TableDetails {
            schema: None,
            name: name.to_owned(),
            is_view: false,
            columns: columns.iter().map(column).collect(),
            key: Vec::new(),
            fault: None,
            warning: None,
        }
    }

    fn found(table: &TableDetails) -> (&str, &str) {
        let times = times(table, |_| false);
        let name = |at: Option<usize>| at.map_or("", |at| table.columns[at].name.as_str());
        (name(times.created), name(times.updated))
    }

    #[test]
    fn finds_times_by_name_in_every_language() {
        for (column, expected) in [
            ("created_at", ("created_at", "")),
            ("CreatedAt", ("CreatedAt", "")),
            ("creation_date", ("creation_date", "")),
            ("erstellt_am", ("erstellt_am", "")),
            ("créé_le", ("créé_le", "")),
            ("fecha_creación", ("fecha_creación", "")),
            ("oprettet", ("oprettet", "")),
            ("order_date", ("order_date", "")),
            ("last_update", ("", "last_update")),
            ("geändert_am", ("", "geändert_am")),
            ("date_modification", ("", "date_modification")),
            ("birth_date", ("", "")),
            ("shipped_date", ("", "")),
        ] {
            assert_eq!(found(&table("web_orders", &[(column, "timestamp", None, false)])), expected, "{column}");
            assert_eq!(found(&table("web_orders", &[(column, "varchar(30)", None, false)])), ("", ""), "{column}");
        }
    }

    #[test]
    fn finds_times_by_what_fills_them() {
        let now = Some("CURRENT_TIMESTAMP");
        let both = table("t", &[("a", "timestamp", now, true), ("b", "timestamp", now, false)]);
        assert_eq!(found(&both), ("b", "a"));
        let filled = table("t", &[("x", "timestamp with time zone", Some("now()"), false)]);
        assert_eq!(found(&filled), ("x", ""));
        let changed = table("actor", &[("last_update", "timestamp", now, false)]);
        assert_eq!(found(&changed), ("", "last_update"), "one column is never both");
    }

    #[test]
    fn what_may_be_the_time_is_offered_and_never_taken() {
        let candidates = |columns: &[(&str, &str)]| {
            let columns: Vec<_> = columns.iter().map(|(name, sql_type)| (*name, *sql_type, None, false)).collect();
            let table = table("t", &columns);
            let times = times(&table, |_| false);
            assert_eq!(times.created, None, "{columns:?}");
            times.candidates.iter().map(|at| table.columns[*at].name.clone()).collect::<Vec<_>>().join(" ")
        };
        for column in
            ["placed_at", "gebucht_am", "bestellt_am", "left_at", "zeitpunkt", "happened", "commandé_le", "FechaPedido"]
        {
            assert_eq!(candidates(&[("id", "integer"), (column, "timestamp"), ("updated_at", "timestamp")]), column);
        }
        for column in ["created_at", "placed_at", "data_zamowienia", "gebucht_am"] {
            assert_eq!(candidates(&[("id", "integer"), (column, "TEXT")]), column);
            assert_eq!(candidates(&[("id", "integer"), (column, "bigint(20)")]), column);
        }
        for column in [
            "birth_date",
            "valid_until",
            "expires_at",
            "due_date",
            "deleted_at",
            "next_run_at",
            "fällig_am",
            "post_modified_gmt",
        ] {
            assert_eq!(candidates(&[(column, "date")]), "");
        }
        assert_eq!(candidates(&[("sent_on", "text"), ("day", "date"), ("reads", "text")]), "day sent_on");
        let seen = table("t", &[("last_seen", "timestamp", Some("now()"), false)]);
        assert_eq!(found(&seen), ("", ""), "what the database fills at first, and the application later");
    }

    #[test]
    fn prefers_the_name_that_says_it_best() {
        let columns = [
            ("added", "date", None, false),
            ("created_at", "timestamp", None, false),
            ("updated_on", "date", None, false),
            ("updated_at", "timestamp", None, false),
        ];
        assert_eq!(found(&table("t", &columns)), ("created_at", "updated_at"));
    }
}

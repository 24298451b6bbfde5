//! The keys of a catalogue file.

use std::ops::RangeInclusive;

use super::takes::{Takes, words};
use super::{Choice, Key, Section};
use crate::catalogue::{EpochUnit, Mode, Unreadable};
use crate::value::ColumnType;

/// The values of a column's `scale`.
pub(in super::super) const COLUMN_SCALE: RangeInclusive<i64> = 0..=38;

const TYPE: Takes = Takes::Word(|| ColumnType::ALL.iter().map(|kind| kind.name()).collect());

/// The file itself.
pub(in super::super) static CATALOGUE_FILE: Section = Section {
    name: "file",
    header: "a catalogue",
    says: "What can be exported.",
    keys: &[Key::new("export", Takes::Tables(&EXPORT), "The exports.")],
    choice: Choice::Free,
};

/// `[[export]]`.
pub(in super::super) static EXPORT: Section = Section {
    name: "export",
    header: "`[[export]]`",
    says: "One dataset: a table, a view or a query, and the columns that can be exported of it.",
    keys: &[
        Key::new(
            "name",
            Takes::Form(
                "letters, digits, `_` and `-`, at most 100",
                r"^(?=.{1,100}$)[^-\s!-,./:-@\[-^`{-~][^\s!-,./:-@\[-^`{-~]*$",
            ),
            "The name that jobs use.",
        )
        .required()
        .example("\"orders\""),
        Key::new("title", Takes::Line, "The name for people.").otherwise("the name").example("\"Orders\""),
        Key::new("from", Takes::Line, "A table or view, exactly as the database spells it; `SCHEMA.NAME` is possible.")
            .otherwise("none; one of `from` and `query` is required")
            .example("\"sales.orders\""),
        Key::new("query", Takes::Line, "A single statement that yields rows, such as a SELECT, instead of `from`.")
            .otherwise("none; one of `from` and `query` is required")
            .example("\"SELECT id, placed_at FROM orders\""),
        Key::new(
            "mode",
            Takes::Word(words::<Mode>),
            "What a run exports unless its job says otherwise: the rows of a period, which needs `created`, or all of \
             them.",
        )
        .otherwise("`\"period\"` with `created`, `\"full\"` without")
        .example("\"full\""),
        Key::new("created", Takes::Line, "The column that says when a row was created; periods filter on it.")
            .example("\"placed_at\""),
        Key::new("updated", Takes::Line, "The column that says when a row was last changed.").example("\"changed_at\""),
        Key::new("times", Takes::Named(0, &Takes::Line), "Further times for `filter_by`, each with its column.")
            .example("{ shipped = \"shipped_at\" }"),
        Key::new("order", Takes::List(0, &Takes::Line), "The database's columns that fix the order of rows.")
            .otherwise("the database's order")
            .example("[\"placed_at\", \"id\"]"),
        Key::new(
            "columns",
            Takes::Named(1, &Takes::Either(&[TYPE, Takes::Table(&COLUMN)])),
            "The columns in the order of the file, each with its type or with a table.",
        )
        .required()
        .example("{ id = \"id\", total = { type = \"decimal\", scale = 2 } }"),
    ],
    choice: Choice::ExactlyOne(&["from", "query"]),
};

/// A column that needs more than its type.
pub(in super::super) static COLUMN: Section = Section {
    name: "column",
    header: "`[export.columns]`",
    says: "A column that is more than its type.",
    keys: &[
        Key::new("type", TYPE, "How its cells are read and written: see [formats](formats.md#how-values-are-read).")
            .required()
            .example("\"string\""),
        Key::new("column", Takes::Line, "Its name in the database.")
            .otherwise("the name in the file")
            .example("\"voucher_code\""),
        Key::new(
            "sensitive",
            Takes::Flag,
            "`true`: it tells about a person, and is exported only by jobs that name it and give a `reason`.",
        )
        .default("false")
        .example("true"),
        Key::new(
            "additional",
            Takes::Flag,
            "`true`: it is filled for some rows only, and is exported only by jobs that name it.",
        )
        .default("false")
        .example("true"),
        Key::new("group", Takes::Line, "The pattern that the column is a member of.").example("\"question_{n}\""),
        Key::new(
            "zone",
            Takes::Line,
            "For a datetime that the database stores without a zone: the IANA name of the zone that it is in.",
        )
        .default("\"UTC\"")
        .example("\"Europe/Berlin\""),
        Key::new(
            "epoch",
            Takes::Word(words::<EpochUnit>),
            "What a number means as a datetime: seconds, milliseconds or microseconds since 1970, or a Julian day.",
        )
        .otherwise("`\"s\"`, and numbers that look like Julian days are refused")
        .example("\"ms\""),
        Key::new("scale", Takes::Integer(COLUMN_SCALE), "The digits after the point of a decimal.")
            .otherwise("those that the database declares, else as many as needed")
            .example("2"),
        Key::new(
            "unreadable",
            Takes::Word(words::<Unreadable>),
            "What becomes of a cell that can't be read as the type: the run fails, or the cell is NULL in the file and \
             counted in the history.",
        )
        .default("\"fail\"")
        .example("\"null\""),
    ],
    choice: Choice::Free,
};

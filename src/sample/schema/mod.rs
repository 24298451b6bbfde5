//! The sample's schema as statements of one database: tables, indexes, and a view for each export.
//!
//! There is one description, kept in SQL files beside this one, so that the three databases can't drift apart. Words
//! in double braces are filled in here: types, lists as JSON arrays, casts, and the repeated groups of columns.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson, no_escape,
};
use serde_json::{Value, json};

use crate::store::StoreKind;

/// The statements that make the tables.
pub(super) fn tables(kind: StoreKind) -> Vec<String> {
    let files = [
        include_str!("tables/people.sql"),
        include_str!("tables/channels.sql"),
        include_str!("tables/customers.sql"),
        include_str!("tables/conversations.sql"),
        include_str!("tables/quality.sql"),
    ];
    files.into_iter().flat_map(|file| statements(kind, file)).collect()
}

/// The statements that make the indexes, for after the rows are in.
pub(super) fn indexes(kind: StoreKind) -> Vec<String> {
    statements(kind, include_str!("indexes.sql"))
}

/// The statements that make the views `export_…`, one for each export.
pub(super) fn views(kind: StoreKind) -> Vec<String> {
    let files = [include_str!("views/people.sql"), include_str!("views/conversations.sql")];
    files.into_iter().flat_map(|file| statements(kind, file)).collect()
}

fn statements(kind: StoreKind, file: &str) -> Vec<String> {
    let mut filler = Handlebars::new();
    filler.register_escape_fn(no_escape);
    filler.set_strict_mode(true);
    for (name, write) in PHRASES {
        filler.register_helper(name, Box::new(Phrase { kind, write }));
    }
    // An argument of a phrase may go on in the next line, further in; a template's may not.
    let text = filler
        .render_template(&file.replace("\n    ", " "), &words(kind))
        .expect("the schema's files use only words that are defined");
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
    code.join("\n")
        .split(";\n")
        .map(|part| part.trim().trim_end_matches(';').to_owned())
        .filter(|s| !s.is_empty())
        .collect()
}

/// Types, and what repeats: the members of the column groups.
fn words(kind: StoreKind) -> Value {
    let [id, string, text, integer, float, boolean, date, datetime, first, options] = match kind {
        StoreKind::Sqlite => ["TEXT", "TEXT", "TEXT", "INTEGER", "REAL", "INTEGER", "TEXT", "TEXT", "", ""],
        StoreKind::Postgres => [
            "varchar(36) collate \"C\"",
            "text collate \"C\"",
            "text collate \"C\"",
            "bigint",
            "double precision",
            "boolean",
            "date",
            "timestamptz",
            " nulls first",
            "",
        ],
        StoreKind::Mysql => [
            "varchar(36) character set ascii collate ascii_bin",
            "varchar(255)",
            "mediumtext",
            "bigint",
            "double",
            "tinyint(1)",
            "date",
            "datetime(6)",
            "",
            " engine=InnoDB default character set utf8mb4 collate utf8mb4_bin",
        ],
    };
    json!({
        "id": id, "string": string, "text": text, "integer": integer, "float": float, "boolean": boolean,
        "date": date, "datetime": datetime, "first": first, "options": options,
        "numbers": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "slots": [1, 2, 3, 4, 5],
        "groups": ["email", "chat", "messaging", "social", "voice"],
    })
}

/// A turn of SQL that the files name by a word, with its arguments.
struct Phrase {
    kind: StoreKind,
    write: fn(StoreKind, &[String]) -> String,
}

impl HelperDef for Phrase {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let mut arguments = Vec::new();
        for param in call.params() {
            match param.value() {
                Value::String(text) => arguments.push(text.clone()),
                Value::Number(number) => arguments.push(number.to_string()),
                other => return Err(RenderErrorReason::Other(format!("{other} is no argument of a phrase")).into()),
            }
        }
        Ok(ScopedJson::Derived(Value::String((self.write)(self.kind, &arguments))))
    }
}

/// A word of the schema's files, and how it is written for one database from its arguments.
type Word = (&'static str, fn(StoreKind, &[String]) -> String);

const PHRASES: [Word; 12] = [
    ("numbered", |_, args| format!("{}{}", args[0], args[1])),
    ("agent", |kind, args| full_name(kind, &args[0])),
    ("identity", |kind, args| format!("coalesce({}, {}.screen_name)", full_name(kind, &args[0]), args[0])),
    ("list", |kind, args| array(kind, "", &args[0], &args[1], true)),
    ("set", |kind, args| array(kind, "distinct ", &args[0], &args[1], true)),
    ("number_set", |kind, args| array(kind, "distinct ", &args[0], &args[1], false)),
    ("sum", |kind, args| cast(kind, &format!("sum({})", args[0]), "integer")),
    ("contacts", contacts),
    ("presence", presence),
    ("channel_attribute", |kind, args| attribute(kind, "channel", "c", args)),
    ("identity_attribute", |kind, args| attribute(kind, "identity", "i", args)),
    ("thread_attribute", |kind, args| attribute(kind, "thread", "t", args)),
];

/// First and last name of a row of agents, identities or identity groups; NULL when it has neither.
fn full_name(kind: StoreKind, of: &str) -> String {
    match kind {
        StoreKind::Sqlite => {
            format!("nullif(trim(coalesce({of}.first_name, '') || ' ' || coalesce({of}.last_name, '')), '')")
        }
        _ => format!("nullif(concat_ws(' ', nullif({of}.first_name, ''), nullif({of}.last_name, '')), '')"),
    }
}

/// A JSON array of all values of `expression` that `rows` gives, in the order of their bytes; `[]` when there are none.
///
/// Each database gets what its old versions take too. SQLite before 3.44 knows no order in an aggregate, but keeps that
/// of the subquery it reads. MySQL 8 can't order `JSON_ARRAYAGG`, hence the concatenation; its default
/// `group_concat_max_len` of 1,024 bytes is more than any list of the sample takes.
fn array(kind: StoreKind, distinct: &str, expression: &str, rows: &str, quoted: bool) -> String {
    match kind {
        StoreKind::Sqlite => {
            format!("(select json_group_array(v) from (select {distinct}{expression} as v {rows} order by 1))")
        }
        StoreKind::Postgres => {
            format!("(select coalesce(json_agg({distinct}{expression} order by {expression})::text, '[]') {rows})")
        }
        StoreKind::Mysql => {
            let element = if quoted { format!("json_quote({expression})") } else { expression.to_owned() };
            let elements = format!("group_concat({distinct}{element} order by {expression} separator ',')");
            format!("(select concat('[', coalesce({elements}, ''), ']') {rows})")
        }
    }
}

fn contacts(kind: StoreKind, args: &[String]) -> String {
    let [group, contact] = [&args[0], &args[1]];
    let rows = format!("from identity_group_contacts v where v.identity_group_id = {group} and v.kind = '{contact}'");
    array(kind, "", "v.value", &rows, true)
}

fn presence(kind: StoreKind, args: &[String]) -> String {
    let seconds = cast(kind, "sum(d.seconds)", "integer");
    format!(
        "(select {seconds} from presence_day_details d join channel_groups g on g.id = d.channel_group_id\n    \
         where d.agent_id = p.agent_id and d.date = p.date and g.code = '{}' and {})",
        args[0], args[1]
    )
}

/// The column for an attribute that is kept as text in a table of names and values.
fn attribute(kind: StoreKind, owner: &str, of: &str, args: &[String]) -> String {
    let [name, declared] = [&args[0], &args[1]];
    let value = cast(kind, "v.value", declared);
    format!("(select {value} from {owner}_attributes v where v.{owner}_id = {of}.id and v.name = '{name}') as {name}")
}

fn cast(kind: StoreKind, value: &str, declared: &str) -> String {
    match (declared, kind) {
        ("integer" | "boolean", StoreKind::Sqlite) => format!("cast({value} as integer)"),
        ("integer", StoreKind::Postgres) => format!("cast({value} as bigint)"),
        ("boolean", StoreKind::Postgres) => format!("cast({value} as boolean)"),
        ("integer" | "boolean", StoreKind::Mysql) => format!("cast({value} as signed)"),
        ("datetime", StoreKind::Postgres) => format!("cast({value} as timestamptz)"),
        // The first 26 characters are the date and time without the `Z`, which MySQL does not take.
        ("datetime", StoreKind::Mysql) => format!("cast(substr({value}, 1, 26) as datetime(6))"),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_database_gets_the_same_tables_indexes_and_views() {
        let count = |kind| (tables(kind).len(), indexes(kind).len(), views(kind).len());
        let sqlite = count(StoreKind::Sqlite);
        assert_eq!(sqlite, (52, 37, 20));
        assert_eq!(sqlite, count(StoreKind::Postgres));
        assert_eq!(sqlite, count(StoreKind::Mysql));
    }

    #[test]
    fn no_brace_is_left() {
        for kind in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
            let all = [tables(kind), indexes(kind), views(kind)].concat();
            assert!(all.iter().all(|statement| !statement.contains("{{")));
        }
    }
}

//! The text of SELECT statements: quoting and assembly, pure, for all three dialects.
//!
//! Identifiers are quoted by doubling the quote, never checked for harmless characters: a table may be called
//! `order"; --`. Values never become part of the text; each dialect binds them in its own way.

/// How a dialect quotes identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// `"name"`: standard SQL, PostgreSQL and SQLite.
    Double,
    /// `` `name` ``: MySQL and MariaDB, whatever their `sql_mode`.
    Backtick,
}

impl Quotes {
    /// `name` as a quoted identifier.
    pub(super) fn quote(self, name: &str) -> String {
        let quote = match self {
            Quotes::Double => '"',
            Quotes::Backtick => '`',
        };
        let mut quoted = String::with_capacity(name.len() + 2);
        quoted.push(quote);
        for character in name.chars() {
            if character == quote {
                quoted.push(quote);
            }
            quoted.push(character);
        }
        quoted.push(quote);
        quoted
    }

    /// `schema.name`, both quoted.
    pub(super) fn quote_path(self, schema: &str, name: &str) -> String {
        format!("{}.{}", self.quote(schema), self.quote(name))
    }
}

/// The tables that a catalogue's `from` can mean, in the order in which they are tried: the whole text as a name,
/// then, split at its first dot, as schema and name.
pub(super) fn table_names(from: &str) -> Vec<(Option<&str>, &str)> {
    let mut names = vec![(None, from)];
    if let Some((schema, name)) = from.split_once('.')
        && !schema.is_empty()
        && !name.is_empty()
    {
        names.push((Some(schema), name));
    }
    names
}

/// `query` as an item of a FROM clause. The line break keeps a comment at its end from swallowing the rest.
pub(super) fn subquery(query: &str, quotes: Quotes) -> String {
    format!("({query}\n) AS {}", quotes.quote("exportd_rows"))
}

/// A SELECT in its parts, each of them SQL text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Select {
    /// One expression for each column of the file.
    pub(super) cells: Vec<String>,
    /// What is read from.
    pub(super) from: String,
    /// The condition that a row belongs to the period; empty if everything is read.
    pub(super) filter: String,
    /// What rows are sorted by; empty if the order is the store's.
    pub(super) order: Vec<String>,
}

impl Select {
    /// The statement, with its filter or without.
    pub(super) fn text(&self, filtered: bool) -> String {
        let mut text = format!("SELECT {} FROM {}", self.cells.join(", "), self.from);
        if filtered && !self.filter.is_empty() {
            text.push_str(" WHERE ");
            text.push_str(&self.filter);
        }
        if !self.order.is_empty() {
            text.push_str(" ORDER BY ");
            text.push_str(&self.order.join(", "));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_the_quote_and_nothing_else() {
        assert_eq!(Quotes::Double.quote(r#"order"; --"#), r#""order""; --""#);
        assert_eq!(Quotes::Double.quote("a`b"), "\"a`b\"");
        assert_eq!(Quotes::Backtick.quote("a`b"), "`a``b`");
        assert_eq!(Quotes::Backtick.quote(r#"order"; --"#), r#"`order"; --`"#);
        assert_eq!(Quotes::Double.quote("größe in €"), "\"größe in €\"");
        assert_eq!(Quotes::Double.quote(""), "\"\"");
        assert_eq!(Quotes::Double.quote_path("a\"b", "c.d"), "\"a\"\"b\".\"c.d\"");
    }

    #[test]
    fn a_dot_is_first_a_character_and_then_a_separator() {
        assert_eq!(table_names("t"), [(None, "t")]);
        assert_eq!(table_names("a.b.c"), [(None, "a.b.c"), (Some("a"), "b.c")]);
        assert_eq!(table_names(".b"), [(None, ".b")]);
        assert_eq!(table_names("b."), [(None, "b.")]);
    }

    #[test]
    fn a_comment_at_the_end_of_a_query_stays_inside() {
        assert_eq!(subquery("select 1 -- one", Quotes::Double), "(select 1 -- one\n) AS \"exportd_rows\"");
    }

    #[test]
    fn leaves_out_what_is_not_asked_for() {
        let mut select = Select {
            cells: vec!["\"a\"".to_owned(), "\"b\"".to_owned()],
            from: "\"t\"".to_owned(),
            filter: "\"a\" > 1".to_owned(),
            order: vec!["\"a\"".to_owned(), "\"b\"".to_owned()],
        };
        assert_eq!(select.text(true), r#"SELECT "a", "b" FROM "t" WHERE "a" > 1 ORDER BY "a", "b""#);
        assert_eq!(select.text(false), r#"SELECT "a", "b" FROM "t" ORDER BY "a", "b""#);
        select.filter.clear();
        select.order.clear();
        assert_eq!(select.text(true), r#"SELECT "a", "b" FROM "t""#);
    }
}

//! Whether the query of a catalogue is one single statement that reads.
//!
//! This is for a clear message before anything is sent, and to strip a last semicolon so that the query fits into
//! parentheses. It is no protection: that is the read-only transaction, and the database itself, which has to prepare the
//! query as one statement before it is run.

use super::error::StoreError;

/// What differs between dialects where texts and comments are told from code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lexis {
    /// A backslash in a text in single quotes takes the next character along (MySQL).
    pub(super) backslash: bool,
    /// The same between double quotes (MySQL, where these are no names).
    pub(super) backslash_in_double_quotes: bool,
    /// `$tag$ … $tag$` is a text (PostgreSQL).
    pub(super) dollar: bool,
    /// Block comments can hold block comments (PostgreSQL).
    pub(super) nested_comments: bool,
    /// `#` starts a comment (MySQL).
    pub(super) hash_comments: bool,
    /// `--` starts a comment only before a blank (MySQL).
    pub(super) dashes_need_blank: bool,
    /// `[name]` is an identifier (SQLite).
    pub(super) brackets: bool,
}

/// SQLite's.
pub(super) const SQLITE: Lexis = Lexis {
    backslash: false,
    backslash_in_double_quotes: false,
    dollar: false,
    nested_comments: false,
    hash_comments: false,
    dashes_need_blank: false,
    brackets: true,
};
/// PostgreSQL's, with `standard_conforming_strings`.
pub(super) const POSTGRES: Lexis = Lexis {
    backslash: false,
    backslash_in_double_quotes: false,
    dollar: true,
    nested_comments: true,
    hash_comments: false,
    dashes_need_blank: false,
    brackets: false,
};

/// MySQL's and MariaDB's, with this `sql_mode`.
pub(super) fn mysql(mode: &str) -> Lexis {
    let has = |word| mode.split(',').any(|one| one.eq_ignore_ascii_case(word));
    let backslash = !has("NO_BACKSLASH_ESCAPES");
    Lexis {
        backslash,
        backslash_in_double_quotes: backslash && !has("ANSI_QUOTES"),
        dollar: false,
        nested_comments: false,
        hash_comments: true,
        dashes_need_blank: true,
        brackets: false,
    }
}

/// Words that a statement which yields rows begins with. Which of them a store knows, it says itself.
const FIRST_WORDS: [&str; 4] = ["select", "with", "values", "table"];

/// Whether `query` begins like a query of any of the stores, behind comments and parentheses.
pub fn begins_like_a_query(query: &str) -> bool {
    // Of all that differs between the dialects, only comments matter here, and what is no comment begins no query.
    let lexis = mysql("");
    let mut rest = query;
    while let Some(Token { kind, len }) = next_token(rest, lexis) {
        match kind {
            Kind::Blank | Kind::Open => rest = &rest[len..],
            Kind::Word => return is_first_word(&rest[..len]),
            // MySQL reads code in some comments.
            _ => return rest.starts_with("/*"),
        }
    }
    false
}

fn is_first_word(word: &str) -> bool {
    FIRST_WORDS.iter().any(|first| first.eq_ignore_ascii_case(word))
}

/// `query` without a semicolon at its end, if it is one statement that yields rows.
pub(super) fn single_select(query: &str, lexis: Lexis) -> Result<&str, StoreError> {
    let refuse = |why: &str| Err(StoreError::Query(why.to_owned()));
    let mut rest = query;
    let mut first_word = None;
    let mut end = None;
    let mut depth = 0usize;
    while let Some(token) = next_token(rest, lexis) {
        let at = query.len() - rest.len();
        rest = &rest[token.len..];
        match token.kind {
            Kind::Blank => continue,
            Kind::Unfinished(what) => return refuse(&format!("{what} in it never ends")),
            _ if end.is_some() => return refuse("it holds several statements; only one that yields rows is allowed"),
            Kind::Semicolon => end = Some(at),
            Kind::Open => depth += 1,
            Kind::Close if depth == 0 => return refuse("it closes a parenthesis that it never opened"),
            Kind::Close => depth -= 1,
            Kind::Word => first_word = first_word.or(Some(&query[at..at + token.len])),
            Kind::Other => {}
        }
    }
    if depth > 0 {
        return refuse("it opens a parenthesis that it never closes");
    }
    match first_word {
        Some(word) if is_first_word(word) => Ok(&query[..end.unwrap_or(query.len())]),
        Some(_) => refuse("it is no SELECT; the store is only read"),
        None => refuse("it is empty"),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Blank,
    Word,
    Semicolon,
    Open,
    Close,
    Other,
    Unfinished(&'static str),
}

struct Token {
    kind: Kind,
    len: usize,
}

fn next_token(text: &str, lexis: Lexis) -> Option<Token> {
    let first = text.chars().next()?;
    let token = |kind, len| Some(Token { kind, len });
    let line = |len: usize| token(Kind::Blank, text[len..].find('\n').map_or(text.len(), |end| len + end + 1));
    match first {
        _ if first.is_whitespace() => token(Kind::Blank, first.len_utf8()),
        '-' if text.starts_with("--") && (!lexis.dashes_need_blank || is_blank_at(text, 2)) => line(2),
        '#' if lexis.hash_comments => line(1),
        '/' if text.starts_with("/*") => Some(block_comment(text, lexis.nested_comments)),
        '\'' => Some(quoted(text, '\'', lexis.backslash)),
        '"' => Some(quoted(text, '"', lexis.backslash_in_double_quotes)),
        '`' => Some(quoted(text, '`', false)),
        '[' if lexis.brackets => Some(bracketed(text)),
        '$' if lexis.dollar => Some(dollar_quoted(text)),
        'e' | 'E' if lexis.dollar && text[1..].starts_with('\'') => {
            let Token { kind, len } = quoted(&text[1..], '\'', true);
            token(kind, len + 1)
        }
        ';' => token(Kind::Semicolon, 1),
        '(' => token(Kind::Open, 1),
        ')' => token(Kind::Close, 1),
        _ if is_word(first) => token(Kind::Word, text.find(|c| !is_word(c) && c != '$').unwrap_or(text.len())),
        _ => token(Kind::Other, first.len_utf8()),
    }
}

fn is_blank_at(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_none_or(|character| character.is_whitespace() || character.is_control())
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// A doubled quote needs no care: it reads as the end of one quoted text and the start of the next.
fn quoted(text: &str, quote: char, backslash: bool) -> Token {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' if backslash => escaped = true,
            _ if character == quote => return Token { kind: Kind::Other, len: at + 1 },
            _ => {}
        }
    }
    Token { kind: Kind::Unfinished("a quoted text"), len: text.len() }
}

fn bracketed(text: &str) -> Token {
    match text.find(']') {
        Some(end) => Token { kind: Kind::Other, len: end + 1 },
        None => Token { kind: Kind::Unfinished("a quoted name"), len: text.len() },
    }
}

fn dollar_quoted(text: &str) -> Token {
    let tag_end = text[1..].find('$').map(|end| end + 2);
    let Some(tag) = tag_end.map(|end| &text[..end]).filter(|tag| tag[1..tag.len() - 1].chars().all(is_word)) else {
        return Token { kind: Kind::Other, len: 1 };
    };
    match text[tag.len()..].find(tag) {
        Some(end) => Token { kind: Kind::Other, len: end + 2 * tag.len() },
        None => Token { kind: Kind::Unfinished("a quoted text"), len: text.len() },
    }
}

fn block_comment(text: &str, nested: bool) -> Token {
    let (mut depth, mut at) = (1, 2);
    while depth > 0 {
        let (open, close) = (text[at..].find("/*"), text[at..].find("*/"));
        let Some(close) = close else {
            return Token { kind: Kind::Unfinished("a comment"), len: text.len() };
        };
        match open {
            Some(open) if nested && open < close => {
                depth += 1;
                at += open + 2;
            }
            _ => {
                depth -= 1;
                at += close + 2;
            }
        }
    }
    // MySQL runs what stands in /*! … */, so it is not blank for anybody.
    let kind = if text.starts_with("/*!") || text.starts_with("/*M!") { Kind::Other } else { Kind::Blank };
    Token { kind, len: at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(query: &str, lexis: Lexis) -> String {
        single_select(query, lexis).expect_err(query).to_string()
    }

    #[test]
    fn takes_one_statement_and_strips_its_end() {
        for lexis in [SQLITE, POSTGRES, mysql("")] {
            assert_eq!(single_select("select 1", lexis).unwrap(), "select 1");
            assert_eq!(single_select("  WITH a AS (SELECT 1) SELECT * FROM a ; -- ;\n ", lexis).unwrap().len(), 39);
            assert_eq!(single_select("/* a; */ values (1, ';', '''')", lexis).unwrap().len(), 30);
            assert_eq!(single_select("select \"a;b\"", lexis).unwrap(), "select \"a;b\"");
            assert_eq!(single_select("(select 1) union (select 2)", lexis).unwrap().len(), 27);
        }
        single_select("select $$;$$, $a$ $$ ; $a$, E'\\';'", POSTGRES).unwrap();
        single_select("select 1 /* a /* ; */ ; */", POSTGRES).unwrap();
        single_select("select '\\';' # ;\n", mysql("")).unwrap();
        single_select("select [a;b]", SQLITE).unwrap();
    }

    #[test]
    fn a_dollar_inside_a_name_starts_no_text() {
        single_select("select a$b$c; -- $b$", POSTGRES).unwrap();
        assert!(refusal("select a$b$c; select 1", POSTGRES).contains("several"));
    }

    #[test]
    fn refuses_everything_else() {
        for lexis in [SQLITE, POSTGRES, mysql("")] {
            assert!(refusal("select 1; select 2", lexis).contains("several"));
            assert!(refusal("select 1) ; drop table t; (select 1", lexis).contains("parenthesis"));
            assert!(refusal("select (1", lexis).contains("parenthesis"));
            assert!(refusal("select 'a", lexis).contains("never ends"));
            assert!(refusal("select 1 /* ", lexis).contains("never ends"));
            assert!(refusal("delete from t", lexis).contains("no SELECT"));
            assert!(refusal(" -- select 1", lexis).contains("empty"));
            assert!(refusal("", lexis).contains("empty"));
        }
        assert!(refusal("select '\\'; drop table t; --'", POSTGRES).contains("several"));
        assert!(refusal("select 1 /* /* */ ; delete from t", mysql("")).contains("several"));
        assert!(refusal("select 1; /*! delete from t */", mysql("")).contains("several"));
    }
}

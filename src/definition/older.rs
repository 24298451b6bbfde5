//! Definitions as earlier versions stored them: some values were the debug text of a type, and one key was not a key
//! of the configuration.
//!
//! They are brought into the present form when they are read, and stored in it with the next configuration that is
//! accepted. What can't be read stays as it is, and so counts as changed.

use serde_json::{Map, Value, json};

/// Brings a stored definition into the present form; one that has it already stays as it is.
pub(super) fn renew(definition: &mut Map<String, Value>) {
    if let Some(channels) = definition.get_mut("channels") {
        renew_channels(channels);
    }
    if let Some(text) = definition.get("format").and_then(|format| format["csv"].as_str())
        && let Some(options) = Debugged(text).csv_options()
    {
        definition.insert("format".to_owned(), json!("csv"));
        definition.insert("csv".to_owned(), options);
    }
    if let Some(mut trust) = definition.shift_remove("trust") {
        for key in ["host_keys", "known_hosts"] {
            let value = trust.get_mut(key).map(Value::take);
            definition.insert(key.to_owned(), value.unwrap_or_default());
        }
    }
    // A job that delivers to a server has no folder, and earlier versions had no word for that.
    if definition.contains_key("host") {
        definition.entry("folder").or_insert(Value::Null);
    }
    let exports = definition.get_mut("exports").and_then(Value::as_array_mut);
    for export in exports.into_iter().flatten() {
        if let Some(source) = export["source"].as_str().and_then(|text| Debugged(text).source()) {
            export["source"] = source;
        }
    }
}

/// `atmost(4)`
fn renew_channels(channels: &mut Value) {
    let number = |text: &str| text.strip_prefix("atmost(")?.strip_suffix(')')?.parse::<u8>().ok();
    if let Some(number) = channels.as_str().and_then(number) {
        *channels = json!(number);
    }
}

/// What is left to read of the debug text of a value.
struct Debugged<'a>(&'a str);

impl Debugged<'_> {
    /// `Table("sales.orders")` or `Query("SELECT 1")`
    fn source(mut self) -> Option<Value> {
        let key = match self.skip("Table(") {
            Some(()) => "from",
            None => self.skip("Query(").map(|()| "query")?,
        };
        let text = self.text()?;
        self.skip(")")?;
        self.0.is_empty().then(|| json!({ key: text }))
    }

    /// `CsvOptions { delimiter: 44, line_ending: CrLf, bom: false, … }`, with all of its fields in this order.
    fn csv_options(mut self) -> Option<Value> {
        self.skip("CsvOptions { delimiter: ")?;
        let delimiter = self.byte()?;
        self.skip(", line_ending: ")?;
        let line_ending = self.word()?;
        self.skip(", bom: ")?;
        let bom = self.flag()?;
        self.skip(", header: ")?;
        let header = self.flag()?;
        self.skip(", null: ")?;
        let for_null = self.text()?;
        self.skip(", quote: ")?;
        let quote = self.word()?;
        self.skip(", boolean: (")?;
        let yes = self.text()?;
        self.skip(", ")?;
        let no = self.text()?;
        self.skip("), datetime: ")?;
        let datetime = self.word()?;
        self.skip(", decimal_separator: ")?;
        let decimal_separator = self.byte()?;
        self.skip(", formula_guard: ")?;
        let formula_guard = self.flag()?;
        self.skip(" }")?;
        self.0.is_empty().then(|| {
            json!({
                "delimiter": delimiter,
                "line_ending": line_ending,
                "bom": bom,
                "header": header,
                "null": for_null,
                "quote": quote,
                "boolean": [yes, no],
                "datetime": datetime,
                "decimal_separator": decimal_separator,
                "formula_guard": formula_guard,
            })
        })
    }

    /// Goes on behind `expected`, if that is next.
    fn skip(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// A word up to what can't be one, in lower case: the words of the configuration are the variants' names so far.
    fn word(&mut self) -> Option<String> {
        let end = self.0.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then(|| word.to_ascii_lowercase())
    }

    fn flag(&mut self) -> Option<bool> {
        self.word()?.parse().ok()
    }

    /// The character of a byte that is written as its number.
    fn byte(&mut self) -> Option<char> {
        self.word()?.parse::<u8>().ok().map(char::from)
    }

    /// A text in quotes, with Rust's escapes.
    fn text(&mut self) -> Option<String> {
        self.skip("\"")?;
        let mut text = String::new();
        let mut characters = self.0.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => text.push(escaped(&mut characters)?),
                plain => text.push(plain),
            }
        }
        self.0 = characters.as_str();
        Some(text)
    }
}

/// The character that an escape stands for, behind its backslash.
fn escaped(characters: &mut std::str::Chars<'_>) -> Option<char> {
    match characters.next()? {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '0' => Some('\0'),
        'u' => {
            let (digits, rest) = characters.as_str().strip_prefix('{')?.split_once('}')?;
            *characters = rest.chars();
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        }
        quoted @ ('"' | '\\' | '\'') => Some(quoted),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn renewed(mut value: Value) -> Value {
        renew(value.as_object_mut().unwrap());
        value
    }

    #[test]
    fn every_value_that_was_debug_text_is_in_words() {
        let csv = "CsvOptions { delimiter: 59, line_ending: Lf, bom: true, header: false, null: \"\\\\N\", quote: All, \
                   boolean: (\"ja\", \"\\\"nein\\\"\"), datetime: Local, decimal_separator: 44, formula_guard: true }";
        let words = json!({
            "delimiter": ";", "line_ending": "lf", "bom": true, "header": false, "null": "\\N", "quote": "all",
            "boolean": ["ja", "\"nein\""], "datetime": "local", "decimal_separator": ",", "formula_guard": true,
        });
        assert_eq!(renewed(json!({ "format": { "csv": csv } })), json!({ "format": "csv", "csv": words }));
        for (debug, word) in [("CrLf", "crlf"), ("Lf", "lf")] {
            let text = csv.replace("line_ending: Lf", &format!("line_ending: {debug}"));
            assert_eq!(renewed(json!({ "format": { "csv": text } }))["csv"]["line_ending"], word);
        }
        for (debug, word) in [("Rfc3339", "rfc3339"), ("Local", "local"), ("Utc", "utc")] {
            let text = csv.replace("datetime: Local", &format!("datetime: {debug}"));
            assert_eq!(renewed(json!({ "format": { "csv": text } }))["csv"]["datetime"], word);
        }

        assert_eq!(renewed(json!({ "channels": "auto" })), json!({ "channels": "auto" }));
        assert_eq!(renewed(json!({ "channels": "atmost(4)" })), json!({ "channels": 4 }));

        let source = |text: &str| renewed(json!({ "exports": [{ "source": text }] }))["exports"][0]["source"].take();
        assert_eq!(source("Table(\"sales.orders\")"), json!({ "from": "sales.orders" }));
        assert_eq!(
            source("Query(\"SELECT \\\"a\\\", 'b\\\\n'\\nFROM t\\t-- \\u{200b}é\")"),
            json!({ "query": "SELECT \"a\", 'b\\n'\nFROM t\t-- \u{200b}é" })
        );

        let pinned = json!({ "trust": { "host_keys": ["SHA256:x"] } });
        assert_eq!(renewed(pinned), json!({ "host_keys": ["SHA256:x"], "known_hosts": null }));
        let named = json!({ "trust": { "known_hosts": "/etc/ssh/known" } });
        assert_eq!(renewed(named), json!({ "host_keys": null, "known_hosts": "/etc/ssh/known" }));
    }

    #[test]
    fn what_is_in_words_or_unreadable_stays_as_it_is() {
        for value in [
            json!({ "channels": 4, "format": "csv", "csv": { "bom": true }, "host_keys": null, "known_hosts": "x" }),
            json!({ "exports": [{ "source": { "from": "t" } }, { "source": { "query": "Table(\"t\")" } }] }),
            json!({ "exports": [{ "source": "Table(\"t" }, { "source": "View(\"t\")" }, 3], "channels": "atmost(x)" }),
            json!({ "format": { "csv": "CsvOptions { delimiter: 59 }" } }),
        ] {
            assert_eq!(renewed(value.clone()), value);
        }
    }

    proptest! {
        #[test]
        fn any_query_is_read_back(query in any::<String>()) {
            let text = format!("Query({query:?})");
            prop_assert_eq!(Debugged(&text).source(), Some(json!({ "query": query })));
        }
    }
}

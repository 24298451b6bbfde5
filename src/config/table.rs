//! A parsed document as readers see it: tables and items that know their place and report their own faults.
//!
//! Every method that can fail returns `None` after reporting, so that a reader takes all pieces first and puts them
//! together last.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, File, Kind};
use super::guess::{advise, suggest};
use super::keys::Section;

/// A table of a document.
#[derive(Clone, Debug)]
pub(super) struct Table<'a> {
    /// The document.
    pub(super) file: &'a File<'a>,
    /// What people call it: `[store]`, `[[job]]`, `retry`.
    pub(super) title: Cow<'a, str>,
    /// Its header, or all of an inline table.
    pub(super) span: Range<usize>,
    entries: &'a DeTable<'a>,
    offset: usize,
}

/// A value of a document.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    /// The document.
    pub(super) file: &'a File<'a>,
    /// The key it stands behind.
    pub(super) key: &'a str,
    /// The value's bytes.
    pub(super) span: Range<usize>,
    value: &'a DeValue<'a>,
    offset: usize,
}

impl<'a> Table<'a> {
    /// The outermost table of the document, or of a piece of it that begins at `offset`.
    pub(super) fn root(file: &'a File<'a>, entries: &'a DeTable<'a>, offset: usize) -> Table<'a> {
        Table { file, title: "the file".into(), span: 0..0, entries, offset }
    }

    /// The item behind `key`.
    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        let (key, value) = self.entries.get_key_value(key)?;
        Some(Item::new(self.file, key.get_ref(), value, self.offset))
    }

    /// The item behind `key`; reports that it is missing, with an example of what to write.
    pub(super) fn require(&self, key: &str, example: &str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() {
            let fault = Fault::new(format!("{} has no `{key}`", self.title)).label(format!("add `{example}`"));
            self.file.fault(self.span.clone(), fault.kind(Kind::Absence));
        }
        item
    }

    /// The keys in the order of the file, each with the bytes of the key itself and its item.
    pub(super) fn entries(&self) -> Vec<(Range<usize>, Item<'a>)> {
        let items = self.entries.iter().map(|(key, value)| {
            (moved(key.span(), self.offset), Item::new(self.file, key.get_ref(), value, self.offset))
        });
        let mut items: Vec<_> = items.collect();
        items.sort_by_key(|(span, _)| span.start);
        items
    }

    /// The tables of a `[[key]]`; none if there is no such key.
    pub(super) fn tables(&self, key: &str, title: &'a str) -> Vec<Table<'a>> {
        let Some(item) = self.get(key) else { return Vec::new() };
        if item.value.is_table() {
            let fault = Fault::new(format!("`{key}` is a list of tables"));
            item.fault(fault.label(format!("write {title}, with double brackets")));
            return Vec::new();
        }
        let items = item.list().unwrap_or_default();
        items.into_iter().filter_map(|item| item.table(title)).collect()
    }

    /// Reports every key that is not one of the section's.
    pub(super) fn refuse_unknown(&self, section: &Section) {
        for (span, item) in self.entries() {
            if section.key(item.key).is_some() {
                continue;
            }
            let fault = Fault::new(format!("{} has no key `{}`", self.title, item.key)).kind(Kind::UnknownKey);
            self.file.fault(span, advise(fault, item.key, section));
        }
    }
}

impl<'a> Item<'a> {
    fn new(file: &'a File<'a>, key: &'a str, value: &'a Spanned<DeValue<'a>>, offset: usize) -> Item<'a> {
        Item { file, key, span: moved(value.span(), offset), value: value.get_ref(), offset }
    }

    /// Reports a fault of this value.
    pub(super) fn fault(&self, fault: Fault) {
        self.file.fault(self.span.clone(), fault);
    }

    /// Reports that the value is not what the key takes.
    pub(super) fn refuse(&self, takes: &str) {
        let kind = match self.value {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.fault(Fault::new(format!("`{}` takes {takes}", self.key)).label(format!("this is {kind}")));
    }

    /// The text, if that is what it is; reports nothing.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// The table, if that is what it is; reports nothing.
    pub(super) fn as_table(&self) -> Option<Table<'a>> {
        let entries = self.value.as_table()?;
        let (title, span) = (format!("`{}`", self.key).into(), self.span.clone());
        Some(Table { file: self.file, title, span, entries, offset: self.offset })
    }

    /// The value as text that is the same however it is written.
    pub(super) fn plain(&self) -> String {
        plain(self.value)
    }

    /// A text.
    pub(super) fn text(&self) -> Option<&'a str> {
        if self.value.as_str().is_none() {
            self.refuse("text, in quotes");
        }
        self.value.as_str()
    }

    /// A text of at most this many characters.
    pub(super) fn text_of(&self, most: usize) -> Option<&'a str> {
        let text = self.text()?;
        let count = text.chars().count();
        if count > most {
            let fault = Fault::new(format!("`{}` has {count} characters", self.key));
            self.fault(fault.label(format!("at most {most}")));
            return None;
        }
        Some(text)
    }

    /// A text of at least one visible character and no control characters.
    pub(super) fn line(&self) -> Option<&'a str> {
        let text = self.text()?;
        if text.trim().is_empty() {
            self.fault(Fault::new(format!("`{}` is empty", self.key)).label("write something here"));
            return None;
        }
        if text.contains(char::is_control) {
            self.fault(Fault::new(format!("`{}` holds a line break or another control character", self.key)));
            return None;
        }
        Some(text)
    }

    /// The same, refused if it holds a variable as a shell or a template language writes it, for nothing is substituted.
    pub(super) fn literal(&self) -> Option<&'a str> {
        let text = self.line()?;
        if has_variable(text) {
            let fault = Fault::new(format!("`{}` holds a variable, and nothing is substituted in this file", self.key));
            self.fault(fault.label("write the value itself"));
            return None;
        }
        Some(text)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        if !self.value.is_bool() {
            self.refuse("true or false, without quotes");
        }
        self.value.as_bool()
    }

    /// A whole number within `range`.
    pub(super) fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let takes = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(digits) = self.value.as_integer() else {
            self.refuse(&takes);
            return None;
        };
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            self.fault(Fault::new(format!("`{}` takes {takes}", self.key)).label("out of range"));
        }
        number
    }

    /// The time of a TOML local time (`04:00`), if that is what it is; reports nothing.
    pub(super) fn as_time(&self) -> Option<toml::value::Time> {
        let datetime = self.value.as_datetime()?;
        if datetime.date.is_some() || datetime.offset.is_some() { None } else { datetime.time }
    }

    /// The elements of a list.
    pub(super) fn list(&self) -> Option<Vec<Item<'a>>> {
        let Some(array) = self.value.as_array() else {
            self.refuse("a list, in square brackets");
            return None;
        };
        Some(array.iter().map(|value| Item::new(self.file, self.key, value, self.offset)).collect())
    }

    /// A list of texts. Elements that are none are reported and left out.
    pub(super) fn texts(&self) -> Option<Vec<(Item<'a>, &'a str)>> {
        Some(self.list()?.into_iter().filter_map(|item| item.line().map(|text| (item.clone(), text))).collect())
    }

    /// A table, called `title` in faults.
    pub(super) fn table(&self, title: &'a str) -> Option<Table<'a>> {
        let table = self.as_table().map(|table| Table { title: title.into(), ..table });
        if table.is_none() {
            self.refuse("a table");
        }
        table
    }

    /// One of a closed list of words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let fault = Fault::new(format!("`{}` does not know `{text}`", self.key));
        self.fault(suggest(fault, text, words.iter().map(|(word, _)| *word)));
        None
    }

    /// A length of time of at most ten years: `30s`, `5m`, `1h 30m`, `2d`.
    pub(super) fn duration(&self) -> Option<Duration> {
        let takes = "a length of time such as \"30s\", \"5m\", \"1h\" or \"2d\"";
        let Some(text) = self.as_text() else {
            self.refuse(takes);
            return None;
        };
        let span = text.parse::<Span>().ok().filter(|span| span.get_months() == 0 && span.get_years() == 0);
        let exact = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
        let duration = exact.and_then(|exact| Duration::try_from(exact).ok());
        let duration = duration.filter(|duration| *duration <= Duration::from_secs(10 * 366 * 24 * 3600));
        if duration.is_none() {
            self.fault(Fault::new(format!("`{}` takes {takes}", self.key)).label("not a length of time"));
        }
        duration
    }

    /// A path; a relative one starts at `base`.
    pub(super) fn path(&self, base: &Path) -> Option<PathBuf> {
        let text = self.literal()?;
        if text.starts_with('~') {
            self.fault(Fault::new(format!("`{}` begins with `~`", self.key)).label("write the whole path"));
            return None;
        }
        Some(base.join(text))
    }

    /// The bytes of `part` of this text, for a fault in the middle of it; all of it if it is written with escapes.
    pub(super) fn part(&self, part: Range<usize>) -> Range<usize> {
        let (Some(text), Some(raw)) = (self.as_text(), self.file.text.get(self.span.clone())) else {
            return self.span.clone();
        };
        match raw.find(text) {
            Some(at) => self.span.start + at + part.start..self.span.start + at + part.end,
            None => self.span.clone(),
        }
    }
}

fn plain(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) => {
            format!("[{}]", items.iter().map(|item| plain(item.get_ref())).collect::<Vec<_>>().join(","))
        }
        DeValue::Table(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{:?}={}", key.get_ref(), plain(value.get_ref())));
            let mut entries: Vec<String> = entries.collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
    }
}

/// Where in the document lies what lies at `span` in a piece of it.
fn moved(span: Range<usize>, offset: usize) -> Range<usize> {
    span.start + offset..span.end + offset
}

/// Whether a text holds `${NAME}`.
pub(super) fn has_variable(text: &str) -> bool {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).any(|(name, _)| {
        // With a default, as in `${NAME:-value}`.
        let name = name.split(':').next().unwrap_or(name);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

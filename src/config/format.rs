//! How a job's files are written: `format` and `[job.csv]`.

use super::fault::Fault;
use super::job_keys::JobKeys;
use super::keys::CSV;
use super::table::{Item, Table};
use crate::job::{CsvOptions, DatetimeStyle, Format, FormatName, LineEnding, Quote};
use crate::words::Words;

/// Reads a job's format.
pub(super) fn read(keys: &JobKeys<'_>) -> Option<Format> {
    let name = keys.get("format").map_or(Some(FormatName::Bi), |item| item.word(FormatName::WORDS));
    // Options in [defaults] are for those jobs that write CSV.
    let takes_options = name.is_none_or(|name| name == FormatName::Csv);
    let choices = if takes_options { keys.get("csv") } else { keys.own.get("csv") };
    let options = match &choices {
        Some(item) => item.table("[job.csv]").and_then(|table| read_csv(&table)),
        None => Some(CsvOptions::default()),
    };
    if let (Some(name), false, Some(item)) = (name, takes_options, &choices) {
        let fault = Fault::new(format!("the format `{}` leaves no choices", name.word()));
        item.fault(fault.label("remove this table, or write format = \"csv\" in the job"));
    }
    Some(match name? {
        FormatName::Bi => Format::Bi,
        FormatName::Csv => Format::Csv(options?),
        FormatName::Ndjson => Format::Ndjson,
    })
}

fn read_csv(table: &Table<'_>) -> Option<CsvOptions> {
    table.refuse_unknown(&CSV);
    let usual = CsvOptions::default();
    let flag = |key: &str, usual| table.get(key).map_or(Some(usual), |item| item.flag());
    let delimiter = table.get("delimiter").map_or(Some(usual.delimiter), |item| read_delimiter(&item));
    let line_ending = table.get("line_ending").map_or(Some(usual.line_ending), |item| item.word(LineEnding::WORDS));
    let (bom, header) = (flag("bom", usual.bom), flag("header", usual.header));
    let null = table.get("null").map_or(Some(""), |item| read_null(&item, delimiter.unwrap_or(usual.delimiter)));
    let quote = table.get("quote").map_or(Some(usual.quote), |item| item.word(Quote::WORDS));
    let boolean = table.get("boolean").map_or(Some(usual.boolean), |item| read_boolean(&item));
    let datetime = table.get("datetime").map_or(Some(usual.datetime), |item| item.word(DatetimeStyle::WORDS));
    let separators = CsvOptions::DECIMAL_SEPARATORS;
    let separator = table.get("decimal_separator").map_or(Some(usual.decimal_separator), |item| item.word(&separators));
    let formula_guard = flag("formula_guard", usual.formula_guard);
    Some(CsvOptions {
        delimiter: delimiter?,
        line_ending: line_ending?,
        bom: bom?,
        header: header?,
        null: null?.to_owned(),
        quote: quote?,
        boolean: boolean?,
        datetime: datetime?,
        decimal_separator: separator?,
        formula_guard: formula_guard?,
    })
}

/// What stands for NULL is written as it is, so it must not look like more than one cell.
fn read_null<'a>(item: &Item<'a>, delimiter: u8) -> Option<&'a str> {
    let text = item.text()?;
    if text.contains(['"', '\r', '\n', char::from(delimiter)]) {
        let fault = Fault::new("`null` would not be read as one cell");
        item.fault(fault.label("write it without the delimiter, quotes and line breaks"));
        return None;
    }
    Some(text)
}

fn read_delimiter(item: &Item<'_>) -> Option<u8> {
    match item.text()?.as_bytes() {
        b"tab" | b"\t" => Some(b'\t'),
        [byte] if byte.is_ascii_graphic() && !byte.is_ascii_alphanumeric() && *byte != b'"' => Some(*byte),
        _ => {
            let fault = Fault::new("`delimiter` takes one ASCII punctuation character other than a quote, or \"tab\"");
            item.fault(fault.label("write \",\", \";\", \"|\" or \"tab\""));
            None
        }
    }
}

/// The words for true and false: one of the usual pairs, or a list of two.
fn read_boolean(item: &Item<'_>) -> Option<(String, String)> {
    let words = match item.as_text() {
        Some(pair) if CsvOptions::BOOLEANS.contains(&pair) => pair.split('/').collect(),
        Some(pair) => {
            let fault = Fault::new(format!("`boolean` does not know `{pair}`"));
            item.fault(fault.label("write one of the pairs, or a list of two words").help(format!(
                "the pairs are {}; any other is a list such as [\"oui\", \"non\"]",
                CsvOptions::BOOLEANS.map(|pair| format!("\"{pair}\"")).join(", ")
            )));
            return None;
        }
        None => item.texts()?.into_iter().map(|(_, word)| word).collect::<Vec<_>>(),
    };
    match &words[..] {
        [yes, no] if yes != no => Some(((*yes).to_owned(), (*no).to_owned())),
        _ => {
            item.fault(Fault::new("`boolean` takes two different words").label("true comes first"));
            None
        }
    }
}

//! File names: a template of the job, filled from the due time, made safe for any server.
//!
//! Every value comes from the due time and the job, never from the clock at which the work happens, so that a late
//! or repeated run writes the same names. A template holds variables only: no helpers, no blocks, no partials.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use handlebars::template::{Parameter, Template, TemplateElement};
use handlebars::{Context, Handlebars, Path, RenderContext, Renderable, no_escape};
use jiff::{ToSpan, ZonedDateTime};
use serde_json::json;

/// The variables that a template can name.
pub const VARIABLES: [&str; 10] =
    ["label", "export_name", "year", "month", "day", "hour", "minute", "period_start", "period_end", "run_id"];

/// The variables that a directory can name: those that are the same for all files of a run and known long before it, because
/// the directory has to be there when the run begins.
pub const DIRECTORY_VARIABLES: [&str; 8] =
    ["label", "year", "month", "day", "hour", "minute", "period_start", "period_end"];

/// The longest file name in bytes, ending included. Leaves room for what is put around it while it is uploaded.
pub const MAX_BYTES: usize = 200;

/// A compiled template of file names.
#[derive(Clone)]
pub struct NameTemplate {
    text: Arc<str>,
    compiled: Arc<Template>,
    label_uses: usize,
    uses_export_name: bool,
    uses_run_id: bool,
}

impl PartialEq for NameTemplate {
    fn eq(&self, other: &NameTemplate) -> bool {
        self.text == other.text
    }
}

/// What a template is filled with.
#[derive(Clone, Copy, Debug)]
pub struct NameValues<'a> {
    /// The job's label.
    pub label: &'a str,
    /// The export in the file; none for a zip of several.
    pub export_name: Option<&'a str>,
    /// The due time, in the job's zone.
    pub due: &'a ZonedDateTime,
    /// The half-open period `[from, to)`. `period_start` is the date of `from`; `period_end` is the last date that
    /// belongs to the period, so that the previous day has the same date twice.
    pub period: (&'a ZonedDateTime, &'a ZonedDateTime),
    /// The run's identifier.
    pub run_id: &'a str,
}

/// Why a text is no template of file names: all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameFaults {
    /// What is wrong, in the order of the text; at least one.
    pub faults: Vec<NameFault>,
    /// Whether it names the export besides.
    pub uses_export_name: bool,
}

/// One thing that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// It can't be parsed.
    #[error("the template can't be read; a variable is written {{{{label}}}}")]
    Syntax,
    /// It names a variable that does not exist.
    #[error("unknown variable `{name}`")]
    UnknownVariable {
        /// The name as written.
        name: String,
        /// Its bytes in the template.
        range: Range<usize>,
    },
    /// It holds something other than text and variables.
    #[error("a file name is made of text and variables only")]
    NotAVariable {
        /// The bytes of its braces and what is in them.
        range: Range<usize>,
    },
}

impl NameFault {
    /// Where in the template's text the fault lies, if it can be told.
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            NameFault::Syntax => None,
            NameFault::UnknownVariable { range, .. } | NameFault::NotAVariable { range } => Some(range.clone()),
        }
    }
}

static REGISTRY: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(no_escape);
    registry
});

impl NameTemplate {
    /// Compiles `text` and checks that it names only variables that exist.
    pub fn parse(text: &str) -> Result<NameTemplate, NameFaults> {
        let unreadable = |_| NameFaults { faults: vec![NameFault::Syntax], uses_export_name: false };
        let compiled = Template::compile(text).map_err(unreadable)?;
        let (mut used, mut faults, mut at) = (Vec::new(), Vec::new(), 0);
        for element in &compiled.elements {
            match element {
                TemplateElement::RawString(raw) => at += text[at..].find(raw).map_or(0, |found| found + raw.len()),
                TemplateElement::Comment(_) => {
                    tag(text, &mut at);
                }
                TemplateElement::Expression(expression) | TemplateElement::HtmlExpression(expression)
                    if expression.params.is_empty() && expression.hash.is_empty() =>
                {
                    match variable(&expression.name) {
                        Some(Ok(name)) => {
                            place(text, &mut at, name);
                            used.push(name);
                        }
                        Some(Err(name)) => {
                            let range = place(text, &mut at, &name);
                            faults.push(NameFault::UnknownVariable { name, range });
                        }
                        None => faults.push(NameFault::NotAVariable { range: tag(text, &mut at) }),
                    }
                }
                _ => faults.push(NameFault::NotAVariable { range: tag(text, &mut at) }),
            }
        }
        let label_uses = used.iter().filter(|name| **name == "label").count();
        let uses_export_name = used.contains(&"export_name");
        if !faults.is_empty() {
            return Err(NameFaults { faults, uses_export_name });
        }
        let uses_run_id = used.contains(&"run_id");
        Ok(NameTemplate { text: text.into(), compiled: Arc::new(compiled), label_uses, uses_export_name, uses_run_id })
    }

    /// Whether the name depends on the export, which a zip of several can't have.
    pub fn uses_export_name(&self) -> bool {
        self.uses_export_name
    }

    /// Whether the name is a new one for each run, which a directory can't have.
    pub fn uses_run_id(&self) -> bool {
        self.uses_run_id
    }

    /// The first character of the text between variables that names can't have, so that `_` stands for it.
    pub fn replaced(&self) -> Option<char> {
        let texts = self.compiled.elements.iter().filter_map(|element| match element {
            TemplateElement::RawString(text) => Some(text),
            _ => None,
        });
        texts.flat_map(|text| text.chars()).find(|c| !is_safe(*c))
    }

    /// The template as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file name: one path component of at most [`MAX_BYTES`] bytes that any server takes.
    ///
    /// `extension` comes without its dot and is added unless the name ends so already, compared without case; the
    /// empty one adds nothing. A name that is too long loses the end of its label first, so that dates survive.
    pub fn render(&self, values: &NameValues<'_>, extension: &str) -> String {
        let label = clean(values.label);
        let name = clean(&self.fill(values, &label));
        let excess = (name.len() + ending_len(&name, extension)).saturating_sub(MAX_BYTES);
        if excess == 0 || self.label_uses == 0 {
            return component(&name, extension);
        }
        let kept = label.len().saturating_sub(excess.div_ceil(self.label_uses)).max(1);
        component(&self.fill(values, cut(&label, kept)), extension)
    }

    /// The path of a directory. Its text stays as written, and what variables stand for is one safe component each.
    pub fn render_directory(&self, values: &NameValues<'_>) -> String {
        self.fill(values, &component(values.label, ""))
    }

    fn fill(&self, values: &NameValues<'_>, label: &str) -> String {
        let (due, (from, to)) = (values.due, values.period);
        let data = json!({
            "label": label,
            "export_name": values.export_name.unwrap_or_default(),
            "year": format!("{:04}", due.year()),
            "month": format!("{:02}", due.month()),
            "day": format!("{:02}", due.day()),
            "hour": format!("{:02}", due.hour()),
            "minute": format!("{:02}", due.minute()),
            "period_start": from.date().to_string(),
            "period_end": to.saturating_sub(1.nanosecond()).date().to_string(),
            "run_id": values.run_id,
        });
        let context = Context::from(data);
        self.compiled
            .renders(&REGISTRY, &context, &mut RenderContext::new(None))
            .expect("parse lets only variables through, and all of them are given")
    }
}

impl fmt::Debug for NameTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NameTemplate").field(&self.text).finish()
    }
}

/// The name of a run's manifest, `LABEL_DATE.manifest.json`.
pub fn manifest_name(label: &str, due: &ZonedDateTime) -> String {
    let ending = format!("_{}.manifest.json", due.date());
    let label = clean(label);
    component(&format!("{}{ending}", cut(&label, MAX_BYTES - ending.len())), "")
}

/// Whether Windows takes `name` for one of its devices, whatever its ending and case, so that no file can be called so.
pub fn is_windows_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_uppercase();
    let is_port = |port: &str| {
        let number = stem.strip_prefix(port).map(|number| number.chars().collect::<Vec<_>>());
        matches!(number.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || is_port("COM") || is_port("LPT")
}

/// The next braces of `text` at or after `at`, with what is in them; `at` moves behind them.
fn tag(text: &str, at: &mut usize) -> Range<usize> {
    let start = text[*at..].find("{{").map_or(text.len(), |found| *at + found);
    let end = text[start..].find("}}").map_or(text.len(), |found| start + found + 2);
    *at = end;
    start..end
}

/// Where `name` stands in the next braces that hold it.
fn place(text: &str, at: &mut usize, name: &str) -> Range<usize> {
    loop {
        let tag = tag(text, at);
        match text[tag.clone()].find(name) {
            Some(found) => return tag.start + found..tag.start + found + name.len(),
            None if tag.is_empty() => return 0..text.len(),
            None => {}
        }
    }
}

/// The variable of that name, or the name as written if there is none; `None` if it is something else.
fn variable(name: &Parameter) -> Option<Result<&'static str, String>> {
    let written = match name {
        Parameter::Name(name) => name,
        Parameter::Path(Path::Relative((_, raw)) | Path::Local((_, _, raw))) => raw,
        _ => return None,
    };
    Some(VARIABLES.into_iter().find(|known| known == written).ok_or_else(|| written.to_owned()))
}

/// Replaces every character that some server or system would stumble over.
fn clean(text: &str) -> String {
    text.chars().map(|c| if is_safe(c) { c } else { '_' }).collect()
}

fn is_safe(c: char) -> bool {
    c.is_alphanumeric() || "._- ".contains(c)
}

/// How many bytes the extension adds to `name`.
fn ending_len(name: &str, extension: &str) -> usize {
    if extension.is_empty() || split_ending(name, extension).is_some() { 0 } else { extension.len() + 1 }
}

/// `name` before and from the dot of its extension, if it ends in that one.
fn split_ending<'a>(name: &'a str, extension: &str) -> Option<(&'a str, &'a str)> {
    let (stem, ending) = name.split_at_checked(name.len().checked_sub(extension.len() + 1)?)?;
    let same = ending.strip_prefix('.')?.eq_ignore_ascii_case(extension);
    same.then_some((stem, ending))
}

/// Makes one path component of `text`: no leading dot or blank, none at the end, never empty, never too long.
fn component(text: &str, extension: &str) -> String {
    let name = clean(text);
    let added = if extension.is_empty() { String::new() } else { format!(".{extension}") };
    let (stem, ending) = match split_ending(&name, extension) {
        Some(parts) if !extension.is_empty() => parts,
        _ => (name.as_str(), added.as_str()),
    };
    let stem = stem.trim_start_matches(' ');
    let dots = stem.len() - stem.trim_start_matches('.').len();
    let stem = format!("{}{}", "_".repeat(dots), &stem[dots..]);
    let stem = cut(&stem, MAX_BYTES.saturating_sub(ending.len())).trim_end_matches(['.', ' ']);
    if stem.is_empty() { format!("_{ending}") } else { format!("{stem}{ending}") }
}

/// The longest start of `text` that has at most `bytes` bytes.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests;

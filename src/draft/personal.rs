//! Which columns look personal, by the words of their names, their types, and what their table is about.
//!
//! A guess, and it errs on the safe side: a column wrongly held back costs an administrator one word, a column
//! wrongly let out can't be called back. Text is harmless only if its name says so; numbers, times and flags are
//! personal only if their name says so. No row is looked at: a sample proves nothing about the next row.

use std::fmt;

use super::dictionary::{Group, dictionary};
use super::sql_type::Shape;
use super::times::is_bookkeeping;
use super::words::words;

/// Why a column is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A name of a person, or a person.
    Name,
    /// An e-mail address.
    Mail,
    /// A phone or fax number.
    Phone,
    /// A postal address or a part of one.
    Address,
    /// Birth, age or death.
    Birth,
    /// Gender, nationality, marital status, profession.
    Trait,
    /// Health, belief, origin and the like, which the law protects most.
    Special,
    /// A number that an office gave to a person.
    Official,
    /// A bank account or card.
    Bank,
    /// Pay and debts.
    Income,
    /// A password, key or token.
    Secret,
    /// The name of an account.
    Login,
    /// What tells one device or connection from others.
    Online,
    /// Where something or somebody is.
    Location,
    /// A picture, voice or signature.
    Image,
    /// What a person did and when.
    Conduct,
    /// Text that people write, often about people.
    Text,
    /// JSON and bytes: anything can be inside.
    Opaque,
    /// Text whose name does not say that it is harmless.
    Unclear,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Name => "may name a person",
            Reason::Mail => "e-mail",
            Reason::Phone => "phone or fax",
            Reason::Address => "part of an address",
            Reason::Birth => "birth, age or death",
            Reason::Trait => "personal trait",
            Reason::Special => "health, belief or origin",
            Reason::Official => "official number",
            Reason::Bank => "bank account or card",
            Reason::Income => "pay or debt",
            Reason::Secret => "secret",
            Reason::Login => "account name",
            Reason::Online => "device or connection",
            Reason::Location => "location",
            Reason::Image => "picture, voice or signature",
            Reason::Conduct => "what a person did",
            Reason::Text => "text that may tell about persons",
            Reason::Opaque => "can hold anything",
            Reason::Unclear => "text, and its name does not say of what",
        })
    }
}

/// What a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// People.
    People,
    /// Things, or choices.
    Things,
    /// Places on a map.
    Places,
    /// Anything else: what happens, mostly.
    Other,
}

impl Topic {
    /// What the table or view called `table` is about.
    pub(super) fn of(table: &str) -> Topic {
        let dictionary = dictionary();
        let mut words = words(table);
        words.retain(|word| word.chars().count() > 1 && !dictionary.is(Group::Noise, word));
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return Topic::Other };
        // People may choose, but a list of choices (`user_roles`) is not a list of people.
        if dictionary.is(Group::Choice, last) {
            return Topic::Things;
        }
        if words.iter().any(|word| dictionary.is(Group::Person, word)) {
            return Topic::People;
        }
        // The noun is the last word in English, German and Danish, and the first in French and Spanish.
        let is_about = |group| dictionary.is(group, first) || dictionary.is(group, last);
        if is_about(Group::Place) {
            Topic::Places
        } else if is_about(Group::Thing) || is_about(Group::Choice) {
            Topic::Things
        } else {
            Topic::Other
        }
    }

    fn is_impersonal(self) -> bool {
        matches!(self, Topic::Things | Topic::Places)
    }
}

/// Why the column should be held back by default, if it should. `sql_type` is the type in the database's words.
pub fn is_personal(table: &str, column: &str, sql_type: &str) -> Option<Reason> {
    let shape = Shape::of(sql_type);
    let topic = Topic::of(table);
    let words = words(column);
    if shape == Shape::Network {
        return Some(Reason::Online);
    }
    if let Some(reason) = telling(&words, shape, topic) {
        return Some(reason);
    }
    let is_id = words.last().is_some_and(|word| word == "id");
    if tells_secrets_of_people(table) && !is_id && !shape.is_time() && shape != Shape::Uuid {
        return Some(Reason::Special);
    }
    match shape {
        Shape::Document | Shape::Binary => Some(Reason::Opaque),
        Shape::Geometry => Some(Reason::Location).filter(|_| topic != Topic::Places),
        Shape::Unknown => Some(Reason::Unclear),
        // The day on which a row was entered is no news about the person, even if it is kept as text.
        _ if is_bookkeeping(column) => None,
        shape if shape.is_text() => judge_text(&words, shape, topic),
        _ => None,
    }
}

/// Whether a row is sensitive by being there: whatever a table of diagnoses says, it says of a patient.
fn tells_secrets_of_people(table: &str) -> bool {
    words(table).iter().any(|word| dictionary().reason(word) == Some(Reason::Special))
}

/// Finds a word or phrase that is personal in itself.
fn telling(words: &[String], shape: Shape, topic: Topic) -> Option<Reason> {
    let dictionary = dictionary();
    for length in (1..=3).rev() {
        for (start, phrase) in words.windows(length).enumerate() {
            let joined = phrase.concat();
            let stem = || if length == 1 { dictionary.stem(&joined) } else { None };
            let Some(reason) = dictionary.reason(&joined).or_else(stem) else { continue };
            let is_of_place = reason == Reason::Location || dictionary.is(Group::Place, &joined);
            let is_exempt = topic == Topic::Places && is_of_place;
            let rest = &words[start + length..];
            let is_surrogate = joined == "key" && shape.is_number();
            if !is_exempt && !is_surrogate && fits(reason, shape) && !is_aspect(reason, rest, shape) {
                return Some(reason);
            }
        }
    }
    let measures = |word: &String| dictionary.is(Group::Measure, word);
    Some(Reason::Trait).filter(|_| topic == Topic::People && shape.is_number() && words.iter().any(measures))
}

/// Whether such values can hold what the name promises.
fn fits(reason: Reason, shape: Shape) -> bool {
    match shape {
        Shape::Boolean | Shape::Digit => matches!(reason, Reason::Trait | Reason::Special),
        Shape::Date | Shape::Datetime | Shape::Clock => matches!(
            reason,
            Reason::Birth | Reason::Conduct | Reason::Login | Reason::Special | Reason::Official | Reason::Bank
        ),
        shape if shape.is_number() || shape == (Shape::List { of_text: false }) => !matches!(
            reason,
            Reason::Name | Reason::Mail | Reason::Login | Reason::Image | Reason::Text | Reason::Conduct
        ),
        Shape::Uuid => matches!(reason, Reason::Secret | Reason::Online | Reason::Official),
        _ => true,
    }
}

/// Whether the words behind the telling one make it a remark about it (`email_status`, `address_id`).
fn is_aspect(reason: Reason, rest: &[String], shape: Shape) -> bool {
    let Some(last) = rest.last() else { return false };
    if matches!(reason, Reason::Birth | Reason::Trait | Reason::Special | Reason::Official) {
        return false;
    }
    let is_number = shape.is_number() || shape == Shape::Uuid;
    let is_remark = |group| dictionary().is(group, last);
    is_remark(Group::Aspect) || is_remark(Group::Describing) || is_number && matches!(last.as_str(), "id" | "key")
}

/// Judges a text whose name holds nothing personal in itself.
fn judge_text(words: &[String], shape: Shape, table: Topic) -> Option<Reason> {
    let dictionary = dictionary();
    let has = |group| words.iter().any(|word| dictionary.is(group, word));
    let tells_of_people = has(Group::Person) || has(Group::Sending);
    let topic = if tells_of_people { Topic::People } else { table };
    if has(Group::Name) {
        return Some(Reason::Name).filter(|_| tells_of_people || !names_thing(words, topic));
    }
    let last = words.last().map_or("", String::as_str);
    if words.len() > 1 && matches!(last, "by" | "to" | "for") && shape != Shape::Choice {
        return Some(Reason::Name);
    }
    if is_code(shape) {
        return None;
    }
    // `by` is a town in Danish.
    if last == "by" && table != Topic::Places {
        return Some(Reason::Address);
    }
    if dictionary.is(Group::Person, last) {
        return Some(Reason::Name);
    }
    let first = words.first().filter(|_| !tells_of_people).map_or("", String::as_str);
    let is_at_an_end = |group| dictionary.is(group, first) || dictionary.is(group, last);
    if is_at_an_end(Group::Safe) || topic != Topic::People && is_at_an_end(Group::SafeElsewhere) {
        return None;
    }
    if has(Group::Describing) {
        return Some(Reason::Text).filter(|_| !topic.is_impersonal());
    }
    // The only column of a list of choices or places that is called like the list itself.
    if topic == Topic::Places && has(Group::Place) {
        return None;
    }
    let is_short = matches!(shape, Shape::Text { limit: Some(0..=255) });
    Some(Reason::Unclear).filter(|_| !topic.is_impersonal() || !is_short)
}

/// Whether a column with a word for `name` names no person: `product_name` anywhere, `name` in a table of things.
fn names_thing(words: &[String], table: Topic) -> bool {
    let dictionary = dictionary();
    let has = |group| words.iter().any(|word| word != "by" && dictionary.is(group, word));
    match table {
        Topic::Things | Topic::Places => true,
        Topic::People => has(Group::Thing) || has(Group::Choice),
        Topic::Other => [Group::Thing, Group::Choice, Group::Place, Group::Named].into_iter().any(has),
    }
}

/// Whether there is no room for more than a code.
fn is_code(shape: Shape) -> bool {
    matches!(shape, Shape::Choice | Shape::Text { limit: Some(0..=3) })
}

#[cfg(test)]
mod tests;

//! Which columns look personal, by the words of their names, their types, and what their table is about.
//!
//! A guess, and it errs on the safe side: a column wrongly held back costs an administrator one word, a column
//! wrongly let out can't be called back. Text is harmless only if its name says so. So are numbers, times, flags and
//! codes in a table of people and in one that refers to people; elsewhere they are personal only if their name says
//! so. No row is looked at: a sample proves nothing about the next row.

use super::dictionary::{Group, dictionary};
use super::reason::Reason;
use super::sql_type::Shape;
use super::subject::{Details, Subject, Topic, is_key};
use super::times::is_bookkeeping;
use super::words::words;

/// Why the column should be held back by default, if it should. `sql_type` is the type in the database's words.
pub(super) fn judge(subject: &Subject, column: &str, sql_type: &str, is_primary_key: bool) -> Option<Reason> {
    let shape = Shape::of(sql_type);
    let words = words(column);
    if shape == Shape::Network {
        return Some(Reason::Online);
    }
    if let Some(reason) = telling(&words, shape, subject.topic) {
        return Some(reason);
    }
    let names_row = is_primary_key && !shape.is_text() || refers(&words, shape);
    if subject.reason.is_some() && !names_row && !is_bookkeeping(column) {
        return subject.reason;
    }
    match shape {
        Shape::Document | Shape::Binary => Some(Reason::Opaque),
        Shape::Geometry => Some(Reason::Location).filter(|_| subject.topic != Topic::Places),
        Shape::Unknown => Some(Reason::Unclear),
        // The day on which a row was entered is no news about the person, even if it is kept as text.
        _ if is_bookkeeping(column) => None,
        shape if shape.is_text() => judge_text(&words, shape, subject),
        _ if names_row || subject.details == Details::All => None,
        _ => Some(Reason::Detail).filter(|_| !is_harmless(&words, shape, subject.details)),
    }
}

/// Whether the column tells one row from others, here or in another table.
fn refers(words: &[String], shape: Shape) -> bool {
    let last = words.last().map_or("", String::as_str);
    match shape {
        Shape::Uuid => true,
        Shape::Whole | Shape::Decimal => is_key(words) || matches!(last, "key" | "by" | "to" | "for"),
        shape => shape.is_text() && (last == "id" || words.first().is_some_and(|first| first == "id")),
    }
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
    if concerns_protected(words) {
        return Some(Reason::Special);
    }
    let measures = |word: &String| dictionary.is(Group::Measure, word);
    Some(Reason::Trait).filter(|_| topic == Topic::People && shape.is_number() && words.iter().any(measures))
}

/// Whether the column says something about a patient: `patient_status`, but not `patient_id`.
fn concerns_protected(words: &[String]) -> bool {
    words.len() > 1 && words.iter().any(|word| dictionary().is(Group::Protected, word)) && !is_key(words)
}

/// Whether such values can hold what the name promises.
fn fits(reason: Reason, shape: Shape) -> bool {
    match shape {
        Shape::Boolean | Shape::Digit => reason.is_lasting() && reason != Reason::Official,
        Shape::Date | Shape::Datetime | Shape::Clock => {
            reason.is_lasting() || matches!(reason, Reason::Login | Reason::Bank)
        }
        shape if shape.is_number() || shape == (Shape::List { of_text: false }) => {
            !matches!(reason, Reason::Name | Reason::Mail | Reason::Login | Reason::Image | Reason::Text)
        }
        Shape::Uuid => matches!(reason, Reason::Secret | Reason::Online | Reason::Official),
        _ => true,
    }
}

/// Whether the words behind the telling one make it a remark about it (`email_status`, `address_id`).
fn is_aspect(reason: Reason, rest: &[String], shape: Shape) -> bool {
    let Some(last) = rest.last() else { return false };
    let is_key = (shape.is_number() || shape == Shape::Uuid) && matches!(last.as_str(), "id" | "key");
    if reason.is_lasting() {
        return is_key && matches!(reason, Reason::Family | Reason::Income | Reason::Conduct);
    }
    let is_remark = |group| dictionary().is(group, last);
    is_key || is_remark(Group::Aspect) || is_remark(Group::Describing)
}

/// Whether a column is known as harmless even in a row about a person: all of its words are known, and one of them says
/// what the column holds.
fn is_harmless(words: &[String], shape: Shape, details: Details) -> bool {
    let dictionary = dictionary();
    let is_any = |groups: &[Group], phrase: &str| groups.iter().any(|group| dictionary.is(*group, phrase));
    let is_place_name = |phrase: &str| shape.is_text() && !is_code(shape) && dictionary.is(Group::Place, phrase);
    let is_figure = |phrase: &str| details == Details::OfTrade && is_any(&[Group::Figure, Group::Safe], phrase);
    let says_what = |phrase: &str| dictionary.is(Group::Harmless, phrase) || is_figure(phrase);
    let nouns = [Group::Glue, Group::Thing, Group::Beside, Group::Choice, Group::Trade, Group::Place, Group::Person];
    let is_known = |phrase: &str| {
        let is_remarked_on = dictionary.reason(phrase).is_some_and(|reason| !reason.is_lasting());
        (says_what(phrase) || is_any(&nouns, phrase) || is_remarked_on) && !is_place_name(phrase)
    };
    let mut says = false;
    let mut rest = words;
    while !rest.is_empty() {
        let phrases = (1..=rest.len().min(3)).rev().map(|length| (length, rest[..length].concat()));
        let Some((length, phrase)) = phrases.into_iter().find(|(_, phrase)| is_known(phrase)) else { return false };
        says |= says_what(&phrase);
        rest = &rest[length..];
    }
    says
}

/// Judges a text whose name holds nothing personal in itself.
fn judge_text(words: &[String], shape: Shape, subject: &Subject) -> Option<Reason> {
    let table = subject.topic;
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
        let is_harmless =
            || subject.details == Details::All || refers(words, shape) || is_harmless(words, shape, subject.details);
        return Some(Reason::Detail).filter(|_| !is_harmless());
    }
    // `by` is a town in Danish.
    if last == "by" && table != Topic::Places {
        return Some(Reason::Address);
    }
    // `typ_klienta` and `tipo_cliente` are types.
    let is_choice = words.len() > 1 && words.first().is_some_and(|first| dictionary.is(Group::Choice, first));
    if dictionary.is(Group::Person, last) && !is_choice {
        return Some(Reason::Name);
    }
    let first = words.first().filter(|_| !tells_of_people).map_or("", String::as_str);
    let is_at_an_end = |group| dictionary.is(group, first) || dictionary.is(group, last);
    if subject.details == Details::Harmless {
        if refers(words, shape) || is_harmless(words, shape, subject.details) {
            return None;
        }
    } else if is_at_an_end(Group::Safe) || topic != Topic::People && is_at_an_end(Group::SafeElsewhere) {
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
    Some(Reason::Unclear).filter(|_| !topic.is_impersonal() || !is_short || subject.details != Details::All)
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

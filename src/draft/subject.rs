//! What a table is about, by its name and by the keys that it holds.

use super::dictionary::{Group, dictionary};
use super::reason::Reason;
use super::sql_type::Shape;
use super::words::words;

/// What the name of a table says.
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

/// Which numbers, flags, dates and codes are let out, of those whose name is not personal in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Details {
    /// All of them: the rows are not about people.
    All,
    /// Those that are known as harmless, and what is counted and dated in trade.
    OfTrade,
    /// Only those that are known as harmless.
    Harmless,
}

/// What is known of a table before its columns are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) topic: Topic,
    /// A row tells this of a person by being there: whatever a table of diagnoses says, it says of a patient.
    pub(super) reason: Option<Reason>,
    pub(super) details: Details,
}

impl Subject {
    /// What the table or view called `table` with these columns, names and types, is about.
    pub(super) fn of<'a>(table: &str, mut columns: impl Iterator<Item = (&'a str, &'a str)>) -> Subject {
        let topic = Topic::of(table);
        let words = words(table);
        let mut refers = || columns.any(|(name, sql_type)| refers_to_person(name, Shape::of(sql_type)));
        let names = |group| words.iter().any(|word| dictionary().is(group, word));
        let ends_in = |group| words.last().is_some_and(|word| dictionary().is(group, word));
        let of_people = |is_trade| if is_trade { Details::OfTrade } else { Details::Harmless };
        let details = match topic {
            // `order_contacts` are contacts, `customer_orders` are orders.
            Topic::People => of_people(ends_in(Group::Trade)),
            Topic::Places => Details::All,
            // `album` and `order_items` with a key to a person are things. `lesson_absences` and `member_options` with
            // such a key are about that person.
            Topic::Things if !names(Group::Person) && (ends_in(Group::Thing) || ends_in(Group::Choice)) => Details::All,
            _ if refers() => of_people(names(Group::Trade)),
            _ => Details::All,
        };
        Subject { topic, reason: table_reason(&words, topic), details }
    }
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
        // The noun is the last word in Germanic languages, and the first in Romance languages and Polish.
        let is_about = |group| dictionary.is(group, first) || dictionary.is(group, last);
        if is_about(Group::Place) {
            Topic::Places
        } else if is_about(Group::Thing) || is_about(Group::Choice) {
            Topic::Things
        } else {
            Topic::Other
        }
    }

    pub(super) fn is_impersonal(self) -> bool {
        matches!(self, Topic::Things | Topic::Places)
    }
}

/// What the rows of a table tell of people by being there.
fn table_reason(words: &[String], topic: Topic) -> Option<Reason> {
    let tells = |phrase: String| dictionary().reason(&phrase).filter(|reason| reason.is_of_tables());
    let reason = phrases(words).find_map(tells);
    // Of `families` and `employees_on_leave` the columns are judged one by one.
    reason.filter(|reason| *reason == Reason::Special || topic != Topic::People)
}

/// Whether each row belongs to a person by this column: `customer_id`, `patient_nr`, a number called `member`, or a
/// `first_name`. The one who entered a row is not the one it is about.
fn refers_to_person(column: &str, shape: Shape) -> bool {
    let words = words(column);
    let names = |group, word: &String| dictionary().is(group, word);
    let is_person = |word: &String| names(Group::Person, word) && !names(Group::Record, word);
    let is_entry = |word: &String| matches!(word.as_str(), "by" | "created" | "updated" | "modified" | "changed");
    let is_number = matches!(shape, Shape::Whole | Shape::Uuid);
    let is_key = is_key(&words) || is_number && words.len() == 1;
    let names_person = || phrases(&words).any(|phrase| dictionary().reason(&phrase) == Some(Reason::Name));
    !words.iter().any(is_entry) && (is_key && words.iter().any(is_person) || names_person())
}

/// All runs of up to three words, each without blanks.
fn phrases(words: &[String]) -> impl Iterator<Item = String> {
    (1..=3).flat_map(|length| words.windows(length)).map(<[String]>::concat)
}

/// Whether a column of these words is a key by its name: `order_id`, `id_client`, `fk_user`, `kundennr`.
pub(super) fn is_key(words: &[String]) -> bool {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let is_id = |word: &String| matches!(word.as_str(), "id" | "uuid" | "guid" | "rowid");
    if is_id(first) || is_id(last) || first == "fk" {
        return true;
    }
    let is_number =
        |word: &String| matches!(word.as_str(), "nr" | "no" | "num" | "number" | "nummer" | "numero" | "numer");
    let groups = [Group::Person, Group::Thing, Group::Beside, Group::Trade, Group::Place, Group::Choice];
    let is_noun = |word: &String| groups.into_iter().any(|group| dictionary().is(group, word));
    let rest = if is_number(last) { &words[..words.len() - 1] } else { &words[1..] };
    (is_number(first) || is_number(last)) && !rest.is_empty() && rest.iter().all(is_noun)
}

//! Conversations, and what is kept of the visit that a chat began with.

use super::super::calendar::{HOUR, Moment, SECOND};
use super::super::conversation::Thread;
use super::super::random::Random;
use super::super::row::{Cell, Rows, row};
use super::super::texts;
use super::super::world::{Kind, World};
use super::Table;
use super::channels::{self, CHANNELS};
use super::customers;

pub(super) const TABLES: [Table; 4] = [
    Table { name: "threads", units: |world| world.threads, fill: threads },
    Table { name: "thread_categories", units: |world| world.threads, fill: categories },
    Table { name: "thread_languages", units: |world| world.threads, fill: languages },
    Table { name: "thread_attributes", units: |world| world.threads, fill: attributes },
];

fn random(world: &World, thread: u64) -> Random {
    world.random(Kind::Thread, thread + (1 << 40))
}

/// The categories set on a thread itself.
fn categories_of(world: &World, thread: u64) -> Vec<u64> {
    let count = [0, 0, 1, 2][thread as usize % 4];
    channels::some_categories(&mut world.random(Kind::Category, thread), count)
}

fn threads(world: &World, index: u64, rows: &mut Rows) {
    let thread = world.thread(index);
    let messages = world.messages_of(&thread);
    let (first, last) = (messages.first(), messages.last());
    let mut random = random(world, index);
    let categorized = categories_of(world, index).first().map(|_| thread.start.plus_within(600 * SECOND));
    let updated = last.map_or(thread.start, |last| last.at).plus_within(random.below(48) as i64 * HOUR);
    let language = customers::person(world, thread.identity).origin.language;
    row!(rows;
        id: world.id(Kind::Thread, index),
        channel_id: world.id(Kind::Channel, thread.channel as u64),
        external_id: [Some(format!("t/{index:x}")), None, Some(String::new())][index as usize % 3].clone(),
        title: title(&thread, language, &mut random),
        closed: random.chance(20),
        first_categorized_at: categorized,
        first_message_id: first.map(|message| world.id(Kind::Message, message.index)),
        last_message_id: last.map(|message| world.id(Kind::Message, message.index)),
        last_message_at: last.map(|message| message.at),
        message_count: thread.messages,
        case_count: thread.cases,
        created_at: thread.start,
        updated_at: updated,
    );
}

fn title(thread: &Thread, language: &str, random: &mut Random) -> Option<Cell> {
    match random.below(8) {
        0 => texts::hostile(thread.index % 26).map(Cell::Text),
        1..4 => None,
        _ => Some(texts::subject(language, random).into()),
    }
}

fn categories(world: &World, index: u64, rows: &mut Rows) {
    for category in categories_of(world, index) {
        row!(rows; thread_id: world.id(Kind::Thread, index), category_id: world.id(Kind::Category, category));
    }
}

fn languages(world: &World, index: u64, rows: &mut Rows) {
    let own = customers::person(world, world.thread(index).identity).origin.language;
    let second = if own == "en" { "fr" } else { "en" };
    let count = [1, 1, 2, 0, 1][index as usize % 5];
    for language in [own, second].into_iter().take(count) {
        row!(rows; thread_id: world.id(Kind::Thread, index), language: language);
    }
}

fn attributes(world: &World, index: u64, rows: &mut Rows) {
    let thread = world.thread(index);
    if CHANNELS[thread.channel].medium() != "chat" {
        return;
    }
    let mut random = random(world, index);
    let person = customers::person(world, thread.identity);
    let causes = [
        "client_impossible_delay",
        "disconnection",
        "intervention_closed",
        "intervention_auto_closed",
        "visitor_closed",
    ];
    let mut attributes = vec![
        ("chat_trigger_id", world.id(Kind::Trigger, index % 3)),
        ("chat_trigger_name", ["Basket, full", "Second visit", "Help \"page\""][index as usize % 3].to_owned()),
        ("chat_page_title", format!("Basket of {}", person.first_name)),
        ("chat_page_url", format!("https://shop.example.com/basket?customer={}&step=2", thread.identity)),
        ("chat_page_visit_count", random.below(9).to_string()),
        ("chat_page_visit_started_at", instant(thread.start.plus(-90 * SECOND))),
        ("chat_visit_count", random.below(5).to_string()),
        ("chat_visit_started_at", instant(thread.start.plus(-HOUR))),
    ];
    if let Some(last) = world.messages_of(&thread).last() {
        attributes.push(("chat_close_cause", random.pick(&causes).to_string()));
        attributes.push(("chat_closed_at", instant(last.at.plus_within(300 * SECOND))));
    }
    for place in (1..=10).filter(|place| (index + place).is_multiple_of(2)) {
        attributes.push((VARIABLES[place as usize - 1], format!("{}; value {place}", person.name())));
    }
    for (name, value) in attributes {
        row!(rows; thread_id: world.id(Kind::Thread, index), name: name, value: value);
    }
}

/// An instant in a column of texts: ISO 8601, in UTC.
fn instant(at: Moment) -> String {
    let mut text = String::new();
    at.write('T', &mut text);
    text.push('Z');
    text
}

const VARIABLES: [&str; 10] = [
    "chat_variable_1",
    "chat_variable_2",
    "chat_variable_3",
    "chat_variable_4",
    "chat_variable_5",
    "chat_variable_6",
    "chat_variable_7",
    "chat_variable_8",
    "chat_variable_9",
    "chat_variable_10",
];

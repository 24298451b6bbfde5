//! The reply assistant: prepared answers in versions. Their bodies hold every text that breaks careless exports.

use super::super::calendar::DAY;
use super::super::pattern::Pattern;
use super::super::row::{Rows, row};
use super::super::texts;
use super::super::world::{Kind, World};
use super::Table;
use super::channels::{self, CHANNELS};

pub(super) const TABLES: [Table; 5] = [
    Table { name: "reply_groups", units: |_| GROUPS.len() as u64, fill: groups },
    Table { name: "reply_entries", units: |_| ENTRIES, fill: entries },
    Table { name: "reply_versions", units: |_| versions(), fill: reply_versions },
    Table { name: "reply_entry_categories", units: |_| ENTRIES, fill: entry_categories },
    Table { name: "reply_version_channels", units: |_| versions(), fill: version_channels },
];

/// The last group has no entries.
const GROUPS: [&str; 5] = ["Greetings", "Refunds, returns", "Livraison", "Техника", "Empty"];
const ENTRIES: u64 = 42;
const VERSIONS_OF_ENTRY: Pattern<3> = Pattern([1, 2, 3]);

/// How many versions there are.
pub(super) fn versions() -> u64 {
    VERSIONS_OF_ENTRY.first(ENTRIES)
}

fn groups(world: &World, index: u64, rows: &mut Rows) {
    row!(rows;
        id: world.id(Kind::ReplyGroup, index),
        name: GROUPS[index as usize],
        position: index,
        autocomplete: index.is_multiple_of(2),
        created_at: world.founded(index),
        updated_at: world.founded(index).plus(index as i64 * DAY),
    );
}

fn entries(world: &World, index: u64, rows: &mut Rows) {
    let labels = ["hello", "=refund, full", "\"late\"", "où ?", "再起動"];
    row!(rows;
        id: world.id(Kind::ReplyEntry, index),
        reply_group_id: world.id(Kind::ReplyGroup, index % (GROUPS.len() as u64 - 1)),
        external_id: [Some(format!("reply.{index}")), None, Some(String::new())][index as usize % 3].clone(),
        label: format!("{} {}", labels[index as usize % labels.len()], index / 5 + 1),
        shortcut: index.is_multiple_of(2).then(|| format!("/{index}")),
        created_at: world.founded(index),
        updated_at: world.founded(index),
    );
}

fn reply_versions(world: &World, index: u64, rows: &mut Rows) {
    let (entry, place) = VERSIONS_OF_ENTRY.owner(index);
    let languages = ["en", "fr", "de", "ru", "ar", "he", "zh", "ja", "el", "pl", "es"];
    let language = languages[index as usize % languages.len()];
    let usual = || texts::text(language, true, &mut world.random(Kind::ReplyVersion, index)).into();
    let body = texts::hostile(index).unwrap_or_else(usual);
    row!(rows;
        id: world.id(Kind::ReplyVersion, index),
        reply_entry_id: world.id(Kind::ReplyEntry, entry),
        version_number: place + 1,
        language: [Some(language), None, Some("")][[0, 0, 0, 1, 2][index as usize % 5]],
        format: if index % 4 == 3 { "html" } else { "text" },
        body: body.into_owned(),
        created_at: world.founded(index),
        updated_at: world.founded(index),
    );
}

fn entry_categories(world: &World, index: u64, rows: &mut Rows) {
    let mut random = world.random(Kind::Category, index + (1 << 43));
    for category in channels::some_categories(&mut random, index % 3) {
        row!(rows; reply_entry_id: world.id(Kind::ReplyEntry, index), category_id: world.id(Kind::Category, category));
    }
}

fn version_channels(world: &World, index: u64, rows: &mut Rows) {
    for nth in 0..index % 3 {
        let channel = (index + nth) % CHANNELS.len() as u64;
        row!(rows; reply_version_id: world.id(Kind::ReplyVersion, index), channel_id: world.id(Kind::Channel, channel));
    }
}

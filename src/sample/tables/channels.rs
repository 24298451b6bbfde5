//! Where conversations take place, and the tree of categories that they are sorted into.

use super::super::calendar::DAY;
use super::super::random::Random;
use super::super::row::{Rows, row};
use super::super::world::{Kind, World};
use super::Table;

pub(super) const TABLES: [Table; 6] = [
    Table { name: "channel_groups", units: |_| GROUPS.len() as u64, fill: groups },
    Table { name: "communities", units: |_| COMMUNITIES.len() as u64, fill: communities },
    Table { name: "channels", units: |_| CHANNELS.len() as u64, fill: channels },
    Table { name: "channel_attributes", units: |_| CHANNELS.len() as u64, fill: attributes },
    Table { name: "categories", units: |_| CATEGORIES.len() as u64, fill: categories },
    Table { name: "category_channels", units: |_| CATEGORIES.len() as u64, fill: category_channels },
];

/// A channel: an address of the organisation on one medium.
pub(in crate::sample) struct Channel {
    name: &'static str,
    /// Its community, an index into [`COMMUNITIES`].
    community: usize,
    language: Option<&'static str>,
    time_zone: Option<&'static str>,
    /// Whether others can't read what is written there.
    pub(in crate::sample) private: bool,
    active: bool,
}

/// Code and name of the channel groups.
pub(super) const GROUPS: [(&str, &str); 5] = [
    ("email", "E-mail"),
    ("chat", "Chat"),
    ("messaging", "Messaging"),
    ("social", "Social, public"),
    ("voice", "Voice"),
];

/// Type, name and channel group of the communities, an index into [`GROUPS`].
pub(super) const COMMUNITIES: [(&str, &str, usize); 10] = [
    ("email", "E-mail", 0),
    ("chat", "Website", 1),
    ("sms", "Text messages", 2),
    ("whatsapp", "WhatsApp", 2),
    ("facebook", "Facebook", 3),
    ("instagram", "Instagram", 3),
    ("twitter", "Twitter", 3),
    ("forum", "Forum « Entraide »", 3),
    ("mobile", "Application", 1),
    ("voice", "Voice", 4),
];

const fn channel(name: &'static str, community: usize, language: Option<&'static str>) -> Channel {
    let private = !matches!(community, 4..=7);
    Channel { name, community, language, time_zone: None, private, active: true }
}

/// The channels.
pub(in crate::sample) const CHANNELS: [Channel; 17] = [
    Channel { time_zone: Some("Europe/Paris"), ..channel("Customer care", 0, Some("en")) },
    channel("Billing, invoices", 0, None),
    channel("Presse & médias", 0, Some("fr")),
    Channel { active: false, ..channel("Retired inbox", 0, Some("")) },
    Channel { time_zone: Some("America/New_York"), ..channel("Website chat", 1, Some("en")) },
    channel("=Checkout chat", 1, Some("de")),
    channel("Text messages", 2, None),
    channel("WhatsApp \"Europe\"", 3, None),
    Channel { time_zone: Some("Asia/Shanghai"), ..channel("WhatsApp 中国", 3, Some("zh")) },
    channel("Facebook page", 4, Some("en")),
    channel("Facebook «Παιχνίδια»", 4, Some("el")),
    Channel { time_zone: Some(""), ..channel("Instagram", 5, None) },
    channel("Twitter", 6, Some("en")),
    channel("Twitter search", 6, None),
    channel("Forum", 7, Some("fr")),
    Channel { time_zone: Some("Asia/Kolkata"), ..channel("Mobile application 📱", 8, Some("en")) },
    channel("Voice line", 9, Some("en")),
];

/// The channel that is a search belonging to another, and the one that it belongs to.
const SEARCH: (usize, u64) = (13, 12);

/// One of the active channels of `community`.
pub(in crate::sample) fn of_community(community: u64, random: &mut Random) -> usize {
    let wanted = |channel: &&usize| CHANNELS[**channel].active && CHANNELS[**channel].community == community as usize;
    let indexes: [usize; CHANNELS.len()] = std::array::from_fn(|index| index);
    let choices = indexes.iter().filter(wanted).count() as u64;
    let nth = random.below(choices) as usize;
    *indexes.iter().filter(wanted).nth(nth).expect("each community has an active channel")
}

impl Channel {
    /// The type of its community, `email` for example.
    pub(in crate::sample) fn medium(&self) -> &'static str {
        COMMUNITIES[self.community].0
    }

    /// Its channel group, an index.
    pub(in crate::sample) fn group(&self) -> u64 {
        COMMUNITIES[self.community].2 as u64
    }
}

fn groups(world: &World, index: u64, rows: &mut Rows) {
    let (code, name) = GROUPS[index as usize];
    let at = world.founded(index);
    row!(rows; id: world.id(Kind::ChannelGroup, index), code: code, name: name, created_at: at, updated_at: at);
}

fn communities(world: &World, index: u64, rows: &mut Rows) {
    let (kind, name, _) = COMMUNITIES[index as usize];
    row!(rows;
        id: world.id(Kind::Community, index),
        type: kind,
        name: name,
        active: true,
        created_at: world.founded(index),
        updated_at: world.founded(index),
    );
}

fn channels(world: &World, index: u64, rows: &mut Rows) {
    let channel = &CHANNELS[index as usize];
    let third = index as usize % 3;
    row!(rows;
        id: world.id(Kind::Channel, index),
        name: channel.name,
        type: channel.medium(),
        community_id: world.id(Kind::Community, channel.community as u64),
        channel_group_id: channel.active.then(|| world.id(Kind::ChannelGroup, channel.group())),
        parent_channel_id: (index as usize == SEARCH.0).then(|| world.id(Kind::Channel, SEARCH.1)),
        active: channel.active,
        status: if channel.active { "ok" } else { "error" },
        error_message: match index {
            3 => Some("mailbox closed:\r\n\"550 5.1.1\", do not retry"),
            6 => Some(""),
            _ => None,
        },
        content_archiving: [Some(true), Some(false), None][third],
        auto_detect_language: channel.language.is_none(),
        default_language: channel.language,
        content_signature: [None, Some("The team at Example, Inc."), Some("")][third],
        hidden_from_statistics: !channel.active,
        default_task_priority: [Some(0_i64), None, Some(50)][third],
        sla_response_seconds: [Some(3600_i64), Some(0), None][third],
        sla_expired_strategy: [Some("max"), Some("half"), Some("base"), None][index as usize % 4],
        case_message_boost: [None, Some(0_i64), Some(-5)][third],
        private_messages_supported: channel.private || index.is_multiple_of(2),
        time_zone: channel.time_zone,
        created_at: world.founded(index),
        updated_at: world.founded(index).plus(index as i64 * DAY),
    );
}

fn attributes(world: &World, index: u64, rows: &mut Rows) {
    let channel = &CHANNELS[index as usize];
    let attributes: &[(&'static str, &'static str)] = match channel.medium() {
        "email" => {
            &[("email", "care@example.com"), ("from_email", "no-reply@example.com"), ("open_tracking_enabled", "1")]
        }
        "chat" => &[("sender_name", "Example, Inc.")],
        "sms" => &[("sender_name", "EXAMPLE"), ("phone_number", "+1-555-0100")],
        "whatsapp" => &[
            ("phone_number", "+44 7700 900000"),
            ("messaging_provider", "whatsapp"),
            ("messaging_account_id", "wa-4711"),
        ],
        "facebook" => &[
            ("facebook_page_id", "1000000000001"),
            ("facebook_app_id", "2000000000002"),
            ("synchronize_messages", "1"),
            ("synchronize_posts", "0"),
            ("synchronize_dark_posts", "0"),
        ],
        "instagram" => &[("instagram_account_id", "3000000000003")],
        "twitter" if index as usize == SEARCH.0 => {
            &[("search_terms", "#example, please"), ("search_terms", "\"example inc\"")]
        }
        "twitter" => &[("twitter_id", "4000000000004")],
        "forum" => &[("domain_name", "forum.example.com"), ("url", "https://forum.example.com/?lang=fr&from=exportd")],
        "mobile" => &[("application_name", "Example for phones"), ("sender_name", "Example")],
        _ => &[("phone_number", "+1-555-0101")],
    };
    for (place, (name, value)) in attributes.iter().enumerate() {
        let tracking = *name == "open_tracking_enabled" && index.is_multiple_of(2);
        let paused = name.starts_with("synchronize_") && index.is_multiple_of(2);
        let value = match (*value, tracking || paused) {
            ("1", true) => "0",
            ("0", true) => "1",
            (value, _) => value,
        };
        row!(rows; channel_id: world.id(Kind::Channel, index), name: *name, position: place as u64 + 1, value: value);
    }
}

/// Name and parent of the categories: four roots, their children, and theirs.
pub(super) const CATEGORIES: [(&str, Option<u64>); 34] = [
    ("Product", None),
    ("Billing, payments", None),
    ("Delivery", None),
    ("Retours d'expérience", None),
    ("Quality", Some(0)),
    ("Size; colour", Some(0)),
    ("Invoice", Some(1)),
    ("Refund", Some(1)),
    ("Direct debit", Some(1)),
    ("Late", Some(2)),
    ("Lost \"in transit\"", Some(2)),
    ("Compliment 😊", Some(3)),
    ("Beschwerde", Some(3)),
    ("Broken", Some(4)),
    ("Worn, after a week", Some(4)),
    ("Too small", Some(5)),
    ("Too big", Some(5)),
    ("Wrong amount", Some(6)),
    ("Wrong address", Some(6)),
    ("Partial refund", Some(7)),
    ("Возврат", Some(7)),
    ("Returned by the bank", Some(8)),
    ("Mandate", Some(8)),
    ("One day", Some(9)),
    ("More than a week", Some(9)),
    ("配送丢失", Some(10)),
    ("At the neighbour's", Some(10)),
    ("Service", Some(11)),
    ("شكر وتقدير", Some(11)),
    ("Unhöflich", Some(12)),
    ("Waiting, too long", Some(12)),
    ("Καθυστέρηση", Some(12)),
    ("返品", Some(12)),
    ("=Other", Some(12)),
];

/// The first category of the lowest level.
const FIRST_LEAF: u64 = 13;

/// `count` categories of the lowest level, or fewer: no category twice.
pub(super) fn some_categories(random: &mut Random, count: u64) -> Vec<u64> {
    let leaves = CATEGORIES.len() as u64 - FIRST_LEAF;
    let mut categories: Vec<u64> = (0..count).map(|_| FIRST_LEAF + random.below(leaves)).collect();
    categories.sort_unstable();
    categories.dedup();
    categories
}

fn categories(world: &World, index: u64, rows: &mut Rows) {
    let (name, parent) = CATEGORIES[index as usize];
    let level = match index {
        0..4 => 1_u64,
        4..FIRST_LEAF => 2,
        _ => 3,
    };
    row!(rows;
        id: world.id(Kind::Category, index),
        parent_id: parent.map(|parent| world.id(Kind::Category, parent)),
        name: name,
        level: level,
        color: [Some(0_u64), None, Some(0x00ff_8800)][index as usize % 3],
        mandatory: level == 1 && index.is_multiple_of(2),
        multiple: index % 3 == 1,
        post_qualification: index % 5 == 2,
        unselectable: level < 3,
        created_at: world.founded(index),
        updated_at: world.founded(index),
    );
}

/// Two categories are limited to channels: one to a single one, one to two.
fn category_channels(world: &World, index: u64, rows: &mut Rows) {
    let channels: &[u64] = match index {
        2 => &[1, 0],
        FIRST_LEAF => &[1],
        _ => &[],
    };
    for channel in channels {
        row!(rows; category_id: world.id(Kind::Category, index), channel_id: world.id(Kind::Channel, *channel));
    }
}

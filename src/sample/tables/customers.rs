//! Customers: their identities on the communities, and the groups that hold the identities of one person together.

use super::super::calendar::{DAY, Moment};
use super::super::people::Person;
use super::super::row::{Cell, Rows, row};
use super::super::texts;
use super::super::world::{HOUSE_IDENTITIES, Kind, World};
use super::Table;
use super::channels::COMMUNITIES;

pub(super) const TABLES: [Table; 7] = [
    Table { name: "identity_groups", units: group_count, fill: groups },
    Table { name: "identity_group_contacts", units: group_count, fill: contacts },
    Table { name: "tags", units: |_| TAGS.len() as u64, fill: tags },
    Table { name: "identity_group_tags", units: group_count, fill: group_tags },
    Table { name: "identities", units: |world| world.identities, fill: identities },
    Table { name: "identity_tags", units: |world| world.identities, fill: identity_tags },
    Table { name: "identity_attributes", units: |world| world.identities, fill: attributes },
];

const TAGS: [&str; 8] = ["vip", "vip, gold", "préférée", "новый", "😀", "\"press\"", "do not call; write", "重要"];

/// What the organisation calls itself on each community.
const HOUSE_NAMES: [&str; 10] = [
    "Example care",
    "Example, Inc.",
    "EXAMPLE",
    "Example Europe",
    "Example page",
    "example.inc",
    "ExampleCare",
    "Équipe Example",
    "Example app",
    "Example line",
];

/// Of ten customers' identities, which belong to which of four groups.
const GROUPS_OF_TEN: [Option<u64>; 10] =
    [Some(0), Some(0), Some(0), Some(1), Some(1), Some(2), None, None, None, Some(3)];

fn group_count(world: &World) -> u64 {
    (world.identities - HOUSE_IDENTITIES) / 10 * 4
}

/// The group of `identity`.
fn group_of(identity: u64) -> Option<u64> {
    let customer = identity.checked_sub(HOUSE_IDENTITIES)?;
    GROUPS_OF_TEN[customer as usize % 10].map(|group| customer / 10 * 4 + group)
}

/// Whether the customer behind `identity` has asked to be forgotten.
pub(super) fn is_anonymized(identity: u64) -> bool {
    identity.checked_sub(HOUSE_IDENTITIES).is_some_and(|customer| customer % 50 == 7)
}

/// The person behind `identity`.
pub(super) fn person(world: &World, identity: u64) -> Person {
    match group_of(identity) {
        Some(group) => group_person(world, group),
        None => Person::new(world.random(Kind::Identity, identity), identity * 2 + 1),
    }
}

fn group_person(world: &World, group: u64) -> Person {
    Person::new(world.random(Kind::IdentityGroup, group), group * 2)
}

fn created(world: &World, customer: u64) -> Moment {
    let spread = || Moment::spread(customer, world.identities, &mut world.random(Kind::Contact, customer));
    world.bound(customer).unwrap_or_else(spread)
}

fn groups(world: &World, index: u64, rows: &mut Rows) {
    let person = group_person(world, index);
    let at = world.bound(index).unwrap_or_else(|| created(world, index / 4 * 10 + 9));
    let mut random = world.random(Kind::Contact, index + 7);
    let note = format!("{} lives in {}; call {}", person.name(), person.origin.cities[0], person.phone(1));
    row!(rows;
        id: world.id(Kind::IdentityGroup, index),
        first_name: (index % 9 != 8).then_some(person.first_name),
        last_name: person.last_name,
        company: [None, Some(""), Some("Example, Sons & Co"), Some("Société \"Exemple\"")][index as usize % 4],
        gender: person.gender,
        notes: match random.below(6) {
            0 => texts::hostile(index % 26).map(Cell::Text),
            1 => Some(note.into()),
            2 => Some("".into()),
            _ => None,
        },
        created_at: at,
        updated_at: at.plus_within(random.below(30) as i64 * DAY),
    );
}

fn contacts(world: &World, index: u64, rows: &mut Rows) {
    let person = group_person(world, index);
    let counts = [("email", index % 4), ("home_phone", index % 2), ("mobile_phone", index % 3)];
    let mut number = index * 8;
    for (kind, count) in counts {
        for nth in 0..count {
            let value = if kind == "email" { person.email(nth) } else { person.phone(nth) };
            row!(rows;
                id: world.id(Kind::Contact, number),
                identity_group_id: world.id(Kind::IdentityGroup, index),
                kind: kind,
                value: value,
                position: nth + 1,
            );
            number += 1;
        }
    }
}

fn tags(world: &World, index: u64, rows: &mut Rows) {
    let at = world.founded(index);
    row!(rows; id: world.id(Kind::Tag, index), name: TAGS[index as usize], created_at: at, updated_at: at);
}

fn group_tags(world: &World, index: u64, rows: &mut Rows) {
    for tag in some_tags(index) {
        row!(rows; identity_group_id: world.id(Kind::IdentityGroup, index), tag_id: world.id(Kind::Tag, tag));
    }
}

fn identity_tags(world: &World, index: u64, rows: &mut Rows) {
    for tag in some_tags(index) {
        row!(rows; identity_id: world.id(Kind::Identity, index), tag_id: world.id(Kind::Tag, tag));
    }
}

fn some_tags(index: u64) -> impl Iterator<Item = u64> {
    let count = [0, 1, 0, 2, 0, 3][index as usize % 6];
    (0..count).map(move |nth| (index + nth) % TAGS.len() as u64)
}

fn identities(world: &World, index: u64, rows: &mut Rows) {
    let community = world.community(index);
    let house = index < HOUSE_IDENTITIES;
    let anonymized = is_anonymized(index);
    let person = person(world, index);
    let known = !house && !anonymized;
    let medium = COMMUNITIES[community as usize].0;
    let address = match medium {
        "email" => person.email(0),
        "sms" | "whatsapp" | "voice" => person.phone(0),
        _ => format!("{}", 7_000_000_000 + index * 13),
    };
    let at = if house { world.founded(index) } else { created(world, index - HOUSE_IDENTITIES) };
    let third = index as usize % 3;
    row!(rows;
        id: world.id(Kind::Identity, index),
        community_id: world.id(Kind::Community, community),
        identity_group_id: group_of(index).map(|group| world.id(Kind::IdentityGroup, group)),
        external_id: known.then(|| address.clone()),
        uuid: (known && third != 0).then_some(address),
        screen_name: if house { Some(HOUSE_NAMES[index as usize].to_owned()) } else { known.then(|| person.handle()) },
        first_name: (known && index % 11 != 5).then_some(person.first_name),
        last_name: (known && index % 11 != 5).then_some(if index % 13 == 6 { "" } else { person.last_name }),
        gender: if known { person.gender } else { None },
        email: (known && (medium == "email" || third == 1)).then(|| person.email(0)),
        home_phone: (known && third == 2).then(|| person.phone(1)),
        mobile_phone: (known && third != 2).then(|| person.phone(0)),
        address: (known && index % 4 == 1).then(|| person.address()),
        city: if known { [Some(person.origin.cities[third]), None, Some("")][index as usize / 3 % 3] } else { None },
        controlled_by_organization: house,
        anonymized: anonymized,
        created_at: at,
        updated_at: at.plus_within((index % 40) as i64 * DAY),
    );
}

fn attributes(world: &World, index: u64, rows: &mut Rows) {
    if index < HOUSE_IDENTITIES || is_anonymized(index) {
        return;
    }
    let person = person(world, index);
    let mut random = world.random(Kind::Identity, index + (1 << 40));
    let mut attributes: Vec<(&'static str, String)> = Vec::new();
    match COMMUNITIES[world.community(index) as usize].0 {
        "twitter" => {
            let followers = if random.chance(20) { 0 } else { random.below(100_000) };
            attributes.push(("tw_followers_count", followers.to_string()));
            attributes.push(("tw_following_count", random.below(2000).to_string()));
            attributes.push(("tw_statuses_count", random.below(50_000).to_string()));
            attributes.push(("tw_location", person.origin.cities[0].to_owned()));
        }
        "instagram" => attributes.push(("ig_followers_count", random.below(9000).to_string())),
        "facebook" => {
            attributes.push(("fb_bio", format!("{},\nfrom {}", person.name(), person.origin.cities[1])));
            attributes.push(("fb_category", "Person, private".to_owned()));
            attributes.push(("fb_locale", person.origin.locale.replace('-', "_")));
        }
        "forum" => {
            attributes.push(("forum_account_type", "member".to_owned()));
            for (place, name) in
                CUSTOM_FIELDS.into_iter().enumerate().filter(|(place, _)| !(index + *place as u64).is_multiple_of(3))
            {
                attributes.push((name, format!("{}, field {}", person.first_name, place + 1)));
            }
        }
        "mobile" => {
            attributes.push(("mobile_device_info", format!("phone of {}; 1080x2400", person.first_name)));
            attributes.push(("mobile_authenticated", random.below(2).to_string()));
        }
        "whatsapp" => attributes.push(("messaging_provider", "whatsapp".to_owned())),
        _ => {}
    }
    for (name, value) in attributes {
        row!(rows; identity_id: world.id(Kind::Identity, index), name: name, value: value);
    }
}

const CUSTOM_FIELDS: [&str; 10] = [
    "custom_field_1",
    "custom_field_2",
    "custom_field_3",
    "custom_field_4",
    "custom_field_5",
    "custom_field_6",
    "custom_field_7",
    "custom_field_8",
    "custom_field_9",
    "custom_field_10",
];

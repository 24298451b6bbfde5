//! Messages, sent and received, and the files attached to them.

use super::super::calendar::{DAY, Moment, SECOND};
use super::super::conversation::{Message, Thread};
use super::super::people::Person;
use super::super::random::Random;
use super::super::row::{Cell, Rows, row};
use super::super::texts;
use super::super::world::{Kind, World};
use super::Table;
use super::channels::{self, CHANNELS};
use super::{customers, knowledge};

pub(super) const TABLES: [Table; 4] = [
    Table { name: "messages", units: |world| world.messages, fill: messages },
    Table { name: "message_categories", units: |world| world.messages, fill: categories },
    Table { name: "message_external_categories", units: |world| world.messages, fill: external_categories },
    Table { name: "attachments", units: |world| world.messages / 10 + REPLY_FILES, fill: attachments },
];

/// How many of the attachments, the last ones, belong to the reply assistant.
const REPLY_FILES: u64 = 4;

/// What was written, and what became of its translation.
struct Wording {
    title: Option<Cell>,
    body: Option<String>,
    html: Option<String>,
    original: Option<String>,
    translated: Option<String>,
    payload: Option<String>,
    /// Source language, target language, status, error.
    translation: [Option<&'static str>; 4],
}

impl Wording {
    fn of(message: &Message, medium: &str, person: &Person, random: &mut Random) -> Wording {
        let language = person.origin.language;
        let mut body = texts::text(language, message.agent.is_some(), random);
        if random.chance(12) {
            body.push_str(&format!("\n-- \n{}, {}, {}", person.name(), person.email(0), person.phone(0)));
        }
        if let Some(text) = texts::hostile(message.index).or_else(|| texts::hostile(message.index % 997)) {
            body = text.into_owned();
        }
        let status =
            random.pick(&[None, None, None, None, Some("success"), Some("success"), Some("pending"), Some("error")]);
        let status = status.filter(|_| language != "en");
        let html = matches!(medium, "email" | "forum");
        Wording {
            title: matches!(medium, "email" | "forum").then(|| texts::subject(language, random).into()),
            html: html.then(|| format!("<p>{}</p>", body.replace('\n', "<br/>"))),
            original: status.map(|_| body.clone()),
            translated: (status == Some("success")).then(|| texts::text("en", message.agent.is_some(), random)),
            payload: (medium == "chat" && random.chance(5))
                .then(|| format!("{{\"type\":\"list\",\"items\":[\"yes\",\"no, {}\"]}}", person.first_name)),
            translation: [
                status.map(|_| language),
                status.map(|_| "en"),
                status,
                (status == Some("error")).then_some("the service answered 503;\ngave up"),
            ],
            body: Some(body),
        }
    }

    /// What is left when the customer has asked to be forgotten.
    fn forgotten() -> Wording {
        Wording {
            title: None,
            body: None,
            html: None,
            original: None,
            translated: None,
            payload: None,
            translation: [None; 4],
        }
    }
}

fn messages(world: &World, index: u64, rows: &mut Rows) {
    let (message, thread) = world.message(index);
    let mut random = world.random(Kind::MessageText, index);
    let channel = &CHANNELS[thread.channel];
    let person = customers::person(world, thread.identity);
    let anonymized = customers::is_anonymized(thread.identity);
    let wording =
        if anonymized { Wording::forgotten() } else { Wording::of(&message, channel.medium(), &person, &mut random) };
    let sent = message.agent.is_some();
    let status = status(&message, &mut random);
    let stored = stored(&message, &mut random);
    let failed = sent && random.chance(3);
    let [source_language, target_language, translation_status, translation_error] = wording.translation;
    row!(rows;
        id: world.id(Kind::Message, index),
        thread_id: world.id(Kind::Thread, thread.index),
        case_id: message.case.map(|case| world.id(Kind::Case, case)),
        channel_id: world.id(Kind::Channel, thread.channel as u64),
        author_id: world.id(Kind::Identity, message.author),
        agent_id: message.agent.map(|agent| world.id(Kind::Agent, agent)),
        in_reply_to_id: message.answers.map(|answered| world.id(Kind::Message, answered)),
        type: message_type(&message, &thread),
        direction: if sent { "outbound" } else { "inbound" },
        status: status,
        ignored_from: (status == "ignored").then(|| random.pick(&["automatically", "classifier", "manually", "mass"])),
        private: thread.private,
        created_from: if sent { random.pick(&["interface", "interface", "api"]) } else { "synchronizer" },
        auto_submitted: !sent && random.chance(3),
        anonymized: anonymized,
        title: wording.title,
        body_text: wording.body.clone(),
        body: wording.body,
        body_html: wording.html,
        structured_reply_payload: wording.payload,
        original_body: wording.original,
        translated_body: wording.translated,
        source_language: source_language,
        target_language: target_language,
        translation_status: translation_status,
        translation_error: translation_error,
        language: match random.below(20) {
            0 => None,
            1 => Some(""),
            _ => Some(person.origin.language),
        },
        external_id: [Some(format!("m/{:x}", random.next())), None, Some(String::new())][[0, 0, 0, 1, 2][index as usize % 5]].clone(),
        rating: rating(&message, channel.medium(), &mut random),
        published: if sent { Some(!matches!(status, "draft" | "pending_approval")) } else { None },
        approval_required: status == "pending_approval",
        remotely_deleted: index % 89 == 17,
        sentiment: (!sent).then(|| random.pick(&["negative", "neutral", "positive"])),
        synchronization_status: sent.then_some(if failed { "export_failure" } else { "success" }),
        synchronization_error: failed.then_some("rejected: \"too long\", limit 280"),
        created_at: message.at,
        stored_at: stored,
        updated_at: stored.plus_within(random.below(4) as i64 * random.below(20) as i64 * 3600 * SECOND),
    );
}

/// When a message reached the store: at once, or days late.
fn stored(message: &Message, random: &mut Random) -> Moment {
    let late = message.index % 101 == 50;
    let wait = if late { (2 + random.below(8) as i64) * DAY } else { random.below(4) as i64 * SECOND };
    message.at.plus_within(wait)
}

fn status(message: &Message, random: &mut Random) -> &'static str {
    match (message.agent, message.case) {
        (Some(_), _) if random.chance(3) => random.pick(&["pending_approval", "draft"]),
        (Some(_), Some(_)) => "agent_reply",
        (Some(_), None) => "agent_message",
        (None, None) => "ignored",
        (None, Some(_)) => random.pick(&["replied", "replied", "replied", "assigned", "new"]),
    }
}

fn message_type(message: &Message, thread: &Thread) -> &'static str {
    match CHANNELS[thread.channel].medium() {
        "email" => "email",
        "chat" | "mobile" => "chat",
        _ if thread.private => "private_message",
        _ if message.place == 0 => "post",
        _ if message.agent.is_some() => "public_reply",
        _ => "comment",
    }
}

fn rating(message: &Message, medium: &str, random: &mut Random) -> Option<u64> {
    (matches!(medium, "facebook" | "forum" | "mobile") && message.agent.is_none() && random.chance(50))
        .then(|| random.below(6))
}

fn categories(world: &World, index: u64, rows: &mut Rows) {
    let count = [0, 0, 1, 0, 2][index as usize % 5];
    for category in channels::some_categories(&mut world.random(Kind::Category, index + (1 << 42)), count) {
        row!(rows; message_id: world.id(Kind::Message, index), category_id: world.id(Kind::Category, category));
    }
}

fn external_categories(world: &World, index: u64, rows: &mut Rows) {
    let names = ["order, open", "loyalty", "retour « gratuit »", "2026/10"];
    let count = [0, 0, 0, 1, 0, 0, 2, 0, 0, 3][index as usize % 10];
    for nth in 0..count {
        let name = names[(index as usize / 10 + nth) % names.len()];
        row!(rows; message_id: world.id(Kind::Message, index), name: name);
    }
}

fn attachments(world: &World, index: u64, rows: &mut Rows) {
    const FILES: [(&str, &str, &str); 6] = [
        ("image/jpeg", "image", "jpg"),
        ("application/pdf", "document", "pdf"),
        ("audio/ogg", "audio", "ogg"),
        ("video/mp4", "video", "mp4"),
        ("image/png", "image", "png"),
        ("application/octet-stream", "other", "bin"),
    ];
    let mut random = world.random(Kind::Attachment, index);
    let messages = world.messages / 10;
    let reply = index.checked_sub(messages);
    let any = (index * 10 + random.below(10)) % world.messages;
    let (message, thread) = world.message(world.bound(index).map_or(any, |_| world.thread(index).first));
    let unknown = index % 50 == 49;
    let of_message = reply.is_none() && !unknown;
    let (content_type, media_kind, ending) = random.pick(&FILES);
    let owner = match reply {
        Some(reply) => Some(world.id(Kind::ReplyVersion, reply % knowledge::versions())),
        None => of_message.then(|| world.id(Kind::Message, message.index)),
    };
    let person = customers::person(world, thread.identity);
    row!(rows;
        id: world.id(Kind::Attachment, index),
        owner_type: if reply.is_some() { "reply_assistant" } else if unknown { "unknown" } else { "message" },
        owner_id: owner,
        message_id: of_message.then(|| world.id(Kind::Message, message.index)),
        external_id: index.is_multiple_of(3).then(|| format!("f/{:x}", random.next())),
        file_name: format!("{}, {} ({}).{ending}", person.last_name, person.first_name, index % 7),
        content_type: content_type,
        media_kind: media_kind,
        size_bytes: if index % 40 == 3 { 0 } else { 1 + random.below(20_000_000) },
        embedded: random.chance(20),
        public: random.chance(50),
        virus_signature: [None, Some(""), Some("Eicar-Test, Signature")][if index % 60 == 5 { 2 } else { index as usize % 2 }],
        url: format!("https://files.example.com/{:016x}.{ending}", random.next()),
        created_at: message.at,
        updated_at: message.at.plus_within(random.below(3) as i64 * DAY),
    );
}

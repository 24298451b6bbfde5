//! How much of everything a sample holds, and the identifiers and random streams of its things.
//!
//! A table's rows are made from the seed and an index alone. Nothing is remembered between tables, so that a sample
//! of any size takes the same little memory, and two tables that tell of the same thing ask the same function.

use super::calendar::{self, Moment};
use super::pattern::Pattern;
use super::people::Person;
use super::random::Random;

/// Fewer messages than this have no room for all the rows that a sample promises.
pub(super) const LEAST_MESSAGES: u64 = 800;
/// How many agents there are, whatever the size of the sample.
pub(super) const AGENTS: u64 = 60;
/// How many of the identities belong to the organisation: one for each community.
pub(super) const HOUSE_IDENTITIES: u64 = 10;
/// How many messages the threads have, in turn.
pub(super) const MESSAGES_OF_THREAD: Pattern<8> = Pattern([1, 2, 3, 4, 4, 5, 6, 7]);
/// How many cases they have, in turn.
pub(super) const CASES_OF_THREAD: Pattern<8> = Pattern([0, 1, 1, 1, 1, 0, 1, 2]);

/// Everything that rows are made from.
pub(super) struct World {
    /// What tells this sample from others.
    pub(super) seed: u64,
    /// How many messages there are.
    pub(super) messages: u64,
    /// How many threads there are; the last one has no message.
    pub(super) threads: u64,
    /// How many cases there are.
    pub(super) cases: u64,
    /// How many identities there are, the organisation's own first.
    pub(super) identities: u64,
    bounds: Vec<Moment>,
}

/// What an identifier can stand for. The number is its first two digits, and part of every random stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Role = 0x01,
    Agent = 0x02,
    AgentSignature = 0x03,
    Team = 0x04,
    Notification = 0x05,
    ChannelGroup = 0x10,
    Community = 0x11,
    Channel = 0x12,
    Category = 0x13,
    IdentityGroup = 0x20,
    Contact = 0x21,
    Tag = 0x22,
    Identity = 0x23,
    Thread = 0x30,
    Case = 0x31,
    Comment = 0x32,
    Message = 0x33,
    Attachment = 0x34,
    Task = 0x35,
    Activity = 0x36,
    Survey = 0x40,
    Question = 0x41,
    Response = 0x42,
    ReplyGroup = 0x50,
    ReplyEntry = 0x51,
    ReplyVersion = 0x52,
    PresenceStatus = 0x60,
    Presence = 0x61,
    AuditEvent = 0x70,
    Rule = 0x71,
    Trigger = 0x72,
    MessageText = 0x80,
    MessageTime = 0x81,
}

impl World {
    /// The world of `messages` messages, or of the fewest that hold all promised rows.
    pub(super) fn new(seed: u64, messages: u64) -> World {
        let messages = messages.max(LEAST_MESSAGES);
        let talking = MESSAGES_OF_THREAD.owner(messages - 1).0 + 1;
        let mut world = World {
            seed,
            messages,
            threads: talking + 1,
            cases: 0,
            identities: HOUSE_IDENTITIES + messages.div_ceil(100) * 10,
            bounds: (0..calendar::BOUND_COUNT).filter_map(calendar::bound).collect(),
        };
        world.cases = CASES_OF_THREAD.first(talking - 1) + world.thread(talking - 1).cases;
        world
    }

    /// The identifier of the `index`th thing of `kind`: 24 hexadecimal digits, growing with the index.
    pub(super) fn id(&self, kind: Kind, index: u64) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let tail = self.random(kind, index).next();
        let number = (kind as u128) << 88 | u128::from(index) << 48 | u128::from(tail >> 16);
        (0..24).rev().map(|place| char::from(DIGITS[(number >> (4 * place) & 15) as usize])).collect()
    }

    /// The random stream of the `index`th thing of `kind`.
    pub(super) fn random(&self, kind: Kind, index: u64) -> Random {
        Random::new(self.seed, kind as u64, index)
    }

    /// The `index`th of the moments around bounds of periods, which the first things of most kinds happen at.
    pub(super) fn bound(&self, index: u64) -> Option<Moment> {
        self.bounds.get(index as usize).copied()
    }

    /// When a thing that was there before all others was made.
    pub(super) fn founded(&self, index: u64) -> Moment {
        Moment::first().plus(index as i64 * calendar::HOUR)
    }

    /// The agent `index` as a person.
    pub(super) fn agent(&self, index: u64) -> Person {
        Person::new(self.random(Kind::Agent, index), index)
    }
}

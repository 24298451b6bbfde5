//! Cases, the comments on them, and the work that routing made of them.

use super::super::calendar::{DAY, HOUR, Moment, SECOND};
use super::super::conversation::{CLOSED_UNANSWERED, Case, Message};
use super::super::pattern::Pattern;
use super::super::row::{Rows, row};
use super::super::texts;
use super::super::world::{AGENTS, Kind, World};
use super::Table;
use super::channels::{self, CHANNELS};
use super::customers;

pub(super) const TABLES: [Table; 6] = [
    Table { name: "cases", units: |world| world.cases, fill: cases },
    Table { name: "case_categories", units: |world| world.cases, fill: categories },
    Table { name: "case_comments", units: |world| COMMENTS_OF_CASE.first(world.cases), fill: comments },
    Table { name: "tasks", units: |world| world.cases, fill: tasks },
    Table { name: "task_selection_activities", units: activity_count, fill: activities },
    Table { name: "task_selection_categories", units: activity_count, fill: activity_categories },
];

const COMMENTS_OF_CASE: Pattern<5> = Pattern([0, 0, 1, 0, 2]);
const ACTIVITIES_OF_TASK: Pattern<4> = Pattern([1, 0, 2, 1]);

fn activity_count(world: &World) -> u64 {
    ACTIVITIES_OF_TASK.first(world.cases)
}

/// The categories of the case `index`.
pub(super) fn categories_of(world: &World, index: u64) -> Vec<u64> {
    let count = [1, 0, 2, 1, 3][index as usize % 5];
    channels::some_categories(&mut world.random(Kind::Category, index + (1 << 41)), count)
}

/// What is counted and measured of a case's messages.
struct Figures {
    replies: u64,
    first_reply: Option<Moment>,
    last_reply: Option<Moment>,
    /// The mean time from a message to the reply that follows it, in seconds.
    mean: Option<i64>,
}

impl Figures {
    fn of(case: &Case) -> Figures {
        let replies: Vec<&Message> = case.messages.iter().filter(|message| message.agent.is_some()).collect();
        let waited = |message: &&Message| {
            let before = case.messages.iter().rev().find(|earlier| earlier.index < message.index);
            before.map_or(0, |before| message.at.seconds_since(before.at))
        };
        let total: i64 = replies.iter().map(waited).sum();
        Figures {
            replies: replies.len() as u64,
            first_reply: replies.first().map(|reply| reply.at),
            last_reply: replies.last().map(|reply| reply.at),
            mean: (!replies.is_empty()).then(|| total / replies.len() as i64),
        }
    }
}

/// Of a time in seconds, the part that falls into business hours.
fn business(seconds: Option<i64>) -> Option<i64> {
    seconds.map(|seconds| seconds * 2 / 5)
}

fn cases(world: &World, index: u64, rows: &mut Rows) {
    let case = world.case(index);
    let figures = Figures::of(&case);
    let mut random = world.random(Kind::Case, index + (1 << 40));
    let language = customers::person(world, case.thread.identity).origin.language;
    let first_reply = figures.first_reply.map(|at| at.seconds_since(case.opened()));
    let last_reply = figures.last_reply.map(|at| at.seconds_since(case.opened()));
    let customer = case.messages.len() as u64 - figures.replies;
    let reply_id = case.messages.iter().find(|message| message.agent.is_some());
    let shown = |count: u64, private: bool| if private == case.thread.private { count } else { 0 };
    let automatically = case.closed.is_some() && index != CLOSED_UNANSWERED && random.chance(15);
    row!(rows;
        id: world.id(Kind::Case, index),
        thread_id: world.id(Kind::Thread, case.thread.index),
        channel_id: world.id(Kind::Channel, case.thread.channel as u64),
        identity_id: world.id(Kind::Identity, case.thread.identity),
        agent_id: case.agent.map(|agent| world.id(Kind::Agent, agent)),
        title: (index % 4 != 1).then(|| texts::subject(language, &mut random)),
        status: if case.closed.is_some() { "closed" } else { "open" },
        deferred_at: case.deferred,
        closed_at: case.closed,
        closed_automatically: automatically.then(|| random.pick(&["chat_disconnected", "inactive", ""])),
        detected_language: [Some(language), Some(language), None, Some("")][index as usize % 4],
        translation_enabled: language != "en" && random.chance(40),
        first_customer_message_id: world.id(Kind::Message, case.messages[0].index),
        first_agent_reply_id: reply_id.map(|message| world.id(Kind::Message, message.index)),
        first_agent_reply_at: figures.first_reply,
        last_agent_reply_at: figures.last_reply,
        first_reply_seconds: first_reply,
        first_reply_business_seconds: business(first_reply),
        last_reply_seconds: last_reply,
        last_reply_business_seconds: business(last_reply),
        average_reply_seconds: figures.mean,
        average_reply_business_seconds: business(figures.mean),
        average_reply_count: figures.replies,
        handling_seconds: case.closed.map(|_| if random.chance(10) { 0 } else { random.below(5400) }),
        agent_reply_count: figures.replies,
        agent_public_reply_count: shown(figures.replies, false),
        agent_private_reply_count: shown(figures.replies, true),
        customer_message_count: customer,
        customer_public_message_count: shown(customer, false),
        customer_private_message_count: shown(customer, true),
        comment_count: COMMENTS_OF_CASE.count(index),
        created_at: case.opened(),
        updated_at: case.closed.unwrap_or(case.last().at).plus_within(random.below(50) as i64 * HOUR),
    );
}

fn categories(world: &World, index: u64, rows: &mut Rows) {
    for category in categories_of(world, index) {
        row!(rows; case_id: world.id(Kind::Case, index), category_id: world.id(Kind::Category, category));
    }
}

fn comments(world: &World, index: u64, rows: &mut Rows) {
    let (case, place) = COMMENTS_OF_CASE.owner(index);
    let case = world.case(case);
    let mut random = world.random(Kind::Comment, index);
    let customer = customers::person(world, case.thread.identity);
    let at = case.last().at.plus_within((60 + place * 3600 + random.below(3000)) as i64 * SECOND);
    let created_from = random.pick(&["interface", "interface", "api", "rule"]);
    let body = match random.below(5) {
        0 => texts::hostile(index % 26).unwrap_or_default().into_owned(),
        1 => format!("{} asked to be called back:\n{}", customer.name(), customer.phone(0)),
        _ => texts::text("en", true, &mut random),
    };
    row!(rows;
        id: world.id(Kind::Comment, index),
        case_id: world.id(Kind::Case, case.index),
        agent_id: (created_from != "rule").then(|| world.id(Kind::Agent, case.agent.unwrap_or(0))),
        created_from: created_from,
        body: body,
        created_at: at,
        updated_at: at.plus_within(random.below(3) as i64 * DAY),
    );
}

fn tasks(world: &World, index: u64, rows: &mut Rows) {
    let case = world.case(index);
    let mut random = world.random(Kind::Task, index);
    let accepted = case.agent.map(|_| case.opened().plus_within(random.below(900) as i64 * SECOND));
    row!(rows;
        id: world.id(Kind::Task, index),
        case_id: world.id(Kind::Case, index),
        channel_group_id: world.id(Kind::ChannelGroup, CHANNELS[case.thread.channel].group()),
        priority: random.below(101),
        step: random.pick(&["new", "preferred_agent", "team", "everyone"]),
        accepted_at: accepted,
        completed_at: accepted.and(case.closed),
        expires_at: random.chance(70).then(|| case.opened().plus(DAY)),
        created_at: case.opened(),
        updated_at: case.closed.unwrap_or(case.opened()),
    );
}

fn activities(world: &World, index: u64, rows: &mut Rows) {
    let (task, place) = ACTIVITIES_OF_TASK.owner(index);
    let case = world.case(task);
    let mut random = world.random(Kind::Activity, index);
    let seconds = if random.chance(10) { 0 } else { 5 + random.below(1500) as i64 };
    let started = case.opened().plus(place as i64 * HOUR);
    row!(rows;
        id: world.id(Kind::Activity, index),
        task_id: world.id(Kind::Task, task),
        agent_id: world.id(Kind::Agent, case.agent.unwrap_or_else(|| random.below(AGENTS))),
        case_id: world.id(Kind::Case, task),
        channel_id: world.id(Kind::Channel, case.thread.channel as u64),
        started_at: started,
        ended_at: started.plus(seconds * SECOND),
        duration_seconds: seconds,
        created_at: started.plus(seconds * SECOND),
    );
}

fn activity_categories(world: &World, index: u64, rows: &mut Rows) {
    let (task, _) = ACTIVITIES_OF_TASK.owner(index);
    for category in categories_of(world, task) {
        row!(rows; activity_id: world.id(Kind::Activity, index), category_id: world.id(Kind::Category, category));
    }
}

//! What was done, by whom, from where; and what agents were told of it.

use super::super::calendar::{HOUR, SECOND};
use super::super::conversation::{Case, REOPENED};
use super::super::row::{Rows, row};
use super::super::world::{AGENTS, Kind, World};
use super::people::NOTIFICATIONS;
use super::{Table, cases, channels, customers, knowledge};

pub(super) const TABLES: [Table; 3] = [
    Table { name: "audit_events", units: event_count, fill: events },
    Table { name: "audit_event_categories", units: event_count, fill: event_categories },
    Table { name: "agent_notifications", units: |world| world.messages / 10, fill: notifications },
];

/// An event that an audit trail knows, and what it concerns.
struct Event {
    name: &'static str,
    concerns: Concern,
    /// Whether it happens by itself.
    system: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Concern {
    Session,
    Case,
    Task,
    Rule,
    Reply,
}

const fn event(name: &'static str, concerns: Concern) -> Event {
    Event { name, concerns, system: false }
}

const EVENTS: [Event; 12] = [
    event("session.opened", Concern::Session),
    event("session.closed", Concern::Session),
    event("case.assigned", Concern::Case),
    event("case.closed", Concern::Case),
    event("case.reopened", Concern::Case),
    event("case.categorized", Concern::Case),
    event("case.deferred", Concern::Case),
    event("task.accepted", Concern::Task),
    Event { system: true, ..event("task.expired", Concern::Task) },
    Event { system: true, ..event("rule.executed", Concern::Rule) },
    event("reply_entry.updated", Concern::Reply),
    Event { system: true, ..event("message.imported", Concern::Case) },
];
const CATEGORIZED: usize = 5;
const REOPENING: usize = 4;

fn event_count(world: &World) -> u64 {
    world.messages / 2
}

/// Which event, an index into [`EVENTS`], and which case it is about or happens beside.
fn event_of(world: &World, index: u64) -> (usize, u64) {
    let case = (index * world.cases / event_count(world)).min(world.cases - 1);
    let which = world.random(Kind::AuditEvent, index).below(EVENTS.len() as u64) as usize;
    // The first event tells of the one case that was closed and opened again; few others were.
    match which {
        _ if index == 0 => (REOPENING, REOPENED),
        REOPENING if !index.is_multiple_of(5) => (CATEGORIZED, case),
        which => (which, case),
    }
}

fn events(world: &World, index: u64, rows: &mut Rows) {
    let (which, case) = event_of(world, index);
    let event = &EVENTS[which];
    let case = world.case(case);
    let mut random = world.random(Kind::AuditEvent, index + (1 << 40));
    let agent = (!event.system).then(|| case.agent.unwrap_or_else(|| random.below(AGENTS)));
    let of_case = matches!(event.concerns, Concern::Case | Concern::Task | Concern::Rule);
    let with = |concern: Concern| event.concerns == concern;
    let after = case.opened().plus_within(random.below(20) as i64 * HOUR + random.below(3600) as i64 * SECOND);
    row!(rows;
        id: world.id(Kind::AuditEvent, index),
        event_name: event.name,
        agent_id: agent.map(|agent| world.id(Kind::Agent, agent)),
        message: sentence(world, event, agent, &case),
        thread_id: of_case.then(|| world.id(Kind::Thread, case.thread.index)),
        channel_id: of_case.then(|| world.id(Kind::Channel, case.thread.channel as u64)),
        case_id: of_case.then(|| world.id(Kind::Case, case.index)),
        message_id: (which == EVENTS.len() - 1).then(|| world.id(Kind::Message, case.messages[0].index)),
        task_id: with(Concern::Task).then(|| world.id(Kind::Task, case.index)),
        action: of_case.then(|| random.pick(&["deferred", "manual", "rule, automatic", ""])),
        step: (event.name == "task.expired").then(|| random.pick(&["preferred_agent", "team", "everyone"])),
        rule_id: with(Concern::Rule).then(|| world.id(Kind::Rule, random.below(6))),
        reply_entry_id: with(Concern::Reply).then(|| world.id(Kind::ReplyEntry, random.below(40))),
        reply_version_id: with(Concern::Reply).then(|| world.id(Kind::ReplyVersion, random.below(knowledge::versions()))),
        request_ip: agent.map(|agent| match agent % 4 {
            0 => format!("2001:db8::{:x}", agent * 257),
            _ => format!("{}.{}", ["192.0.2", "198.51.100", "203.0.113"][agent as usize % 3], agent + 1),
        }),
        authentication_strategy: with(Concern::Session).then(|| random.pick(&["password", "saml", "jwt", ""])),
        created_at: world.bound(index).unwrap_or(after),
    );
}

fn sentence(world: &World, event: &Event, agent: Option<u64>, case: &Case) -> String {
    let actor = agent.map_or_else(|| "The system".to_owned(), |agent| world.agent(agent).name());
    let customer = customers::person(world, case.thread.identity);
    match event.concerns {
        Concern::Session => format!("{actor}: {}", event.name),
        Concern::Reply => format!("{actor} changed an entry, \"{}\"", event.name),
        _ => format!("{actor}: {}, case of {}", event.name, customer.name()),
    }
}

fn event_categories(world: &World, index: u64, rows: &mut Rows) {
    let (which, case) = event_of(world, index);
    if which != CATEGORIZED {
        return;
    }
    for category in cases::categories_of(world, case) {
        row!(rows; audit_event_id: world.id(Kind::AuditEvent, index), category_id: world.id(Kind::Category, category));
    }
}

fn notifications(world: &World, index: u64, rows: &mut Rows) {
    let mut random = world.random(Kind::Notification, index);
    let (message, thread) = world.message(index * 10 + random.below(10));
    let kind = random.pick(&NOTIFICATIONS);
    let of_case = kind.contains("case") && message.case.is_some();
    let at = world.bound(index).unwrap_or_else(|| message.at.plus_within(random.below(9) as i64 * SECOND));
    let read = (!random.chance(30)).then(|| at.plus_within((1 + random.below(7200)) as i64 * SECOND));
    let category = channels::some_categories(&mut random, 1)[0];
    row!(rows;
        id: world.id(Kind::Notification, index),
        agent_id: world.id(Kind::Agent, random.below(AGENTS)),
        notification_type: kind,
        delivery: random.pick(&["interface", "browser", "email"]),
        message_id: kind.starts_with("message").then(|| world.id(Kind::Message, message.index)),
        case_id: message.case.filter(|_| of_case).map(|case| world.id(Kind::Case, case)),
        thread_id: world.id(Kind::Thread, thread.index),
        channel_id: world.id(Kind::Channel, thread.channel as u64),
        category_id: (kind == "thread_in_own_category").then(|| world.id(Kind::Category, category)),
        created_at: at,
        read_at: read,
    );
}

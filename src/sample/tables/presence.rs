//! When agents were there, by day, channel group and state.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

use super::super::calendar::END_DAY;
use super::super::row::{Rows, row};
use super::super::world::{AGENTS, Kind, World};
use super::Table;
use super::channels::GROUPS;

pub(super) const TABLES: [Table; 3] = [
    Table { name: "presence_statuses", units: |_| STATUSES.len() as u64, fill: statuses },
    Table { name: "presence_days", units: agent_days, fill: days },
    Table { name: "presence_day_details", units: agent_days, fill: details },
];

const STATUSES: [&str; 5] = ["Meeting", "Training, coaching", "Pause déjeuner", "System \"down\"", "会議"];
const STATES: [&str; 5] = ["available", "busy", "full", "unoccupied", "away"];
/// Days outside the fourteen months: before 1970, and a leap day.
const ODD_DAYS: [Date; 2] = [date(1969, 12, 31), date(2024, 2, 29)];

/// How many days presence is kept for: more with the size of the sample, at most the fourteen months.
fn day_count(world: &World) -> u64 {
    (world.messages / 200).clamp(40, 426)
}

fn agent_days(world: &World) -> u64 {
    (day_count(world) + ODD_DAYS.len() as u64) * AGENTS
}

/// An agent's day at work.
struct Presence {
    date: Date,
    agent: u64,
    /// Channel group or status, state, seconds.
    details: Vec<Detail>,
    activity: i64,
}

struct Detail {
    group: Option<u64>,
    state: Option<&'static str>,
    status: Option<u64>,
    seconds: i64,
}

/// What the agent did on the day of `unit`, if it was a day of work.
fn presence(world: &World, unit: u64) -> Option<Presence> {
    let agent = unit % AGENTS;
    let day = unit / AGENTS;
    let count = day_count(world);
    let date = match day.checked_sub(count) {
        Some(odd) => ODD_DAYS[odd as usize],
        None => END_DAY - ((count - day) as i64).days(),
    };
    let mut random = world.random(Kind::Presence, unit);
    let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    if !random.chance(if weekend { 15 } else { 75 }) {
        return None;
    }
    let mut details = Vec::new();
    for group in [agent % 5, (agent + 1 + agent / 5 % 3) % 5] {
        for state in STATES {
            let seconds = if random.chance(15) { 0 } else { random.below(4000) as i64 };
            details.push(Detail { group: Some(group), state: Some(state), status: None, seconds });
        }
    }
    for status in (0..STATUSES.len() as u64).filter(|status| (agent + day + status).is_multiple_of(3)) {
        let seconds = random.below(1800) as i64;
        details.push(Detail { group: None, state: None, status: Some(status), seconds });
    }
    let busy = |detail: &&Detail| matches!(detail.state, Some("available" | "busy" | "full"));
    let activity = details.iter().filter(busy).map(|detail| detail.seconds).sum();
    Some(Presence { date, agent, details, activity })
}

fn statuses(world: &World, index: u64, rows: &mut Rows) {
    row!(rows;
        id: world.id(Kind::PresenceStatus, index),
        slot: index + 1,
        name: STATUSES[index as usize],
        created_at: world.founded(index),
        updated_at: world.founded(index),
    );
}

fn days(world: &World, unit: u64, rows: &mut Rows) {
    let Some(presence) = presence(world, unit) else { return };
    let total: i64 = presence.details.iter().map(|detail| detail.seconds).sum();
    row!(rows;
        date: presence.date,
        agent_id: world.id(Kind::Agent, presence.agent),
        activity_seconds: presence.activity,
        presence_seconds: total,
    );
}

fn details(world: &World, unit: u64, rows: &mut Rows) {
    let Some(presence) = presence(world, unit) else { return };
    debug_assert!(presence.details.iter().all(|detail| detail.group.is_none_or(|group| group < GROUPS.len() as u64)));
    for detail in presence.details {
        row!(rows;
            date: presence.date,
            agent_id: world.id(Kind::Agent, presence.agent),
            channel_group_id: detail.group.map(|group| world.id(Kind::ChannelGroup, group)),
            state: detail.state,
            presence_status_id: detail.status.map(|status| world.id(Kind::PresenceStatus, status)),
            seconds: detail.seconds,
        );
    }
}

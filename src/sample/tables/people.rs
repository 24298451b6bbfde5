//! Agents, their roles, teams and rights.

use super::super::calendar::{DAY, Moment};
use super::super::row::{Cell, Rows, row};
use super::super::world::{AGENTS, HOUSE_IDENTITIES, Kind, World};
use super::Table;
use super::channels::{self, CHANNELS};

pub(super) const TABLES: [Table; 10] = [
    Table { name: "roles", units: |_| ROLES.len() as u64, fill: roles },
    Table { name: "agents", units: |_| AGENTS, fill: agents },
    Table { name: "agent_languages", units: |_| AGENTS, fill: languages },
    Table { name: "agent_signatures", units: |_| AGENTS, fill: signatures },
    Table { name: "teams", units: |_| TEAMS.len() as u64, fill: teams },
    Table { name: "team_members", units: |_| AGENTS, fill: members },
    Table { name: "agent_categories", units: |_| AGENTS, fill: categories },
    Table { name: "agent_identities", units: |_| AGENTS, fill: identities },
    Table { name: "agent_channel_permissions", units: |_| AGENTS, fill: permissions },
    Table { name: "agent_notification_settings", units: |_| AGENTS, fill: notification_settings },
];

/// What can set off a notification.
pub(super) const NOTIFICATIONS: [&str; 7] = [
    "message_from_tagged_identity",
    "message_in_own_case",
    "message_in_own_channel",
    "message_needs_approval",
    "thread_in_own_category",
    "case_assigned",
    "case_reactivated",
];

const ROLES: [&str; 5] = ["Administrator", "Supervisor, day and night", "Agent", "Analyste qualité", "Observer"];

/// The last team has no members.
const TEAMS: [&str; 8] = [
    "First line",
    "Second line",
    "Billing, refunds",
    "Nuit & week-end",
    "Команда поддержки",
    "サポート",
    "Press \"media\"",
    "Nobody yet",
];

const PERMISSIONS: [&str; 34] = [
    "can_stamp_answers",
    "can_view_advanced_analytics",
    "can_assign_cases",
    "can_block_authors",
    "can_create_communities",
    "can_create_channels",
    "can_create_agents",
    "can_schedule_publication",
    "can_delete_threads",
    "can_impersonate_agents",
    "can_invite_agents",
    "can_manage_advanced_analytics",
    "can_manage_categories",
    "can_manage_folders",
    "can_manage_identities",
    "can_manage_roles",
    "can_manage_tags",
    "can_manage_teams",
    "limited_to_own_teams",
    "can_publish_messages",
    "can_view_communities",
    "can_view_channels",
    "can_view_audit_log",
    "can_export_data",
    "can_view_own_statistics",
    "can_view_all_statistics",
    "can_view_agents",
    "can_search_audit_log",
    "can_edit_communities",
    "can_edit_channels",
    "can_edit_all_cases",
    "can_edit_own_cases",
    "can_edit_settings",
    "can_edit_agents",
];

fn roles(world: &World, index: u64, rows: &mut Rows) {
    let at = world.founded(index);
    let mut row: Vec<(&'static str, Cell)> = vec![
        ("id", world.id(Kind::Role, index).into()),
        ("name", ROLES[index as usize].into()),
        ("created_at", at.into()),
        ("updated_at", at.plus(40 * DAY).into()),
    ];
    let last = ROLES.len() as u64 - 1;
    for (place, permission) in PERMISSIONS.into_iter().enumerate() {
        let granted = index == 0 || index != last && (place as u64 * 5 + index * 3) % 4 != index % 4;
        row.push((permission, granted.into()));
    }
    row.push(("can_manage_export_tasks", [Some(true), Some(false), None][index as usize % 3].into()));
    rows.push(row);
}

fn agents(world: &World, index: u64, rows: &mut Rows) {
    let person = world.agent(index);
    let timezone = [Some(person.origin.timezone), None, Some("")][index as usize % 3];
    let at = if index < AGENTS / 2 {
        world.founded(index)
    } else {
        Moment::spread(index, AGENTS, &mut world.random(Kind::AgentSignature, index))
    };
    row!(rows;
        id: world.id(Kind::Agent, index),
        external_id: (index % 4 != 1).then(|| format!("HR-{:05}", index * 37)),
        role_id: world.id(Kind::Role, [2, 2, 2, 1, 2, 3, 2, 0, 2, 4][index as usize % 10]),
        first_name: person.first_name,
        last_name: person.last_name,
        nickname: (!index.is_multiple_of(3)).then(|| if index % 3 == 1 { person.handle() } else { String::new() }),
        gender: person.gender,
        email: person.email(0),
        locale: (index % 5 != 3).then_some(person.origin.locale),
        timezone: timezone,
        saml_id: (index % 6 == 2).then(|| person.email(1)),
        jwt_id: (index % 6 == 4).then(|| format!("jwt-{}", person.handle())),
        enabled: index % 10 != 7,
        password_disabled: index.is_multiple_of(6),
        invitation_accepted: index % 9 != 4,
        created_at: at,
        updated_at: at.plus_within(index as i64 * DAY),
    );
}

fn languages(world: &World, index: u64, rows: &mut Rows) {
    let own = world.agent(index).origin.language;
    let mut languages = vec![own];
    if !index.is_multiple_of(3) && own != "en" {
        languages.push("en");
    }
    if index % 11 == 10 {
        languages.clear();
    }
    for language in languages {
        row!(rows; agent_id: world.id(Kind::Agent, index), language: language);
    }
}

fn signatures(world: &World, index: u64, rows: &mut Rows) {
    let person = world.agent(index);
    for nth in 0..index % 3 {
        row!(rows;
            id: world.id(Kind::AgentSignature, index * 2 + nth),
            agent_id: world.id(Kind::Agent, index),
            name: ["formal", "short"][nth as usize],
            body: if nth == 0 { format!("Best regards,\n{}", person.name()) } else { person.first_name.to_owned() },
            language: (nth == 0).then_some(person.origin.language),
        );
    }
}

fn teams(world: &World, index: u64, rows: &mut Rows) {
    row!(rows;
        id: world.id(Kind::Team, index),
        name: TEAMS[index as usize],
        created_at: world.founded(index),
        updated_at: world.founded(index),
    );
}

fn members(world: &World, index: u64, rows: &mut Rows) {
    let filled = TEAMS.len() as u64 - 1;
    let mut teams = vec![index % filled, (index * 3 + 1) % filled];
    teams.dedup();
    teams.truncate([1, 2, 1, 0][index as usize % 4]);
    for team in teams {
        row!(rows;
            team_id: world.id(Kind::Team, team),
            agent_id: world.id(Kind::Agent, index),
            is_leader: index < filled,
        );
    }
}

fn categories(world: &World, index: u64, rows: &mut Rows) {
    let mut random = world.random(Kind::Category, 1000 + index);
    for category in channels::some_categories(&mut random, index % 4) {
        row!(rows; agent_id: world.id(Kind::Agent, index), category_id: world.id(Kind::Category, category));
    }
}

fn identities(world: &World, index: u64, rows: &mut Rows) {
    let mut identities = vec![index % HOUSE_IDENTITIES, (index * 3 + 1) % HOUSE_IDENTITIES];
    identities.dedup();
    identities.truncate([2, 0, 1][index as usize % 3]);
    for identity in identities {
        row!(rows; agent_id: world.id(Kind::Agent, index), identity_id: world.id(Kind::Identity, identity));
    }
}

fn permissions(world: &World, index: u64, rows: &mut Rows) {
    for channel in (0..CHANNELS.len() as u64).filter(|channel| (index * 7 + channel * 3) % 5 < 3) {
        let can = |right: u64| (index + channel * right) % 4 != 3;
        row!(rows;
            agent_id: world.id(Kind::Agent, index),
            channel_id: world.id(Kind::Channel, channel),
            can_read: can(1),
            can_reply: can(1) && can(2),
            can_reply_with_html: can(3),
            can_initiate_discussion: can(5),
            approval_required: !can(7),
            can_delete: !can(2),
        );
    }
}

fn notification_settings(world: &World, index: u64, rows: &mut Rows) {
    for (place, kind) in NOTIFICATIONS.into_iter().enumerate() {
        row!(rows;
            agent_id: world.id(Kind::Agent, index),
            notification_type: kind,
            enabled: !(index + place as u64).is_multiple_of(3),
        );
    }
}

//! The rows that every sample holds because careless exports get them wrong.

use rusqlite::Connection;

use super::{SMALL, column, rows, small_sample};

/// Whether `condition` holds for a row of `from`.
fn has(db: &Connection, from: &str, condition: &str) -> bool {
    db.query_row(&format!("select exists (select 1 from {from} where {condition})"), [], |row| row.get(0)).unwrap()
}

#[track_caller]
fn assert_has(db: &Connection, from: &str, conditions: &[&str]) {
    for condition in conditions {
        assert!(has(db, from, condition), "no row of {from} has {condition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_has_rows() {
    let (_folder, db) = small_sample(SMALL).await;
    let views = column(&db, "select name from sqlite_schema where type = 'view' order by name");
    assert_eq!(views.len(), 20);
    for view in views {
        assert!(!rows(&db, &view).is_empty(), "{view}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_hold_whatever_a_format_could_trip_over() {
    let (_folder, db) = small_sample(SMALL).await;
    let bodies: Vec<String> = column(&db, "select body from export_reply_assistant_knowledge_base");
    let has = |wanted: &str| bodies.iter().any(|body| body.contains(wanted));
    for wanted in [",", ";", "\t", "|", "\"", "\r\n", "\u{1b}", "👍🏽", "ע", "e\u{301}", "\\N", "\u{2028}", "\u{feff}"]
    {
        assert!(has(wanted), "no body has {wanted:?}");
    }
    for first in ["=", "+", "-", "@", "\t", "  "] {
        assert!(bodies.iter().any(|body| body.starts_with(first)), "no body starts with {first:?}");
    }
    assert!(bodies.iter().any(|body| body.contains('\n') && !body.contains('\r')), "no body has a lone line feed");
    assert!(bodies.iter().any(|body| body.ends_with("  ")), "no body ends with blanks");
    assert!(bodies.iter().any(String::is_empty), "no body is empty");
    assert!(bodies.iter().any(|body| body.chars().count() == 32_768), "no body is too long for a spreadsheet");
    assert!(bodies.iter().all(|body| !body.contains('\0')), "PostgreSQL takes no NUL");
}

#[tokio::test(flavor = "multi_thread")]
async fn null_stands_beside_the_values_that_look_like_it() {
    let (_folder, db) = small_sample(SMALL).await;
    for (view, column) in [
        ("export_agents", "timezone"),
        ("export_messages", "language"),
        ("export_messages", "external_id"),
        ("export_threads", "external_id"),
        ("export_identities", "city"),
        ("export_attachments", "virus_signature"),
    ] {
        assert_has(&db, view, &[&format!("{column} is null"), &format!("{column} = ''"), &format!("{column} > ''")]);
    }
    for (view, column) in [
        ("export_messages", "rating"),
        ("export_interventions", "handling_seconds"),
        ("export_responses", "main_score"),
        ("export_categories", "color"),
        ("export_presence_time", "email_busy_seconds"),
    ] {
        assert_has(&db, view, &[&format!("{column} is null"), &format!("{column} = 0"), &format!("{column} > 0")]);
    }
    for (view, column) in [
        ("export_messages", "published"),
        ("export_sources", "content_archiving"),
        ("export_identities", "mobile_authenticated"),
        ("export_roles", "can_manage_export_tasks"),
    ] {
        assert_has(&db, view, &[&format!("{column} is null"), &format!("{column} = 0"), &format!("{column} = 1")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_have_no_element_one_several_and_one_with_a_comma() {
    let (_folder, db) = small_sample(SMALL).await;
    for (view, column) in [("export_messages", "external_category_names"), ("export_agents", "team_names")] {
        let length = format!("json_array_length({column})");
        let comma = format!("exists (select 1 from json_each({column}) where value like '%,%')");
        assert_has(&db, view, &[&format!("{length} = 0"), &format!("{length} = 1"), &format!("{length} > 1"), &comma]);
    }
    assert_has(&db, "export_threads", &["json_array_length(case_agent_ids) = 2", "json_array_length(ratings) = 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn instants_lie_on_either_side_of_each_bound() {
    let (_folder, db) = small_sample(SMALL).await;
    let tables = ["messages", "threads", "identities", "audit_events", "attachments", "agent_notifications"];
    for table in tables {
        for (before, on, after) in [
            // A day in UTC and in Paris, a month, a year, both changes of the clock in Paris and New York.
            ("2026-10-30T23:59:59.999999Z", "2026-10-31T00:00:00.000000Z", "2026-10-31T00:00:00.000001Z"),
            ("2026-10-30T22:59:59.999999Z", "2026-10-30T23:00:00.000000Z", "2026-10-30T23:00:00.000001Z"),
            ("2026-09-30T21:59:59.999999Z", "2026-09-30T22:00:00.000000Z", "2026-09-30T22:00:00.000001Z"),
            ("2025-12-31T23:59:59.999999Z", "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000001Z"),
            ("2026-03-29T00:59:59.999999Z", "2026-03-29T01:00:00.000000Z", "2026-03-29T01:00:00.000001Z"),
            ("2026-10-25T00:59:59.999999Z", "2026-10-25T01:00:00.000000Z", "2026-10-25T01:00:00.000001Z"),
            ("2026-03-08T06:59:59.999999Z", "2026-03-08T07:00:00.000000Z", "2026-03-08T07:00:00.000001Z"),
            ("2025-11-02T05:59:59.999999Z", "2025-11-02T06:00:00.000000Z", "2025-11-02T06:00:00.000001Z"),
        ] {
            for at in [before, on, after] {
                assert_has(&db, table, &[&format!("created_at = '{at}'")]);
            }
        }
        assert_has(&db, table, &["created_at like '2024-02-29T%'", "created_at < '1970'"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_and_conversations_are_as_odd_as_in_life() {
    let (_folder, db) = small_sample(SMALL).await;
    let customer = "controlled_by_organization = 0";
    assert_has(
        &db,
        "export_identities",
        &[
            &format!("{customer} and identity_group_id is null"),
            "anonymized = 1 and first_name is null and email is null",
            "community_type = 'twitter' and tw_followers_count > 0",
            "community_type = 'email' and tw_followers_count is null",
        ],
    );
    assert_has(&db, "export_identity_groups", &["json_array_length(identity_ids) = 3"]);
    assert_has(
        &db,
        "export_interventions",
        &[
            "agent_id is null",
            "status = 'closed' and agent_id is not null and first_agent_reply_id is null",
            "status = 'open' and deferred_at is not null",
            "status = 'open' and id in (select case_id from export_journal where event_name = 'case.reopened')",
        ],
    );
    assert_has(&db, "export_threads", &["case_count = 2", "message_count = 0 and first_message_id is null"]);
    assert_has(&db, "export_messages", &["date(stored_at) > date(created_at, '+1 day')", "remotely_deleted = 1"]);
    assert_has(&db, "export_attachments", &["owner_type = 'reply_assistant' and message_id is null"]);
    let twice = "select 1 from export_responses group by identity_id, survey_id having count(*) > 1";
    assert_has(&db, &format!("({twice})"), &["true"]);
    assert_has(
        &db,
        "export_responses",
        &[
            "question_1 is not null and question_2 is null",
            "question_3 is not null and question_4 is null",
            "question_10 is not null",
        ],
    );
    assert_has(&db, "export_categories", &["level = 3 and json_array_length(channel_names) = 1"]);
    let differing = "select 1 from export_agents_permissions group by agent_id having count(distinct can_reply) > 1";
    assert_has(&db, &format!("({differing})"), &["true"]);
    assert_has(&db, "export_agents", &["enabled = 0"]);
    assert_has(&db, "export_journal", &["agent_id is null"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_named_exists() {
    let (_folder, db) = small_sample(SMALL).await;
    let exists = |table: &str| {
        let sql = format!("select count(*) from sqlite_schema where type = 'table' and name = '{table}'");
        db.query_row(&sql, [], |row| row.get::<_, u32>(0)).unwrap() == 1
    };
    let named = "select t.name || ' ' || c.name from sqlite_schema t, pragma_table_info(t.name) c
        where t.type = 'table' and t.name not like 'sqlite_%' and c.name like '%\\_id' escape '\\'";
    let mut checked = 0;
    for reference in column(&db, named) {
        let (table, name) = reference.split_once(' ').unwrap();
        let target = match name.trim_end_matches("_id") {
            "category" | "parent" => "categories",
            "community" => "communities",
            "author" | "identity" => "identities",
            "reply_entry" => "reply_entries",
            "activity" => "task_selection_activities",
            "question" => "survey_questions",
            "response" => "survey_responses",
            "presence_status" => "presence_statuses",
            "parent_channel" => "channels",
            "in_reply_to" | "first_message" | "last_message" | "first_customer_message" | "first_agent_reply" => {
                "messages"
            }
            // What has no table: keys of other systems, rules, owners of several kinds.
            "external" | "saml" | "jwt" | "rule" | "owner" => continue,
            singular => &format!("{singular}s"),
        };
        assert!(exists(target), "{reference}: {target}");
        let lost = format!("{name} is not null and {name} not in (select id from {target})");
        assert!(!has(&db, table, &lost), "{reference} names what is not in {target}");
        checked += 1;
    }
    assert!(checked > 60, "only {checked} references were checked");
}

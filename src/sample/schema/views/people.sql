-- One view for each export about people, channels and customers. Its columns are the export's, in the export's order.
-- No view groups rows: lists and counts are subqueries, so that a period reads only its rows by the base table's
-- index, and a column that nobody asks for costs nothing. The words in double braces differ between the databases.

create view export_agents as
select
  a.id, a.external_id, a.created_at, a.updated_at, a.first_name, a.last_name, a.nickname, a.gender, a.email,
  {{list "i.screen_name" "from agent_identities l join identities i on i.id = l.identity_id
    where l.agent_id = a.id and i.screen_name is not null"}} as identity_names,
  a.role_id, r.name as role_name,
  {{list "t.name" "from team_members l join teams t on t.id = l.team_id where l.agent_id = a.id"}} as team_names,
  {{list "c.name" "from agent_categories l join categories c on c.id = l.category_id
    where l.agent_id = a.id"}} as category_names,
  {{list "s.body" "from agent_signatures s where s.agent_id = a.id"}} as signatures,
  a.locale, a.timezone,
  {{list "l.language" "from agent_languages l where l.agent_id = a.id"}} as spoken_languages,
  a.saml_id, a.jwt_id, a.enabled, a.password_disabled, a.invitation_accepted
from agents a
left join roles r on r.id = a.role_id;

create view export_agents_notifications as
select
  n.id, n.created_at, n.agent_id, {{agent "a"}} as agent_name, n.notification_type, n.delivery, n.message_id,
  n.thread_id, n.case_id, n.channel_id, n.category_id, n.read_at
from agent_notifications n
left join agents a on a.id = n.agent_id;

create view export_agents_permissions as
select
  p.agent_id, {{agent "a"}} as agent_name, p.channel_id, c.type as channel_type, c.name as channel_name, p.can_read,
  p.can_reply, p.can_reply_with_html, p.can_initiate_discussion, p.approval_required, p.can_delete
from agent_channel_permissions p
left join agents a on a.id = p.agent_id
left join channels c on c.id = p.channel_id;

create view export_categories as
select
  c.id, c.created_at, c.updated_at, c.name, c.level, c.parent_id, p.name as parent_name, c.color, c.mandatory,
  c.multiple, c.post_qualification, c.unselectable,
  {{list "s.name" "from category_channels l join channels s on s.id = l.channel_id
    where l.category_id = c.id"}} as channel_names
from categories c
left join categories p on p.id = c.parent_id;

create view export_sources as
select
  c.id, c.created_at, c.updated_at, c.name, c.type, c.active, c.status, c.error_message, c.channel_group_id,
  g.name as channel_group_name, m.type as community_type, m.name as community_name, c.content_archiving,
  c.auto_detect_language, c.default_language, c.content_signature, c.hidden_from_statistics, c.default_task_priority,
  c.sla_response_seconds, c.sla_expired_strategy, c.case_message_boost, c.private_messages_supported, c.time_zone,
  {{channel_attribute "facebook_page_id" "string"}},
  {{channel_attribute "facebook_app_id" "string"}},
  {{channel_attribute "synchronize_messages" "boolean"}},
  {{channel_attribute "synchronize_posts" "boolean"}},
  {{channel_attribute "synchronize_dark_posts" "boolean"}},
  {{channel_attribute "instagram_account_id" "string"}},
  {{channel_attribute "twitter_id" "string"}},
  {{list "v.value" "from channel_attributes v
    where v.channel_id = c.id and v.name = 'search_terms'"}} as search_terms,
  c.parent_channel_id,
  {{channel_attribute "email" "string"}},
  {{channel_attribute "from_email" "string"}},
  {{channel_attribute "open_tracking_enabled" "boolean"}},
  {{channel_attribute "sender_name" "string"}},
  {{channel_attribute "phone_number" "string"}},
  {{channel_attribute "messaging_provider" "string"}},
  {{channel_attribute "messaging_account_id" "string"}},
  {{channel_attribute "application_name" "string"}},
  {{channel_attribute "domain_name" "string"}},
  {{channel_attribute "url" "string"}}
from channels c
left join channel_groups g on g.id = c.channel_group_id
left join communities m on m.id = c.community_id;

create view export_identities as
select
  i.id, i.created_at, i.updated_at, c.type as community_type, c.name as community_name, i.identity_group_id,
  i.controlled_by_organization,
  {{list "t.name" "from identity_tags l join tags t on t.id = l.tag_id where l.identity_id = i.id"}} as tags,
  i.external_id, i.uuid, i.screen_name, i.first_name, i.last_name, i.gender, i.email, i.home_phone, i.mobile_phone,
  i.address, i.city, g.company,
  {{contacts "i.identity_group_id" "email"}} as emails,
  {{contacts "i.identity_group_id" "home_phone"}} as home_phones,
  {{contacts "i.identity_group_id" "mobile_phone"}} as mobile_phones,
  i.anonymized,
  {{identity_attribute "tw_followers_count" "integer"}},
  {{identity_attribute "tw_following_count" "integer"}},
  {{identity_attribute "tw_statuses_count" "integer"}},
  {{identity_attribute "tw_location" "string"}},
  {{identity_attribute "ig_followers_count" "integer"}},
  {{identity_attribute "fb_bio" "string"}},
  {{identity_attribute "fb_category" "string"}},
  {{identity_attribute "fb_locale" "string"}},
  {{identity_attribute "forum_account_type" "string"}},
  {{#each numbers}}
  {{identity_attribute (numbered "custom_field_" this) "string"}},
  {{/each}}
  {{identity_attribute "mobile_device_info" "string"}},
  {{identity_attribute "mobile_authenticated" "boolean"}},
  {{identity_attribute "messaging_provider" "string"}}
from identities i
left join communities c on c.id = i.community_id
left join identity_groups g on g.id = i.identity_group_id;

create view export_identity_groups as
select
  g.id, g.created_at, g.updated_at,
  {{list "i.id" "from identities i where i.identity_group_id = g.id"}} as identity_ids,
  {{list "l.tag_id" "from identity_group_tags l where l.identity_group_id = g.id"}} as tag_ids,
  g.first_name, g.last_name, g.company, g.gender,
  {{contacts "g.id" "email"}} as emails,
  {{contacts "g.id" "home_phone"}} as home_phones,
  {{contacts "g.id" "mobile_phone"}} as mobile_phones,
  g.notes
from identity_groups g;

create view export_presence_status as
select s.id, s.created_at, s.updated_at, s.name from presence_statuses s;

create view export_presence_time as
select
  p.date, p.agent_id, {{agent "a"}} as agent_name, p.activity_seconds, p.presence_seconds
  {{#each groups}}
  , {{presence this "d.state = 'available'"}} as {{this}}_available_seconds
  , {{presence this "d.state = 'busy'"}} as {{this}}_busy_seconds
  , {{presence this "d.state = 'full'"}} as {{this}}_full_seconds
  , {{presence this "d.state = 'unoccupied'"}} as {{this}}_unoccupied_seconds
  , {{presence this "d.state = 'away'"}} as {{this}}_away_seconds
  , {{presence this "d.state in ('available', 'busy', 'full')"}} as {{this}}_active_total_seconds
  , {{presence this "d.state in ('available', 'busy', 'full', 'unoccupied')"}} as {{this}}_available_total_seconds
  , (select {{sum "d.seconds"}} from presence_day_details d left join channel_groups g on g.id = d.channel_group_id
      where d.agent_id = p.agent_id and d.date = p.date
      and (d.presence_status_id is not null or g.code = '{{this}}' and d.state = 'away')
    ) as {{this}}_away_total_seconds
  {{/each}}
  {{#each slots}}
  , (select {{sum "d.seconds"}} from presence_day_details d join presence_statuses s on s.id = d.presence_status_id
      where d.agent_id = p.agent_id and d.date = p.date and s.slot = {{this}}) as away_status_{{this}}_seconds
  {{/each}}
from presence_days p
left join agents a on a.id = p.agent_id;

create view export_roles as
select
  id, name, created_at, updated_at, can_stamp_answers, can_view_advanced_analytics, can_assign_cases,
  can_block_authors, can_create_communities, can_create_channels, can_create_agents,
  can_schedule_publication, can_delete_threads, can_impersonate_agents, can_invite_agents,
  can_manage_advanced_analytics, can_manage_categories, can_manage_folders, can_manage_identities,
  can_manage_roles, can_manage_tags, can_manage_teams, limited_to_own_teams, can_publish_messages,
  can_view_communities, can_view_channels, can_view_audit_log, can_export_data, can_view_own_statistics,
  can_view_all_statistics, can_view_agents, can_search_audit_log, can_edit_communities, can_edit_channels,
  can_edit_all_cases, can_edit_own_cases, can_edit_settings, can_edit_agents, can_manage_export_tasks
from roles;

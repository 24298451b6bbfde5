-- People and rights. Here as in the other files of tables, a word in double braces stands for the database's own
-- type. Keys between tables are named by their columns (`case_id`) and not enforced: the store is a reporting copy
-- that is loaded whole, and an audit trail outlives what it names.

create table roles (
  id                            {{id}} not null primary key,
  name                          {{string}} not null,
  created_at                    {{datetime}} not null,
  updated_at                    {{datetime}} not null,
  can_stamp_answers             {{boolean}} not null,
  can_view_advanced_analytics   {{boolean}} not null,
  can_assign_cases              {{boolean}} not null,
  can_block_authors             {{boolean}} not null,
  can_create_communities        {{boolean}} not null,
  can_create_channels           {{boolean}} not null,
  can_create_agents             {{boolean}} not null,
  can_schedule_publication      {{boolean}} not null,
  can_delete_threads            {{boolean}} not null,
  can_impersonate_agents        {{boolean}} not null,
  can_invite_agents             {{boolean}} not null,
  can_manage_advanced_analytics {{boolean}} not null,
  can_manage_categories         {{boolean}} not null,
  can_manage_folders            {{boolean}} not null,
  can_manage_identities         {{boolean}} not null,
  can_manage_roles              {{boolean}} not null,
  can_manage_tags               {{boolean}} not null,
  can_manage_teams              {{boolean}} not null,
  limited_to_own_teams          {{boolean}} not null,
  can_publish_messages          {{boolean}} not null,
  can_view_communities          {{boolean}} not null,
  can_view_channels             {{boolean}} not null,
  can_view_audit_log            {{boolean}} not null,
  can_export_data               {{boolean}} not null,
  can_view_own_statistics       {{boolean}} not null,
  can_view_all_statistics       {{boolean}} not null,
  can_view_agents               {{boolean}} not null,
  can_search_audit_log          {{boolean}} not null,
  can_edit_communities          {{boolean}} not null,
  can_edit_channels             {{boolean}} not null,
  can_edit_all_cases            {{boolean}} not null,
  can_edit_own_cases            {{boolean}} not null,
  can_edit_settings             {{boolean}} not null,
  can_edit_agents               {{boolean}} not null,
  can_manage_export_tasks       {{boolean}}
){{options}};

create table agents (
  id                  {{id}} not null primary key,
  external_id         {{string}},
  role_id             {{id}} not null,
  first_name          {{string}} not null,
  last_name           {{string}} not null,
  nickname            {{string}},
  gender              {{string}},
  email               {{string}} not null,
  locale              {{string}},
  timezone            {{string}},
  saml_id             {{string}},
  jwt_id              {{string}},
  enabled             {{boolean}} not null,
  password_disabled   {{boolean}} not null,
  invitation_accepted {{boolean}} not null,
  created_at          {{datetime}} not null,
  updated_at          {{datetime}} not null
){{options}};

create table agent_languages (
  agent_id {{id}} not null,
  language {{string}} not null,
  primary key (agent_id, language)
){{options}};

create table agent_signatures (
  id       {{id}} not null primary key,
  agent_id {{id}} not null,
  name     {{string}} not null,
  body     {{text}} not null,
  language {{string}}
){{options}};

create table teams (
  id         {{id}} not null primary key,
  name       {{string}} not null,
  created_at {{datetime}} not null,
  updated_at {{datetime}} not null
){{options}};

create table team_members (
  team_id   {{id}} not null,
  agent_id  {{id}} not null,
  is_leader {{boolean}} not null,
  primary key (team_id, agent_id)
){{options}};

create table agent_categories (
  agent_id    {{id}} not null,
  category_id {{id}} not null,
  primary key (agent_id, category_id)
){{options}};

create table agent_identities (
  agent_id    {{id}} not null,
  identity_id {{id}} not null,
  primary key (agent_id, identity_id)
){{options}};

create table agent_channel_permissions (
  agent_id                {{id}} not null,
  channel_id              {{id}} not null,
  can_read                {{boolean}} not null,
  can_reply               {{boolean}} not null,
  can_reply_with_html     {{boolean}} not null,
  can_initiate_discussion {{boolean}} not null,
  approval_required       {{boolean}} not null,
  can_delete              {{boolean}} not null,
  primary key (agent_id, channel_id)
){{options}};

create table agent_notifications (
  id                {{id}} not null primary key,
  agent_id          {{id}} not null,
  notification_type {{string}} not null,
  delivery          {{string}} not null,
  message_id        {{id}},
  case_id           {{id}},
  thread_id         {{id}},
  channel_id        {{id}},
  category_id       {{id}},
  created_at        {{datetime}} not null,
  read_at           {{datetime}}
){{options}};

create table agent_notification_settings (
  agent_id          {{id}} not null,
  notification_type {{string}} not null,
  enabled           {{boolean}} not null,
  primary key (agent_id, notification_type)
){{options}};

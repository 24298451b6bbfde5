-- Satisfaction, knowledge, presence, audit.

create table surveys (
  id          {{id}} not null primary key,
  name        {{string}} not null,
  provider    {{string}} not null,
  external_id {{string}},
  active      {{boolean}} not null,
  created_at  {{datetime}} not null,
  updated_at  {{datetime}} not null
){{options}};

create table survey_questions (
  id          {{id}} not null primary key,
  survey_id   {{id}} not null,
  external_id {{string}},
  position    {{integer}} not null,
  text        {{string}} not null,
  is_main     {{boolean}} not null
){{options}};

create table survey_responses (
  id                {{id}} not null primary key,
  survey_id         {{id}} not null,
  external_id       {{string}},
  case_id           {{id}} not null,
  thread_id         {{id}} not null,
  channel_id        {{id}} not null,
  agent_id          {{id}},
  identity_id       {{id}} not null,
  main_score        {{integer}},
  main_score_scaled {{float}},
  responded_at      {{datetime}},
  created_at        {{datetime}} not null,
  updated_at        {{datetime}} not null,
  unique (survey_id, case_id)
){{options}};

create table survey_answers (
  response_id {{id}} not null,
  question_id {{id}} not null,
  text        {{text}},
  value       {{string}},
  primary key (response_id, question_id)
){{options}};

create table reply_groups (
  id           {{id}} not null primary key,
  name         {{string}} not null,
  position     {{integer}} not null,
  autocomplete {{boolean}} not null,
  created_at   {{datetime}} not null,
  updated_at   {{datetime}} not null
){{options}};

create table reply_entries (
  id             {{id}} not null primary key,
  reply_group_id {{id}} not null,
  external_id    {{string}},
  label          {{string}} not null,
  shortcut       {{string}},
  created_at     {{datetime}} not null,
  updated_at     {{datetime}} not null
){{options}};

create table reply_versions (
  id             {{id}} not null primary key,
  reply_entry_id {{id}} not null,
  version_number {{integer}} not null,
  language       {{string}},
  format         {{string}} not null,
  body           {{text}} not null,
  created_at     {{datetime}} not null,
  updated_at     {{datetime}} not null
){{options}};

create table reply_entry_categories (
  reply_entry_id {{id}} not null,
  category_id    {{id}} not null,
  primary key (reply_entry_id, category_id)
){{options}};

create table reply_version_channels (
  reply_version_id {{id}} not null,
  channel_id       {{id}} not null,
  primary key (reply_version_id, channel_id)
){{options}};

create table presence_statuses (
  id         {{id}} not null primary key,
  slot       {{integer}} not null,
  name       {{string}} not null,
  created_at {{datetime}} not null,
  updated_at {{datetime}} not null
){{options}};

create table presence_days (
  date             {{date}} not null,
  agent_id         {{id}} not null,
  activity_seconds {{integer}} not null,
  presence_seconds {{integer}} not null,
  primary key (date, agent_id)
){{options}};

create table presence_day_details (
  date               {{date}} not null,
  agent_id           {{id}} not null,
  channel_group_id   {{id}},
  state              {{string}},
  presence_status_id {{id}},
  seconds            {{integer}} not null
){{options}};

create table audit_events (
  id                      {{id}} not null primary key,
  event_name              {{string}} not null,
  agent_id                {{id}},
  message                 {{text}} not null,
  thread_id               {{id}},
  channel_id              {{id}},
  case_id                 {{id}},
  message_id              {{id}},
  task_id                 {{id}},
  action                  {{string}},
  step                    {{string}},
  rule_id                 {{id}},
  reply_entry_id          {{id}},
  reply_version_id        {{id}},
  request_ip              {{string}},
  authentication_strategy {{string}},
  created_at              {{datetime}} not null
){{options}};

create table audit_event_categories (
  audit_event_id {{id}} not null,
  category_id    {{id}} not null,
  primary key (audit_event_id, category_id)
){{options}};

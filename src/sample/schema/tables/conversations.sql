-- Conversations.

create table threads (
  id                   {{id}} not null primary key,
  channel_id           {{id}} not null,
  external_id          {{string}},
  title                {{string}},
  closed               {{boolean}} not null,
  first_categorized_at {{datetime}},
  first_message_id     {{id}},
  last_message_id      {{id}},
  last_message_at      {{datetime}},
  message_count        {{integer}} not null,
  case_count           {{integer}} not null,
  created_at           {{datetime}} not null,
  updated_at           {{datetime}} not null
){{options}};

create table thread_categories (
  thread_id   {{id}} not null,
  category_id {{id}} not null,
  primary key (thread_id, category_id)
){{options}};

create table thread_languages (
  thread_id {{id}} not null,
  language  {{string}} not null,
  primary key (thread_id, language)
){{options}};

create table thread_attributes (
  thread_id {{id}} not null,
  name      {{string}} not null,
  value     {{text}} not null,
  primary key (thread_id, name)
){{options}};

create table cases (
  id                             {{id}} not null primary key,
  thread_id                      {{id}} not null,
  channel_id                     {{id}} not null,
  identity_id                    {{id}} not null,
  agent_id                       {{id}},
  title                          {{string}},
  status                         {{string}} not null,
  deferred_at                    {{datetime}},
  closed_at                      {{datetime}},
  closed_automatically           {{string}},
  detected_language              {{string}},
  translation_enabled            {{boolean}} not null,
  first_customer_message_id      {{id}},
  first_agent_reply_id           {{id}},
  first_agent_reply_at           {{datetime}},
  last_agent_reply_at            {{datetime}},
  first_reply_seconds            {{integer}},
  first_reply_business_seconds   {{integer}},
  last_reply_seconds             {{integer}},
  last_reply_business_seconds    {{integer}},
  average_reply_seconds          {{integer}},
  average_reply_business_seconds {{integer}},
  average_reply_count            {{integer}},
  handling_seconds               {{integer}},
  agent_reply_count              {{integer}} not null,
  agent_public_reply_count       {{integer}} not null,
  agent_private_reply_count      {{integer}} not null,
  customer_message_count         {{integer}} not null,
  customer_public_message_count  {{integer}} not null,
  customer_private_message_count {{integer}} not null,
  comment_count                  {{integer}} not null,
  created_at                     {{datetime}} not null,
  updated_at                     {{datetime}} not null
){{options}};

create table case_categories (
  case_id     {{id}} not null,
  category_id {{id}} not null,
  primary key (case_id, category_id)
){{options}};

create table case_comments (
  id           {{id}} not null primary key,
  case_id      {{id}} not null,
  agent_id     {{id}},
  created_from {{string}} not null,
  body         {{text}} not null,
  created_at   {{datetime}} not null,
  updated_at   {{datetime}} not null
){{options}};

create table messages (
  id                       {{id}} not null primary key,
  thread_id                {{id}} not null,
  case_id                  {{id}},
  channel_id               {{id}} not null,
  author_id                {{id}} not null,
  agent_id                 {{id}},
  in_reply_to_id           {{id}},
  type                     {{string}} not null,
  direction                {{string}} not null,
  status                   {{string}} not null,
  ignored_from             {{string}},
  private                  {{boolean}} not null,
  created_from             {{string}} not null,
  auto_submitted           {{boolean}} not null,
  anonymized               {{boolean}} not null,
  title                    {{string}},
  body                     {{text}},
  body_text                {{text}},
  body_html                {{text}},
  structured_reply_payload {{string}},
  original_body            {{text}},
  translated_body          {{text}},
  source_language          {{string}},
  target_language          {{string}},
  translation_status       {{string}},
  translation_error        {{string}},
  language                 {{string}},
  external_id              {{string}},
  rating                   {{integer}},
  published                {{boolean}},
  approval_required        {{boolean}} not null,
  remotely_deleted         {{boolean}} not null,
  sentiment                {{string}},
  synchronization_status   {{string}},
  synchronization_error    {{string}},
  created_at               {{datetime}} not null,
  stored_at                {{datetime}} not null,
  updated_at               {{datetime}} not null
){{options}};

create table message_categories (
  message_id  {{id}} not null,
  category_id {{id}} not null,
  primary key (message_id, category_id)
){{options}};

create table message_external_categories (
  message_id {{id}} not null,
  name       {{string}} not null,
  primary key (message_id, name)
){{options}};

create table attachments (
  id              {{id}} not null primary key,
  owner_type      {{string}} not null,
  owner_id        {{id}},
  message_id      {{id}},
  external_id     {{string}},
  file_name       {{string}} not null,
  content_type    {{string}} not null,
  media_kind      {{string}} not null,
  size_bytes      {{integer}} not null,
  embedded        {{boolean}} not null,
  public          {{boolean}} not null,
  virus_signature {{string}},
  url             {{string}} not null,
  created_at      {{datetime}} not null,
  updated_at      {{datetime}} not null
){{options}};

create table tasks (
  id               {{id}} not null primary key,
  case_id          {{id}} not null,
  channel_group_id {{id}} not null,
  priority         {{integer}} not null,
  step             {{string}} not null,
  accepted_at      {{datetime}},
  completed_at     {{datetime}},
  expires_at       {{datetime}},
  created_at       {{datetime}} not null,
  updated_at       {{datetime}} not null
){{options}};

create table task_selection_activities (
  id               {{id}} not null primary key,
  task_id          {{id}} not null,
  agent_id         {{id}} not null,
  case_id          {{id}} not null,
  channel_id       {{id}} not null,
  started_at       {{datetime}} not null,
  ended_at         {{datetime}} not null,
  duration_seconds {{integer}} not null,
  created_at       {{datetime}} not null
){{options}};

create table task_selection_categories (
  activity_id {{id}} not null,
  category_id {{id}} not null,
  primary key (activity_id, category_id)
){{options}};

-- Channels and categories.

create table channel_groups (
  id         {{id}} not null primary key,
  code       {{string}} not null,
  name       {{string}} not null,
  created_at {{datetime}} not null,
  updated_at {{datetime}} not null
){{options}};

create table communities (
  id         {{id}} not null primary key,
  type       {{string}} not null,
  name       {{string}} not null,
  active     {{boolean}} not null,
  created_at {{datetime}} not null,
  updated_at {{datetime}} not null
){{options}};

create table channels (
  id                         {{id}} not null primary key,
  name                       {{string}} not null,
  type                       {{string}} not null,
  community_id               {{id}},
  channel_group_id           {{id}},
  parent_channel_id          {{id}},
  active                     {{boolean}} not null,
  status                     {{string}} not null,
  error_message              {{string}},
  content_archiving          {{boolean}},
  auto_detect_language       {{boolean}} not null,
  default_language           {{string}},
  content_signature          {{string}},
  hidden_from_statistics     {{boolean}} not null,
  default_task_priority      {{integer}},
  sla_response_seconds       {{integer}},
  sla_expired_strategy       {{string}},
  case_message_boost         {{integer}},
  private_messages_supported {{boolean}} not null,
  time_zone                  {{string}},
  created_at                 {{datetime}} not null,
  updated_at                 {{datetime}} not null
){{options}};

create table channel_attributes (
  channel_id {{id}} not null,
  name       {{string}} not null,
  position   {{integer}} not null,
  value      {{string}} not null,
  primary key (channel_id, name, position)
){{options}};

create table categories (
  id                 {{id}} not null primary key,
  parent_id          {{id}},
  name               {{string}} not null,
  level              {{integer}} not null,
  color              {{integer}},
  mandatory          {{boolean}} not null,
  multiple           {{boolean}} not null,
  post_qualification {{boolean}} not null,
  unselectable       {{boolean}} not null,
  created_at         {{datetime}} not null,
  updated_at         {{datetime}} not null
){{options}};

create table category_channels (
  category_id {{id}} not null,
  channel_id  {{id}} not null,
  primary key (category_id, channel_id)
){{options}};

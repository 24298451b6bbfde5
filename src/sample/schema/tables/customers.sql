-- Customers.

create table identity_groups (
  id         {{id}} not null primary key,
  first_name {{string}},
  last_name  {{string}},
  company    {{string}},
  gender     {{string}},
  notes      {{text}},
  created_at {{datetime}} not null,
  updated_at {{datetime}} not null
){{options}};

create table identity_group_contacts (
  id                {{id}} not null primary key,
  identity_group_id {{id}} not null,
  kind              {{string}} not null,
  value             {{string}} not null,
  position          {{integer}} not null
){{options}};

create table tags (
  id         {{id}} not null primary key,
  name       {{string}} not null,
  created_at {{datetime}} not null,
  updated_at {{datetime}} not null
){{options}};

create table identity_group_tags (
  identity_group_id {{id}} not null,
  tag_id            {{id}} not null,
  primary key (identity_group_id, tag_id)
){{options}};

create table identities (
  id                         {{id}} not null primary key,
  community_id               {{id}} not null,
  identity_group_id          {{id}},
  external_id                {{string}},
  uuid                       {{string}},
  screen_name                {{string}},
  first_name                 {{string}},
  last_name                  {{string}},
  gender                     {{string}},
  email                      {{string}},
  home_phone                 {{string}},
  mobile_phone               {{string}},
  address                    {{string}},
  city                       {{string}},
  controlled_by_organization {{boolean}} not null,
  anonymized                 {{boolean}} not null,
  created_at                 {{datetime}} not null,
  updated_at                 {{datetime}} not null
){{options}};

create table identity_tags (
  identity_id {{id}} not null,
  tag_id      {{id}} not null,
  primary key (identity_id, tag_id)
){{options}};

create table identity_attributes (
  identity_id {{id}} not null,
  name        {{string}} not null,
  value       {{text}} not null,
  primary key (identity_id, name)
){{options}};

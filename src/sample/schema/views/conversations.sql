-- One view for each export about conversations and what is known of them; the rules of the other views hold here too.

create view export_attachments as
select
  a.id, a.created_at, a.updated_at, a.owner_type, a.owner_id, a.message_id, a.external_id, a.file_name,
  a.content_type, a.media_kind, a.size_bytes, a.embedded, a.public, a.virus_signature, a.url
from attachments a;

create view export_journal as
select
  e.id, e.created_at, e.event_name, e.agent_id, {{agent "a"}} as agent_name, e.message, e.thread_id, e.channel_id,
  e.case_id, e.message_id,
  {{list "l.category_id" "from audit_event_categories l where l.audit_event_id = e.id"}} as category_ids,
  e.task_id, e.action, e.step, e.rule_id, e.reply_entry_id, e.reply_version_id, e.request_ip,
  e.authentication_strategy
from audit_events e
left join agents a on a.id = e.agent_id;

create view export_interventions_comments as
select
  k.id, k.created_at, k.updated_at, k.case_id, c.thread_id, c.channel_id, s.name as channel_name, k.agent_id,
  {{agent "a"}} as agent_name, c.identity_id, {{identity "i"}} as identity_name, k.created_from, k.body
from case_comments k
left join cases c on c.id = k.case_id
left join channels s on s.id = c.channel_id
left join agents a on a.id = k.agent_id
left join identities i on i.id = c.identity_id;

create view export_interventions as
select
  c.id, c.created_at, c.updated_at, c.closed_at, c.closed_automatically, c.status, c.deferred_at, c.thread_id,
  c.channel_id, s.type as channel_type, s.name as channel_name, c.agent_id, {{agent "a"}} as agent_name,
  c.identity_id, {{identity "i"}} as identity_name, i.identity_group_id, c.title,
  {{list "k.name" "from case_categories l join categories k on k.id = l.category_id
    where l.case_id = c.id"}} as category_names,
  c.detected_language, c.translation_enabled, c.first_customer_message_id, c.first_agent_reply_id,
  c.first_agent_reply_at, c.last_agent_reply_at, c.first_reply_seconds, c.first_reply_business_seconds,
  c.last_reply_seconds, c.last_reply_business_seconds, c.average_reply_seconds, c.average_reply_business_seconds,
  c.average_reply_count, c.handling_seconds, c.agent_reply_count, c.agent_public_reply_count,
  c.agent_private_reply_count, c.customer_message_count, c.customer_public_message_count,
  c.customer_private_message_count, c.comment_count,
  r.main_score as satisfaction_score, r.created_at as satisfaction_sent_at,
  r.responded_at as satisfaction_answered_at, r.survey_id, r.id as survey_response_id
from cases c
left join channels s on s.id = c.channel_id
left join agents a on a.id = c.agent_id
left join identities i on i.id = c.identity_id
left join survey_responses r on r.id = (select max(x.id) from survey_responses x where x.case_id = c.id);

create view export_responses as
select
  r.id, r.responded_at, r.updated_at, r.survey_id, v.name as survey_name, v.provider as survey_provider,
  r.external_id as external_response_id, v.external_id as external_survey_id, r.case_id, r.thread_id,
  {{list "k.name" "from case_categories l join categories k on k.id = l.category_id
    where l.case_id = r.case_id"}} as case_category_names,
  r.channel_id, s.type as channel_type, s.name as channel_name, r.agent_id, {{agent "a"}} as agent_name,
  r.identity_id, {{identity "i"}} as identity_name, r.main_score, r.main_score_scaled
  {{#each numbers}}
  , (select q.text from survey_questions q
      where q.survey_id = r.survey_id and q.position = {{this}}) as question_{{this}}
  , (select q.external_id from survey_questions q
      where q.survey_id = r.survey_id and q.position = {{this}}) as question_{{this}}_external_id
  , (select w.text from survey_questions q join survey_answers w on w.question_id = q.id and w.response_id = r.id
      where q.survey_id = r.survey_id and q.position = {{this}}) as answer_{{this}}
  , (select w.value from survey_questions q join survey_answers w on w.question_id = q.id and w.response_id = r.id
      where q.survey_id = r.survey_id and q.position = {{this}}) as answer_{{this}}_value
  {{/each}}
from survey_responses r
left join surveys v on v.id = r.survey_id
left join channels s on s.id = r.channel_id
left join agents a on a.id = r.agent_id
left join identities i on i.id = r.identity_id
where r.responded_at is not null;

create view export_task_selection_activities as
select
  t.id, t.created_at, t.started_at, t.ended_at, t.duration_seconds, t.agent_id, {{agent "a"}} as agent_name, t.task_id,
  t.case_id, t.channel_id,
  {{list "l.category_id" "from task_selection_categories l where l.activity_id = t.id"}} as category_ids
from task_selection_activities t
left join agents a on a.id = t.agent_id;

create view export_reply_assistant_knowledge_base as
select
  v.id as version_id, v.reply_entry_id as entry_id, e.external_id, v.version_number, e.label, v.language, v.format,
  v.body,
  {{list "c.name" "from reply_entry_categories l join categories c on c.id = l.category_id
    where l.reply_entry_id = v.reply_entry_id"}} as category_names,
  {{list "s.name" "from reply_version_channels l join channels s on s.id = l.channel_id
    where l.reply_version_id = v.id"}} as channel_names,
  g.name as group_name
from reply_versions v
left join reply_entries e on e.id = v.reply_entry_id
left join reply_groups g on g.id = e.reply_group_id;

create view export_reply_assistant_entry_groups as
select
  g.id, g.created_at, g.updated_at, g.name, g.position, g.autocomplete,
  (select count(*) from reply_entries e where e.reply_group_id = g.id) as entry_count,
  {{list "e.id" "from reply_entries e where e.reply_group_id = g.id"}} as entry_ids
from reply_groups g;

create view export_messages as
select
  m.id, m.created_at, m.stored_at, m.updated_at, m.channel_id, s.type as channel_type, s.name as channel_name,
  m.thread_id, m.case_id, m.type, m.direction, m.status, m.ignored_from, m.private, m.created_from, m.auto_submitted,
  m.agent_id, {{agent "a"}} as agent_name, m.author_id, {{identity "i"}} as author_name, m.anonymized, m.title,
  m.body, m.body_text, m.body_html, m.structured_reply_payload, m.original_body, m.translated_body,
  m.source_language, m.target_language, m.translation_status, m.translation_error, m.language,
  {{list "c.name" "from message_categories l join categories c on c.id = l.category_id
    where l.message_id = m.id"}} as category_names,
  {{list "l.name" "from message_external_categories l where l.message_id = m.id"}} as external_category_names,
  m.external_id, m.in_reply_to_id, p.author_id as in_reply_to_author_id, m.rating, m.published,
  m.approval_required, m.remotely_deleted,
  (select count(*) from attachments f where f.message_id = m.id) as attachment_count,
  m.sentiment, m.synchronization_status, m.synchronization_error
from messages m
left join channels s on s.id = m.channel_id
left join agents a on a.id = m.agent_id
left join identities i on i.id = m.author_id
left join messages p on p.id = m.in_reply_to_id;

create view export_threads as
select
  t.id, t.created_at, t.updated_at, t.external_id, t.channel_id, s.type as channel_type, s.name as channel_name,
  t.closed, t.title,
  {{list "l.language" "from thread_languages l where l.thread_id = t.id"}} as languages,
  {{list "c.name" "from thread_categories l join categories c on c.id = l.category_id
    where l.thread_id = t.id"}} as category_names,
  {{list "c.name" "from categories c
    where exists (select 1 from thread_categories l where l.thread_id = t.id and l.category_id = c.id)
    or exists (select 1 from messages m join message_categories l on l.message_id = m.id
      where m.thread_id = t.id and l.category_id = c.id)"}} as all_category_names,
  t.first_categorized_at, t.message_count, t.first_message_id, f.author_id as first_message_author_id,
  t.last_message_id, t.last_message_at, t.case_count,
  {{set "c.agent_id" "from cases c where c.thread_id = t.id and c.agent_id is not null"}} as case_agent_ids,
  {{set "c.agent_id" "from cases c
    where c.thread_id = t.id and c.status = 'open' and c.agent_id is not null"}} as open_case_agent_ids,
  {{set (agent "a") "from cases c join agents a on a.id = c.agent_id
    where c.thread_id = t.id"}} as case_agent_names,
  {{set (agent "a") "from cases c join agents a on a.id = c.agent_id
    where c.thread_id = t.id and c.status = 'open'"}} as open_case_agent_names,
  {{number_set "m.rating" "from messages m where m.thread_id = t.id and m.rating is not null"}} as ratings,
  {{thread_attribute "chat_trigger_id" "string"}},
  {{thread_attribute "chat_trigger_name" "string"}},
  {{thread_attribute "chat_close_cause" "string"}},
  {{thread_attribute "chat_closed_at" "datetime"}},
  {{thread_attribute "chat_page_title" "string"}},
  {{thread_attribute "chat_page_url" "string"}},
  {{thread_attribute "chat_page_visit_count" "integer"}},
  {{thread_attribute "chat_page_visit_started_at" "datetime"}},
  {{thread_attribute "chat_visit_count" "integer"}},
  {{thread_attribute "chat_visit_started_at" "datetime"}}
  {{#each numbers}}
  , {{thread_attribute (numbered "chat_variable_" this) "string"}}
  {{/each}}
from threads t
left join channels s on s.id = t.channel_id
left join messages f on f.id = t.first_message_id;

-- The indexes of the contact-centre sample, made after the rows are in: first those that a period reads by (the time,
-- then the id, which is also the order of the files; NULL comes first in all three databases), then those that the
-- views look up by.

create index agent_notifications_created on agent_notifications (created_at{{first}}, id{{first}});
create index attachments_created on attachments (created_at{{first}}, id{{first}});
create index attachments_updated on attachments (updated_at{{first}}, id{{first}});
create index audit_events_created on audit_events (created_at{{first}}, id{{first}});
create index case_comments_created on case_comments (created_at{{first}}, id{{first}});
create index case_comments_updated on case_comments (updated_at{{first}}, id{{first}});
create index cases_created on cases (created_at{{first}}, id{{first}});
create index cases_updated on cases (updated_at{{first}}, id{{first}});
create index identities_created on identities (created_at{{first}}, id{{first}});
create index identities_updated on identities (updated_at{{first}}, id{{first}});
create index identity_groups_created on identity_groups (created_at{{first}}, id{{first}});
create index identity_groups_updated on identity_groups (updated_at{{first}}, id{{first}});
create index messages_created on messages (created_at{{first}}, id{{first}});
create index messages_stored on messages (stored_at{{first}}, id{{first}});
create index messages_updated on messages (updated_at{{first}}, id{{first}});
create index survey_responses_responded on survey_responses (responded_at{{first}}, id{{first}});
create index survey_responses_updated on survey_responses (updated_at{{first}}, id{{first}});
create index task_selection_activities_started on task_selection_activities (started_at{{first}}, id{{first}});
create index threads_created on threads (created_at{{first}}, id{{first}});
create index threads_last_message on threads (last_message_at{{first}}, id{{first}});
create index threads_updated on threads (updated_at{{first}}, id{{first}});

create index agent_signatures_agent on agent_signatures (agent_id);
create index attachments_message on attachments (message_id);
create index case_comments_case on case_comments (case_id);
create index cases_thread on cases (thread_id);
create index identities_group on identities (identity_group_id);
create index identity_group_contacts_group on identity_group_contacts (identity_group_id);
create index messages_case on messages (case_id);
create index messages_thread on messages (thread_id);
create index presence_day_details_agent on presence_day_details (agent_id, date);
create index reply_entries_group on reply_entries (reply_group_id);
create index reply_versions_entry on reply_versions (reply_entry_id);
create index survey_questions_survey on survey_questions (survey_id, position);
create index survey_responses_case on survey_responses (case_id);
create index task_selection_activities_task on task_selection_activities (task_id);
create index tasks_case on tasks (case_id);
create index team_members_agent on team_members (agent_id);

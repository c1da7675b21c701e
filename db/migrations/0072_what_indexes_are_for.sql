-- Each index of the history says which query it is there for. Two follow their queries, and opt-outs are
-- counted by when they came.

-- Up Migration

-- Texts whose receipts stay away are few of those under way, and asked after in the order in which they left.
CREATE INDEX messages_silent ON messages (sent_at) WHERE live AND state = 'sent' AND channel = 'sms';
COMMENT ON INDEX messages_silent IS 'serves: silentTexts (db/silent-texts.ts)';
-- A batch of ten thousand is read a page at a time, not whole for each page.
CREATE INDEX messages_of_batch_by_time ON messages (batch_id, opened_at DESC, message_id DESC) WHERE batch_id IS NOT NULL;
COMMENT ON INDEX messages_of_batch_by_time IS 'serves: listMessages (db/message-rows.ts): of a batch';
COMMENT ON INDEX messages_of_batch IS 'serves: openMessage (db/message-course.ts): one message for each row of a batch';
CREATE INDEX opt_outs_since ON opt_outs (since);
COMMENT ON INDEX opt_outs_since IS 'serves: countOptOuts (db/opt-outs.ts)';
CREATE INDEX mail_blocks_since ON mail_blocks (since);
COMMENT ON INDEX mail_blocks_since IS 'serves: countOptOuts (db/opt-outs.ts)';

COMMENT ON INDEX messages_of_subject IS 'serves: listMessages (db/message-rows.ts): by subject; of one person, what they got';
COMMENT ON INDEX messages_requested IS 'serves: listMessages (db/message-rows.ts): of one person, what they asked for';
COMMENT ON INDEX dispatches_one_in_doubt IS 'serves: claim (db/dispatch-claims.ts): one act in doubt towards one person';
COMMENT ON INDEX dispatches_in_doubt IS 'serves: overdueDispatches (db/dispatch-claims.ts)';
COMMENT ON INDEX dispatches_abandoned_open IS 'serves: claim, overdueDispatches (db/dispatch-claims.ts)';
COMMENT ON INDEX dispatches_of_call IS 'serves: findCall (db/call-rows.ts), callsOfAlert (db/alert-rows.ts), forgetTokens (db/erasure.ts)';
COMMENT ON INDEX dispatches_of_message IS 'serves: messageTries (db/message-rows.ts), dispatchesOfMessage (db/open-messages.ts)';
COMMENT ON INDEX dispatches_of_recipient IS 'serves: recipientWaitMs (db/recipient-limits.ts), claim (db/dispatch-claims.ts)';
COMMENT ON INDEX dispatches_texts_at_twilio IS 'serves: sentTextsToForget (db/silent-texts.ts)';
COMMENT ON INDEX dispatches_unanswered IS 'serves: watchdogFacts (db/watchdog-facts.ts)';
COMMENT ON INDEX voice_alerts_of_requester IS 'serves: listAlerts (db/alert-rows.ts): of one requester';
COMMENT ON INDEX voice_alerts_by_time IS 'serves: listAlerts (db/alert-rows.ts)';
COMMENT ON INDEX voice_alerts_live IS 'serves: alertsToClose (db/alert-rows.ts)';
COMMENT ON INDEX voice_alert_recipients_of_subject IS 'serves: forgetTokens (db/erasure.ts)';
COMMENT ON INDEX app_events_waiting IS 'serves: claimDueEvents, giveUpTheOld, nextDueInMs, countWaiting (db/app-event-delivery.ts)';
COMMENT ON INDEX app_events_of_subject IS 'serves: eventsAfter, subjectsWithEvents (db/app-event-lists.ts)';
COMMENT ON INDEX app_events_of_object IS 'serves: noteAppEvent (db/app-events.ts): the state that was told last';
COMMENT ON INDEX app_events_listed IS 'serves: listAppEvents (db/app-event-lists.ts)';
COMMENT ON INDEX open_questions_of_recipient IS 'serves: openQuestions (db/open-questions.ts)';
COMMENT ON INDEX open_questions_old IS 'serves: deleteOldQuestions (db/inbound-texts.ts)';
COMMENT ON INDEX inbound_texts_of_sender IS 'serves: undecidedText (db/inbound-texts.ts)';
COMMENT ON INDEX inbound_texts_answered IS 'serves: wasAnsweredLately (db/inbound-texts.ts)';
COMMENT ON INDEX inbound_texts_old IS 'serves: deleteOldTexts (db/inbound-texts.ts), receivedTextsToForget (db/silent-texts.ts)';
COMMENT ON INDEX inbound_texts_of_question IS 'serves: deleteOldQuestions (db/inbound-texts.ts)';
COMMENT ON INDEX inbound_texts_of_other_question IS 'serves: deleteOldQuestions (db/inbound-texts.ts)';
COMMENT ON INDEX recipients_of_subject IS 'serves: forgetTokens (db/erasure.ts)';
COMMENT ON INDEX opt_outs_once IS 'serves: recordOptOut, isOptedOut (db/opt-outs.ts), claim (db/dispatch-claims.ts)';
COMMENT ON INDEX opt_outs_lifted IS 'serves: deleteLiftedOptOuts (db/opt-outs.ts)';
COMMENT ON INDEX provider_blocks_once IS 'serves: noteBlocked (db/may-send.ts), claim (db/dispatch-claims.ts)';
COMMENT ON INDEX provider_blocks_lifted IS 'serves: deleteLiftedBlocks (db/opt-outs.ts)';
COMMENT ON INDEX message_batches_of_requester IS 'serves: listBatches (db/message-batches.ts): of one requester';
COMMENT ON INDEX message_batches_listed IS 'serves: listBatches (db/message-batches.ts)';
COMMENT ON INDEX message_batches_live IS 'serves: batchesGoingOn (db/message-batches.ts)';
COMMENT ON INDEX message_batch_rows_not_started IS 'serves: rowsToStart (db/message-batch-rows.ts)';
COMMENT ON INDEX message_batch_rows_problems IS 'serves: countProblems (db/message-batches.ts)';
COMMENT ON INDEX message_batch_rows_by_given IS 'serves: destroyUnreferencedRecords (db/unreferenced-records.ts)';
COMMENT ON INDEX message_batch_rows_by_record IS 'serves: destroyUnreferencedRecords (db/unreferenced-records.ts)';
COMMENT ON INDEX message_batch_rows_by_content IS 'serves: destroyUnreferencedRecords (db/unreferenced-records.ts)';

-- Down Migration

COMMENT ON INDEX message_batch_rows_by_content IS NULL;
COMMENT ON INDEX message_batch_rows_by_record IS NULL;
COMMENT ON INDEX message_batch_rows_by_given IS NULL;
COMMENT ON INDEX message_batch_rows_problems IS NULL;
COMMENT ON INDEX message_batch_rows_not_started IS NULL;
COMMENT ON INDEX message_batches_live IS NULL;
COMMENT ON INDEX message_batches_listed IS NULL;
COMMENT ON INDEX message_batches_of_requester IS NULL;
COMMENT ON INDEX provider_blocks_lifted IS NULL;
COMMENT ON INDEX provider_blocks_once IS NULL;
COMMENT ON INDEX opt_outs_lifted IS NULL;
COMMENT ON INDEX opt_outs_once IS NULL;
COMMENT ON INDEX recipients_of_subject IS NULL;
COMMENT ON INDEX inbound_texts_of_other_question IS NULL;
COMMENT ON INDEX inbound_texts_of_question IS NULL;
COMMENT ON INDEX inbound_texts_old IS NULL;
COMMENT ON INDEX inbound_texts_answered IS NULL;
COMMENT ON INDEX inbound_texts_of_sender IS NULL;
COMMENT ON INDEX open_questions_old IS NULL;
COMMENT ON INDEX open_questions_of_recipient IS NULL;
COMMENT ON INDEX app_events_listed IS NULL;
COMMENT ON INDEX app_events_of_object IS NULL;
COMMENT ON INDEX app_events_of_subject IS NULL;
COMMENT ON INDEX app_events_waiting IS NULL;
COMMENT ON INDEX voice_alert_recipients_of_subject IS NULL;
COMMENT ON INDEX voice_alerts_live IS NULL;
COMMENT ON INDEX voice_alerts_by_time IS NULL;
COMMENT ON INDEX voice_alerts_of_requester IS NULL;
COMMENT ON INDEX dispatches_unanswered IS NULL;
COMMENT ON INDEX dispatches_texts_at_twilio IS NULL;
COMMENT ON INDEX dispatches_of_recipient IS NULL;
COMMENT ON INDEX dispatches_of_message IS NULL;
COMMENT ON INDEX dispatches_of_call IS NULL;
COMMENT ON INDEX dispatches_abandoned_open IS NULL;
COMMENT ON INDEX dispatches_in_doubt IS NULL;
COMMENT ON INDEX dispatches_one_in_doubt IS NULL;
COMMENT ON INDEX messages_requested IS 'serves: listMessages (db/message-rows.ts): by who asked';
COMMENT ON INDEX messages_of_subject IS 'serves: listMessages (db/message-rows.ts): by subject';
DROP INDEX mail_blocks_since;
DROP INDEX opt_outs_since;
COMMENT ON INDEX messages_of_batch IS 'serves: listMessages (db/message-rows.ts): of a batch';
DROP INDEX messages_of_batch_by_time;
DROP INDEX messages_silent;

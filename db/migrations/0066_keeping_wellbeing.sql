-- How long wellbeing alerts and contacts stay, what erasing somebody leaves of them, and contacts who text STOP.

-- Up Migration

-- Why others were asked goes with the person it was about; that they were asked, and by which steps, stays its time.
ALTER TABLE wellbeing_alerts ALTER COLUMN trigger_reason DROP NOT NULL, ALTER COLUMN days DROP NOT NULL;
COMMENT ON COLUMN wellbeing_alerts.trigger_reason IS 'class: sensitive; null once the user was erased';
COMMENT ON COLUMN wellbeing_alerts.days IS 'class: sensitive; how long it has not been easy; all that friends are told; null once the user was erased';

ALTER TABLE registered_contacts
  ADD COLUMN opted_out_at    timestamptz,
  ADD COLUMN untold_since_at timestamptz;
COMMENT ON COLUMN registered_contacts.opted_out_at IS 'class: operational; by a STOP since they were named; START takes it back';
COMMENT ON COLUMN registered_contacts.untold_since_at IS 'class: operational; since when a running alert has yet to hear that they are not asked any more';
CREATE INDEX registered_contacts_end_untold ON registered_contacts (untold_since_at) WHERE untold_since_at IS NOT NULL;
COMMENT ON INDEX registered_contacts_end_untold IS 'serves: tellUntoldContacts (db/contact-endings.ts)';

DROP INDEX wellbeing_alerts_old;
CREATE INDEX wellbeing_alerts_old ON wellbeing_alerts (ended_at, alert_id) WHERE ended_at IS NOT NULL;
COMMENT ON INDEX wellbeing_alerts_old IS 'serves: deleteOldWellbeingAlerts (db/wellbeing-retention.ts), alertsStanding (db/wellbeing-standings.ts)';
COMMENT ON INDEX wellbeing_scores_old IS 'serves: deleteOldScores (db/wellbeing-retention.ts)';
DROP INDEX registered_contacts_removed;
CREATE INDEX registered_contacts_ended ON registered_contacts ((greatest(refused_at, removed_at)), contact_id)
  WHERE greatest(refused_at, removed_at) IS NOT NULL;
COMMENT ON INDEX registered_contacts_ended IS 'serves: forgetEndedContacts (db/wellbeing-retention.ts)';
CREATE INDEX registered_contacts_silent ON registered_contacts ((coalesce(told_at, named_at)), contact_id)
  WHERE agreed_at IS NULL AND refused_at IS NULL AND removed_at IS NULL;
COMMENT ON INDEX registered_contacts_silent IS 'serves: forgetSilentContacts (db/wellbeing-retention.ts)';
CREATE INDEX registered_contacts_of_erased_user ON registered_contacts (user_id);
COMMENT ON INDEX registered_contacts_of_erased_user IS 'serves: eraseSubjectRows (db/erasure.ts)';

CREATE INDEX buddy_invitations_of_message ON buddy_invitations (message_id);
COMMENT ON INDEX buddy_invitations_of_message IS 'serves: noteInvitationSent (db/buddy-verification.ts)';

-- Down Migration

DROP INDEX buddy_invitations_of_message;
DROP INDEX registered_contacts_of_erased_user;
DROP INDEX registered_contacts_silent;
DROP INDEX registered_contacts_ended;
CREATE INDEX registered_contacts_removed ON registered_contacts (removed_at) WHERE removed_at IS NOT NULL;
COMMENT ON INDEX registered_contacts_removed IS 'serves: the sweep of contacts that were removed';
COMMENT ON INDEX wellbeing_scores_old IS 'serves: the sweep of scores that are too old to say anything';
DROP INDEX wellbeing_alerts_old;
CREATE INDEX wellbeing_alerts_old ON wellbeing_alerts (ended_at) WHERE ended_at IS NOT NULL;
COMMENT ON INDEX wellbeing_alerts_old IS 'serves: the sweep of old alerts';
ALTER TABLE registered_contacts DROP COLUMN untold_since_at, DROP COLUMN opted_out_at;
COMMENT ON COLUMN wellbeing_alerts.days IS 'class: sensitive; how long it has not been easy; all that friends are told';
COMMENT ON COLUMN wellbeing_alerts.trigger_reason IS 'class: sensitive';
DELETE FROM wellbeing_alerts WHERE trigger_reason IS NULL OR days IS NULL;
ALTER TABLE wellbeing_alerts ALTER COLUMN trigger_reason SET NOT NULL, ALTER COLUMN days SET NOT NULL;

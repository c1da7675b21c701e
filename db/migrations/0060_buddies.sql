-- Buddies: friends who have agreed to be asked how somebody is doing. Each is a person of their own, with rights of
-- their own, whose names and numbers are in the vault.

-- Up Migration

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE user_profiles (
  user_id         uuid PRIMARY KEY REFERENCES subjects,
  name_record_id  uuid NOT NULL REFERENCES vault_records,
  language        text NOT NULL DEFAULT 'en' CHECK (language ~ '^[a-z]{2}$'),
  tell_me_by      text NOT NULL DEFAULT 'app' CHECK (tell_me_by IN ('app', 'sms', 'email')),
  time_zone       text,
  updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE user_profiles IS 'What a user tells of themselves for their buddies: the first name in messages, and how they hear of answers';
COMMENT ON COLUMN user_profiles.user_id IS 'class: pseudonymous';
COMMENT ON COLUMN user_profiles.name_record_id IS 'class: pseudonymous; vault record of the first name';
COMMENT ON COLUMN user_profiles.language IS 'class: operational; ISO 639-1';
COMMENT ON COLUMN user_profiles.tell_me_by IS 'class: operational';
COMMENT ON COLUMN user_profiles.time_zone IS 'class: operational; IANA; null: they have not said';
COMMENT ON COLUMN user_profiles.updated_at IS 'class: operational';

CREATE TABLE buddy_contacts (
  buddy_id                      uuid PRIMARY KEY,
  user_id                       uuid NOT NULL REFERENCES subjects,
  subject_id                    uuid NOT NULL UNIQUE REFERENCES subjects,
  rank                          int NOT NULL CHECK (rank BETWEEN 1 AND 100),
  name_record_id                uuid NOT NULL REFERENCES vault_records,
  email_record_id               uuid NOT NULL REFERENCES vault_records,
  phone_record_id               uuid NOT NULL REFERENCES vault_records,
  relationship_record_id        uuid REFERENCES vault_records,
  email_token                   bytea CHECK (octet_length(email_token) = 32),
  phone_token                   bytea CHECK (octet_length(phone_token) = 32),
  token_version                 int NOT NULL,
  country                       text,
  language                      text NOT NULL DEFAULT 'en' CHECK (language ~ '^[a-z]{2}$'),
  verification_token_version    int NOT NULL DEFAULT 0,
  verification_token_hash       bytea CHECK (octet_length(verification_token_hash) = 32),
  verification_token_expires_at timestamptz,
  verification_attempts         int NOT NULL DEFAULT 0,
  last_sent_at                  timestamptz,
  verified                      boolean NOT NULL DEFAULT false,
  verified_at                   timestamptz,
  declined_at                   timestamptz,
  expired_at                    timestamptz,
  is_active                     boolean NOT NULL DEFAULT true,
  opted_out_at                  timestamptz,
  opted_out_by                  text CHECK (opted_out_by IN ('text', 'page')),
  created_at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
  removed_at                    timestamptz,
  is_end_untold                 boolean NOT NULL DEFAULT false,
  CHECK (verified = (verified_at IS NOT NULL)),
  CHECK ((opted_out_at IS NULL) = (opted_out_by IS NULL)),
  CONSTRAINT buddy_contacts_rank EXCLUDE USING btree (user_id WITH =, rank WITH =)
    WHERE (removed_at IS NULL) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE buddy_contacts IS 'Whom users have named as their buddies, in their order, and how far each has agreed';
COMMENT ON COLUMN buddy_contacts.buddy_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_contacts.user_id IS 'class: pseudonymous; whose buddy it is';
COMMENT ON COLUMN buddy_contacts.subject_id IS 'class: pseudonymous; the buddy as a person, one for each user that names them';
COMMENT ON COLUMN buddy_contacts.rank IS 'class: operational; 1 is asked first';
COMMENT ON COLUMN buddy_contacts.name_record_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_contacts.email_record_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_contacts.phone_record_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_contacts.relationship_record_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_contacts.email_token IS 'class: pseudonymous; null once the buddy was removed or erased';
COMMENT ON COLUMN buddy_contacts.phone_token IS 'class: pseudonymous; null once the buddy was removed or erased';
COMMENT ON COLUMN buddy_contacts.token_version IS 'class: operational';
COMMENT ON COLUMN buddy_contacts.country IS 'class: operational; ISO 3166, of the number';
COMMENT ON COLUMN buddy_contacts.language IS 'class: operational; ISO 639-1';
COMMENT ON COLUMN buddy_contacts.verification_token_version IS 'class: operational; of the newest link, 0 before there was one';
COMMENT ON COLUMN buddy_contacts.verification_token_hash IS 'class: secret; SHA-256 of the newest link''s token';
COMMENT ON COLUMN buddy_contacts.verification_token_expires_at IS 'class: operational';
COMMENT ON COLUMN buddy_contacts.verification_attempts IS 'class: operational; e-mails that counted';
COMMENT ON COLUMN buddy_contacts.last_sent_at IS 'class: operational';
COMMENT ON COLUMN buddy_contacts.verified IS 'class: operational';
COMMENT ON COLUMN buddy_contacts.verified_at IS 'class: operational';
COMMENT ON COLUMN buddy_contacts.declined_at IS 'class: operational';
COMMENT ON COLUMN buddy_contacts.expired_at IS 'class: operational; when the newest link ran out unanswered';
COMMENT ON COLUMN buddy_contacts.is_active IS 'class: operational; false after a no, a withdrawal or a removal';
COMMENT ON COLUMN buddy_contacts.opted_out_at IS 'class: operational';
COMMENT ON COLUMN buddy_contacts.opted_out_by IS 'class: operational; what was opted out by text can be opted in by text';
COMMENT ON COLUMN buddy_contacts.created_at IS 'class: operational';
COMMENT ON COLUMN buddy_contacts.removed_at IS 'class: operational; by the user, or with the buddy''s erasure';
COMMENT ON COLUMN buddy_contacts.is_end_untold IS 'class: operational; running workflows have yet to hear that this buddy is not asked any more';
CREATE INDEX buddy_contacts_end_untold ON buddy_contacts (buddy_id) WHERE is_end_untold;
COMMENT ON INDEX buddy_contacts_end_untold IS 'serves: untoldEndings (db/buddy-endings.ts)';
CREATE UNIQUE INDEX buddy_contacts_email_once ON buddy_contacts (user_id, email_token) WHERE removed_at IS NULL;
COMMENT ON INDEX buddy_contacts_email_once IS 'serves: createBuddy (db/buddies.ts); one person, one entry';
CREATE INDEX buddy_contacts_of_user ON buddy_contacts (user_id, rank, buddy_id) WHERE removed_at IS NULL;
COMMENT ON INDEX buddy_contacts_of_user IS 'serves: listBuddies (db/buddies.ts)';
CREATE INDEX buddy_contacts_by_phone ON buddy_contacts (phone_token) WHERE phone_token IS NOT NULL;
COMMENT ON INDEX buddy_contacts_by_phone IS 'serves: STOP and START of a phone (db/buddy-opt-outs.ts)';
CREATE INDEX buddy_contacts_by_email ON buddy_contacts (email_token) WHERE email_token IS NOT NULL;
COMMENT ON INDEX buddy_contacts_by_email IS 'serves: limits of one address over all users (db/buddy-targets.ts)';
CREATE INDEX buddy_contacts_unverified ON buddy_contacts (verification_token_expires_at) WHERE NOT verified AND removed_at IS NULL;
COMMENT ON INDEX buddy_contacts_unverified IS 'serves: the sweep of buddies who never answered (db/buddy-retention.ts)';

CREATE TABLE buddy_invitations (
  invitation_id uuid PRIMARY KEY,
  buddy_id      uuid NOT NULL REFERENCES buddy_contacts ON DELETE CASCADE,
  version       int NOT NULL CHECK (version > 0),
  link_hash     bytea NOT NULL UNIQUE CHECK (octet_length(link_hash) = 32),
  email_token   bytea CHECK (octet_length(email_token) = 32),
  asked_by      text NOT NULL CHECK (asked_by IN ('user', 'buddy')),
  asked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at    timestamptz NOT NULL,
  cooldown      tstzrange NOT NULL,
  counts        boolean NOT NULL DEFAULT true,
  message_id    uuid NOT NULL,
  sent_at       timestamptz,
  renewal_asked_at timestamptz,
  UNIQUE (buddy_id, version),
  CONSTRAINT buddy_invitations_one_an_hour EXCLUDE USING gist (buddy_id WITH =, cooldown WITH &&) WHERE (counts)
);
COMMENT ON TABLE buddy_invitations IS 'Every e-mail that asked somebody to be a buddy: its link opens the buddy''s own pages for good';
COMMENT ON COLUMN buddy_invitations.invitation_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_invitations.buddy_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_invitations.version IS 'class: operational; only the newest can be accepted';
COMMENT ON COLUMN buddy_invitations.link_hash IS 'class: secret; SHA-256 of the link''s token';
COMMENT ON COLUMN buddy_invitations.email_token IS 'class: pseudonymous; for the limits of one address over all users';
COMMENT ON COLUMN buddy_invitations.asked_by IS 'class: operational; buddy: sent by the user on the wish of the buddy, whose link had run out';
COMMENT ON COLUMN buddy_invitations.asked_at IS 'class: operational';
COMMENT ON COLUMN buddy_invitations.expires_at IS 'class: operational';
COMMENT ON COLUMN buddy_invitations.cooldown IS 'class: operational; no other e-mail that counts may begin in it';
COMMENT ON COLUMN buddy_invitations.counts IS 'class: operational; false when nothing was sent';
COMMENT ON COLUMN buddy_invitations.message_id IS 'class: pseudonymous; the e-mail';
COMMENT ON COLUMN buddy_invitations.sent_at IS 'class: operational';
COMMENT ON COLUMN buddy_invitations.renewal_asked_at IS 'class: operational; the page of a link that ran out asks once';
CREATE INDEX buddy_invitations_of_target ON buddy_invitations (email_token, asked_at) WHERE counts AND email_token IS NOT NULL;
COMMENT ON INDEX buddy_invitations_of_target IS 'serves: targetWaitMs (db/buddy-targets.ts)';

CREATE TABLE buddy_refusals (
  refusal_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id       uuid REFERENCES subjects,
  token         bytea NOT NULL CHECK (octet_length(token) = 32),
  token_version int NOT NULL,
  reason        text NOT NULL CHECK (reason IN ('declined', 'withdrawn', 'blocked')),
  refused_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE buddy_refusals IS 'Who does not want to be asked by whom: kept beyond the buddy''s erasure, like a STOP';
COMMENT ON COLUMN buddy_refusals.refusal_id IS 'class: operational';
COMMENT ON COLUMN buddy_refusals.user_id IS 'class: pseudonymous; by whom they are not to be asked; null: by nobody';
COMMENT ON COLUMN buddy_refusals.token IS 'class: pseudonymous; of the address or the number';
COMMENT ON COLUMN buddy_refusals.token_version IS 'class: operational';
COMMENT ON COLUMN buddy_refusals.reason IS 'class: operational';
COMMENT ON COLUMN buddy_refusals.refused_at IS 'class: operational';
CREATE UNIQUE INDEX buddy_refusals_once ON buddy_refusals (token, user_id) NULLS NOT DISTINCT;
COMMENT ON INDEX buddy_refusals_once IS 'serves: hasRefused (db/buddy-refusals.ts)';

CREATE TABLE buddy_verification_audit (
  audit_id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  buddy_id             uuid NOT NULL REFERENCES buddy_contacts ON DELETE CASCADE,
  event                text NOT NULL CHECK (event IN ('sent', 'accepted', 'declined', 'expired', 'renewal-asked', 'withdrawn', 'blocked', 'removed')),
  version              int,
  ip_record_id         uuid REFERENCES vault_records,
  user_agent_record_id uuid REFERENCES vault_records,
  happened_at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE buddy_verification_audit IS 'How a buddy came to agree, or not: what was sent, what was answered, and from where';
COMMENT ON COLUMN buddy_verification_audit.audit_id IS 'class: operational';
COMMENT ON COLUMN buddy_verification_audit.buddy_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_verification_audit.event IS 'class: operational';
COMMENT ON COLUMN buddy_verification_audit.version IS 'class: operational; of the link it was done by';
COMMENT ON COLUMN buddy_verification_audit.ip_record_id IS 'class: pseudonymous; vault record of the address the press of the button came from';
COMMENT ON COLUMN buddy_verification_audit.user_agent_record_id IS 'class: pseudonymous; vault record';
COMMENT ON COLUMN buddy_verification_audit.happened_at IS 'class: operational';
CREATE INDEX buddy_verification_audit_of_buddy ON buddy_verification_audit (buddy_id, happened_at, audit_id);
COMMENT ON INDEX buddy_verification_audit_of_buddy IS 'serves: buddyHistory (db/buddy-history.ts)';

CREATE TABLE buddy_check_in_requests (
  request_id           uuid PRIMARY KEY,
  buddy_id             uuid NOT NULL REFERENCES buddy_contacts ON DELETE CASCADE,
  user_id              uuid NOT NULL REFERENCES subjects,
  kind                 text NOT NULL CHECK (kind IN ('user', 'system')),
  alert_id             uuid,
  trigger_reason       text,
  state                text NOT NULL CHECK (state IN ('pending', 'sent', 'delivered', 'opened', 'answered', 'unanswered', 'undeliverable', 'ended')),
  link_hash            bytea NOT NULL UNIQUE CHECK (octet_length(link_hash) = 32),
  phone_token          bytea CHECK (octet_length(phone_token) = 32),
  message_id           uuid NOT NULL,
  reminder_message_id  uuid,
  requested_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  sent_at              timestamptz,
  delivered_at         timestamptz,
  reminded_at          timestamptz,
  link_fetched_at      timestamptz,
  link_opened_at       timestamptz,
  responded_at         timestamptz,
  response             text CHECK (response IN ('called', 'messaged', 'cannot-reach', 'unavailable')),
  note_record_id       uuid REFERENCES vault_records,
  ip_record_id         uuid REFERENCES vault_records,
  user_agent_record_id uuid REFERENCES vault_records,
  closes_at            timestamptz NOT NULL,
  closed_at            timestamptz,
  counts               boolean NOT NULL DEFAULT true,
  cooldown             tstzrange NOT NULL,
  CHECK ((kind = 'system') = (alert_id IS NOT NULL)),
  CHECK ((responded_at IS NULL) = (response IS NULL)),
  CONSTRAINT buddy_check_in_requests_one_a_day EXCLUDE USING gist (buddy_id WITH =, cooldown WITH &&)
    WHERE (counts AND kind = 'user')
);
COMMENT ON TABLE buddy_check_in_requests IS 'Every text that asked a buddy to look after somebody: by the user, or by an alert of the system';
COMMENT ON COLUMN buddy_check_in_requests.request_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_check_in_requests.buddy_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_check_in_requests.user_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_check_in_requests.kind IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.alert_id IS 'class: pseudonymous; the alert that asked';
COMMENT ON COLUMN buddy_check_in_requests.trigger_reason IS 'class: sensitive; why the system asked';
COMMENT ON COLUMN buddy_check_in_requests.state IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.link_hash IS 'class: secret; SHA-256 of the link''s token';
COMMENT ON COLUMN buddy_check_in_requests.phone_token IS 'class: pseudonymous; for the limits of one number over all users';
COMMENT ON COLUMN buddy_check_in_requests.message_id IS 'class: pseudonymous; the text';
COMMENT ON COLUMN buddy_check_in_requests.reminder_message_id IS 'class: pseudonymous';
COMMENT ON COLUMN buddy_check_in_requests.requested_at IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.sent_at IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.delivered_at IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.reminded_at IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.link_fetched_at IS 'class: operational; by anybody, a preview or a scanner too';
COMMENT ON COLUMN buddy_check_in_requests.link_opened_at IS 'class: operational; by the page''s first button';
COMMENT ON COLUMN buddy_check_in_requests.responded_at IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.response IS 'class: sensitive';
COMMENT ON COLUMN buddy_check_in_requests.note_record_id IS 'class: pseudonymous; vault record of what the buddy wrote';
COMMENT ON COLUMN buddy_check_in_requests.ip_record_id IS 'class: pseudonymous; vault record of the address the link was opened from';
COMMENT ON COLUMN buddy_check_in_requests.user_agent_record_id IS 'class: pseudonymous; vault record';
COMMENT ON COLUMN buddy_check_in_requests.closes_at IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.closed_at IS 'class: operational';
COMMENT ON COLUMN buddy_check_in_requests.counts IS 'class: operational; false when nothing was sent';
COMMENT ON COLUMN buddy_check_in_requests.cooldown IS 'class: operational; no other request of the user that counts may begin in it';
CREATE INDEX buddy_check_in_requests_of_buddy ON buddy_check_in_requests (buddy_id, requested_at DESC, request_id);
COMMENT ON INDEX buddy_check_in_requests_of_buddy IS 'serves: check-ins of one buddy (db/check-ins.ts)';
CREATE INDEX buddy_check_in_requests_of_user ON buddy_check_in_requests (user_id, requested_at DESC, request_id);
COMMENT ON INDEX buddy_check_in_requests_of_user IS 'serves: listCheckIns (db/check-ins.ts)';
CREATE INDEX buddy_check_in_requests_of_alert ON buddy_check_in_requests (alert_id) WHERE alert_id IS NOT NULL;
COMMENT ON INDEX buddy_check_in_requests_of_alert IS 'serves: the texts of one alert (db/wellbeing-alerts.ts)';
CREATE INDEX buddy_check_in_requests_of_target ON buddy_check_in_requests (phone_token, requested_at) WHERE counts AND phone_token IS NOT NULL;
COMMENT ON INDEX buddy_check_in_requests_of_target IS 'serves: targetWaitMs (db/buddy-targets.ts)';
CREATE INDEX buddy_check_in_requests_old ON buddy_check_in_requests (closed_at) WHERE closed_at IS NOT NULL;
COMMENT ON INDEX buddy_check_in_requests_old IS 'serves: the sweep of old check-ins (db/buddy-retention.ts)';

-- What the screen says; the exclusion constraint above is what holds when two ask at once.
CREATE FUNCTION can_buddy_receive_checkins(buddy uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM buddy_contacts b
     WHERE b.buddy_id = buddy AND b.verified AND b.is_active AND b.opted_out_at IS NULL AND b.removed_at IS NULL
       AND b.phone_token IS NOT NULL
       AND NOT EXISTS (SELECT FROM opt_outs o
                        WHERE o.recipient_token = b.phone_token AND o.scope = 'organisation' AND o.lifted_at IS NULL))
$$;
CREATE FUNCTION is_checkin_request_rate_limited(buddy uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM buddy_check_in_requests r
     WHERE r.buddy_id = buddy AND r.counts AND r.kind = 'user' AND r.cooldown @> clock_timestamp())
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON user_profiles, buddy_contacts, buddy_invitations, buddy_refusals,
  buddy_verification_audit, buddy_check_in_requests TO kindline_application;

-- Down Migration

DROP FUNCTION is_checkin_request_rate_limited(uuid);
DROP FUNCTION can_buddy_receive_checkins(uuid);
DROP TABLE buddy_check_in_requests, buddy_verification_audit, buddy_refusals, buddy_invitations, buddy_contacts,
  user_profiles;

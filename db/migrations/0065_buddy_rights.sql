-- What buddies may do for themselves, and how long what is held of them stays.

-- Up Migration

-- A phone that Twilio blocks for every sender of ours (21610) cannot be asked either.
CREATE OR REPLACE FUNCTION can_buddy_receive_checkins(buddy uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM buddy_contacts b
     WHERE b.buddy_id = buddy AND b.verified AND b.is_active AND b.opted_out_at IS NULL AND b.removed_at IS NULL
       AND b.phone_token IS NOT NULL
       AND NOT EXISTS (SELECT FROM opt_outs o
                        WHERE o.recipient_token = b.phone_token AND o.scope = 'organisation' AND o.lifted_at IS NULL)
       AND NOT EXISTS (SELECT FROM provider_blocks p
                        WHERE p.recipient_token = b.phone_token AND p.lifted_at IS NULL AND p.others_allowed_at IS NULL))
$$;

-- A buddy who was never asked has no link that could run out: from when they were named.
DROP INDEX buddy_contacts_unverified;
CREATE INDEX buddy_contacts_unverified ON buddy_contacts ((coalesce(verification_token_expires_at, created_at)), buddy_id)
  WHERE NOT verified AND removed_at IS NULL AND declined_at IS NULL AND opted_out_at IS NULL;
COMMENT ON INDEX buddy_contacts_unverified IS 'serves: forgetUnverifiedBuddies (db/buddy-retention.ts)';
CREATE INDEX buddy_contacts_ended ON buddy_contacts ((greatest(declined_at, opted_out_at, removed_at)), buddy_id)
  WHERE greatest(declined_at, opted_out_at, removed_at) IS NOT NULL;
COMMENT ON INDEX buddy_contacts_ended IS 'serves: forgetEndedBuddies (db/buddy-retention.ts)';
-- A check-in whose workflow was terminated never closes.
DROP INDEX buddy_check_in_requests_old;
CREATE INDEX buddy_check_in_requests_old ON buddy_check_in_requests ((coalesce(closed_at, closes_at)), request_id);
COMMENT ON INDEX buddy_check_in_requests_old IS 'serves: deleteOldCheckIns (db/buddy-retention.ts)';

CREATE INDEX buddy_contacts_named ON buddy_contacts (created_at);
COMMENT ON INDEX buddy_contacts_named IS 'serves: sharedBuddies (db/watchdog-facts.ts)';
CREATE INDEX buddy_invitations_asked ON buddy_invitations (asked_at);
COMMENT ON INDEX buddy_invitations_asked IS 'serves: sharedBuddies (db/watchdog-facts.ts)';
CREATE INDEX buddy_contacts_of_erased_user ON buddy_contacts (user_id);
COMMENT ON INDEX buddy_contacts_of_erased_user IS 'serves: eraseSubjectRows (db/erasure.ts)';
CREATE INDEX buddy_refusals_of_user ON buddy_refusals (user_id) WHERE user_id IS NOT NULL;
COMMENT ON INDEX buddy_refusals_of_user IS 'serves: eraseSubjectRows (db/erasure.ts)';

-- Down Migration

DROP INDEX buddy_refusals_of_user;
DROP INDEX buddy_contacts_of_erased_user;
DROP INDEX buddy_invitations_asked;
DROP INDEX buddy_contacts_named;
DROP INDEX buddy_check_in_requests_old;
CREATE INDEX buddy_check_in_requests_old ON buddy_check_in_requests (closed_at) WHERE closed_at IS NOT NULL;
COMMENT ON INDEX buddy_check_in_requests_old IS 'serves: the sweep of old check-ins (db/buddy-retention.ts)';
DROP INDEX buddy_contacts_ended;
DROP INDEX buddy_contacts_unverified;
CREATE INDEX buddy_contacts_unverified ON buddy_contacts (verification_token_expires_at) WHERE NOT verified AND removed_at IS NULL;
COMMENT ON INDEX buddy_contacts_unverified IS 'serves: the sweep of buddies who never answered (db/buddy-retention.ts)';
CREATE OR REPLACE FUNCTION can_buddy_receive_checkins(buddy uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM buddy_contacts b
     WHERE b.buddy_id = buddy AND b.verified AND b.is_active AND b.opted_out_at IS NULL AND b.removed_at IS NULL
       AND b.phone_token IS NOT NULL
       AND NOT EXISTS (SELECT FROM opt_outs o
                        WHERE o.recipient_token = b.phone_token AND o.scope = 'organisation' AND o.lifted_at IS NULL))
$$;

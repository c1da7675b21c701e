-- A user who wished to be told by text or e-mail is told so when a buddy who had agreed withdraws.

-- Up Migration

ALTER TABLE buddy_contacts ADD COLUMN withdrawal_news_id uuid;
COMMENT ON COLUMN buddy_contacts.withdrawal_news_id IS 'class: pseudonymous; message by which the user is yet to be told that this buddy has withdrawn; null: nothing is to be told';
CREATE INDEX buddy_contacts_withdrawal_untold ON buddy_contacts (buddy_id) WHERE withdrawal_news_id IS NOT NULL;
COMMENT ON INDEX buddy_contacts_withdrawal_untold IS 'serves: tellUntoldWithdrawals (db/buddy-endings.ts)';

-- Down Migration

DROP INDEX buddy_contacts_withdrawal_untold;
ALTER TABLE buddy_contacts DROP COLUMN withdrawal_news_id;

-- Addresses that are not written to, and the links by which people ask for that.

-- Up Migration

CREATE TABLE mail_blocks (
  recipient_token bytea PRIMARY KEY CHECK (octet_length(recipient_token) = 32),
  token_version   int NOT NULL,
  reason          text NOT NULL CHECK (reason IN ('bounced', 'complained', 'unsubscribed')),
  since           timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE mail_blocks IS 'Kept beyond an erasure, like STOP: whoever asked not to be written to must not be written to again';
COMMENT ON COLUMN mail_blocks.recipient_token IS 'class: pseudonymous; of the address';
COMMENT ON COLUMN mail_blocks.token_version IS 'class: operational';
COMMENT ON COLUMN mail_blocks.reason IS 'class: operational';
COMMENT ON COLUMN mail_blocks.since IS 'class: operational';
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_blocks TO kindline_application;

CREATE TABLE unsubscribe_links (
  link_hash       bytea PRIMARY KEY CHECK (octet_length(link_hash) = 32),
  message_id      uuid NOT NULL,
  recipient_token bytea NOT NULL CHECK (octet_length(recipient_token) = 32),
  made_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  used_at         timestamptz
);
COMMENT ON TABLE unsubscribe_links IS 'The link itself is in the e-mail only; it can be made again from its key';
COMMENT ON COLUMN unsubscribe_links.link_hash IS 'class: secret; SHA-256 of the link''s token';
COMMENT ON COLUMN unsubscribe_links.message_id IS 'class: pseudonymous; the e-mail it stands in';
COMMENT ON COLUMN unsubscribe_links.recipient_token IS 'class: pseudonymous; of the address';
COMMENT ON COLUMN unsubscribe_links.made_at IS 'class: operational';
COMMENT ON COLUMN unsubscribe_links.used_at IS 'class: operational';
CREATE INDEX unsubscribe_links_old ON unsubscribe_links (made_at);
COMMENT ON INDEX unsubscribe_links_old IS 'serves: deleteOldLinks (db/mail-links.ts)';
GRANT SELECT, INSERT, UPDATE, DELETE ON unsubscribe_links TO kindline_application;

-- Down Migration

DROP TABLE unsubscribe_links, mail_blocks;

-- Under which token key a pair that Twilio blocks was written, so that a new key can take its rows over.

-- Up Migration

-- There has been one version so far, and a process of before this column writes under it.
ALTER TABLE provider_blocks ADD COLUMN token_version int NOT NULL DEFAULT 1;
COMMENT ON COLUMN provider_blocks.token_version IS 'class: operational';

-- Down Migration

ALTER TABLE provider_blocks DROP COLUMN token_version;

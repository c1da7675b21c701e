-- Sessions of the pages that were ended by hand. A session itself is only in its cookie.

-- Up Migration

CREATE TABLE ended_page_sessions (
  session_hash bytea PRIMARY KEY CHECK (octet_length(session_hash) = 32),
  expires_at   timestamptz NOT NULL
);
COMMENT ON TABLE ended_page_sessions IS 'Until a session would have ended by itself, that somebody has signed out: a copy of its cookie is worth nothing';
COMMENT ON COLUMN ended_page_sessions.session_hash IS 'class: pseudonymous; keyed hash of the session, names nobody';
COMMENT ON COLUMN ended_page_sessions.expires_at IS 'class: operational';
CREATE INDEX ended_page_sessions_old ON ended_page_sessions (expires_at);
COMMENT ON INDEX ended_page_sessions_old IS 'serves: endPageSession (db/page-sessions.ts), which takes the old ones away';

GRANT SELECT, INSERT, DELETE ON ended_page_sessions TO kindline_application;

-- Down Migration

DROP TABLE ended_page_sessions;

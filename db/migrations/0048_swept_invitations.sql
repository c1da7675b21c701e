-- Up Migration

-- Invitations that count no more go after their time, as everything does.
GRANT DELETE ON mentor_invitations TO kindline_application;

-- Down Migration

REVOKE DELETE ON mentor_invitations FROM kindline_application;

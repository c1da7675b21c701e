-- Run once by the postgres image, as its superuser, while the data directory is made: who owns what. The roles of the
-- API and of the worker are made by the migrations, with the passwords of their own connection URLs.

-- Read here, not passed as arguments or variables of the environment: those can be seen from outside.
\set owner_password `cat /run/secrets/owner_password`
\set temporal_password `cat /run/secrets/temporal_password`

CREATE ROLE kindline_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE DATABASE kindline OWNER kindline_owner;

CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

-- Neither may look at the other: who has Temporal's password reaches nobody's records, and the reverse.
REVOKE ALL ON DATABASE temporal, temporal_visibility, kindline FROM PUBLIC;

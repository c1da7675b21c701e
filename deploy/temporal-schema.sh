#!/bin/sh
# Brings Temporal's two databases to the schema inside this version's own tool. May run at every start: what is
# there already is left as it is.
set -eu

SQL_PASSWORD="$(cat /run/secrets/temporal_password)"
export SQL_PASSWORD

bring_up() {
  temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal --database "$1" setup-schema --version 0.0
  temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal --database "$1" update-schema --schema-name "$2"
}

bring_up temporal postgresql/v12/temporal
bring_up temporal_visibility postgresql/v12/visibility

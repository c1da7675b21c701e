#!/bin/sh
# Makes the files that docker-compose.yml reads as secrets: `deploy/make-secrets.sh DIR`.
#
# What is there already is left alone, so it may run again after an upgrade that needs one more. The files can be
# read by everybody because containers run as users of their own; the directory lets in nobody but its owner.
set -eu

if [ $# -ne 1 ]; then
  echo 'usage: deploy/make-secrets.sh DIR' >&2
  exit 2
fi
dir=$1
if [ -d "$dir" ] && [ ! -e "$dir/postgres_password" ] && [ -n "$(ls -A "$dir")" ]; then
  echo "$dir holds other things already: it would be closed to everybody else; name a directory of its own" >&2
  exit 2
fi
umask 077
mkdir -p "$dir"
chmod 700 "$dir"

# $1: name of the file, standard input: what it holds. Written beside and renamed, so that there is no half of it.
keep() {
  if [ -e "$dir/$1" ]; then
    cat >/dev/null
    return
  fi
  cat >"$dir/.$1.new"
  chmod 444 "$dir/.$1.new"
  mv "$dir/.$1.new" "$dir/$1"
  echo "made $1" >&2
}

# 192 bits as hexadecimal digits, which need no escaping in a URL.
password() {
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

password | keep postgres_password
password | keep owner_password
password | keep temporal_password
printf 'postgres://kindline_owner:%s@postgres:5432/kindline' "$(cat "$dir/owner_password")" | keep owner_database_url
printf 'postgres://kindline_api:%s@postgres:5432/kindline' "$(password)" | keep api_database_url
printf 'postgres://kindline_worker_login:%s@postgres:5432/kindline' "$(password)" | keep worker_database_url

# Yours to fill in; those that are empty count as not set.
for name in twilio_auth_token twilio_secondary_auth_token twilio_api_secret mail_smtp_url app_webhook_secret \
  app_webhook_secondary_secret alert_webhook_token aws_credentials pages_client_secret ui_client_secret; do
  printf '' | keep "$name"
done

if [ ! -s "$dir/twilio_auth_token" ]; then
  echo "to be filled in before the first start: twilio_auth_token" >&2
fi
echo "mail_smtp_url (unless AWS_SES_REGION is set), ui_client_secret, aws_credentials, twilio_api_secret, twilio_secondary_auth_token," >&2
echo "app_webhook_secret, app_webhook_secondary_secret and alert_webhook_token as you need them" >&2

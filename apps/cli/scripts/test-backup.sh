#!/usr/bin/env bash
# test-backup.sh - can the newest backup of a Sombra database be restored, and is it new enough?
#
#   variable                default                what
#   SOMBRA_DB_PATH          /data/sombra/graph.db  the database, for its name; it need not be there
#   SOMBRA_BACKUP_DIR       /backups/sombra        folder with the backups, or s3://bucket/prefix
#   SOMBRA_BACKUP_NAME      name of the database   of the backups
#   SOMBRA_MAX_AGE_HOURS    48                     an older newest backup is an error; 0 for any age
#   SOMBRA_DRILL_DIR        /tmp, or TMPDIR        where there is room for the database
#   SOMBRA_S3_ENDPOINT                             another server that speaks the protocol of S3
#
# Exit codes: 0 restored, every page, record, edge and index checked; 1 error, or no backup, or too old; 2 the backup is damaged.
set -euo pipefail

DB_PATH=${SOMBRA_DB_PATH:-/data/sombra/graph.db}
BACKUP_DIR=${SOMBRA_BACKUP_DIR:-/backups/sombra}
file=${DB_PATH##*/}
NAME=${SOMBRA_BACKUP_NAME:-${file%.*}}
MAX_AGE_HOURS=${SOMBRA_MAX_AGE_HOURS:-48}
DRILL_DIR=${SOMBRA_DRILL_DIR:-${TMPDIR:-/tmp}}
export PATH="$PATH:/usr/local/bin"

fail() {
  echo "test-backup.sh: $*" >&2
  exit 1
}

command -v sombra >/dev/null || fail 'sombra is not on PATH: npm install -g @sombra/cli'
[[ $MAX_AGE_HOURS =~ ^[0-9]{1,6}$ ]] || fail "SOMBRA_MAX_AGE_HOURS is $MAX_AGE_HOURS: it is a whole number of hours"
[[ $BACKUP_DIR == s3://* ]] || [[ -d "$BACKUP_DIR" ]] || fail "$BACKUP_DIR is not there: mount its disk, or set SOMBRA_BACKUP_DIR"

place=()
[[ -z "${SOMBRA_S3_ENDPOINT:-}" ]] || place+=(--s3-endpoint "$SOMBRA_S3_ENDPOINT")

status=0
output=$(sombra backup test "$BACKUP_DIR" --name "$NAME" --folder "$DRILL_DIR" "${place[@]}") || status=$?
[[ -z "$output" ]] || printf '%s\n' "$output"
if [[ "$status" -ne 0 ]]; then
  echo "✗ The newest backup of $NAME in $BACKUP_DIR cannot be relied on" >&2
  exit "$status"
fi

# When it was made is in its name, in UTC: graph-20261201T020000Z.
[[ $output =~ -([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z ]] || fail "no time of a backup in: $output"
t=("${BASH_REMATCH[@]}")
made=$(date -u -d "${t[1]}-${t[2]}-${t[3]} ${t[4]}:${t[5]}:${t[6]}" +%s)
hours=$((($(date +%s) - made) / 3600))
if [[ "$MAX_AGE_HOURS" -gt 0 ]] && [[ "$hours" -ge "$MAX_AGE_HOURS" ]]; then
  echo "✗ The newest backup of $NAME in $BACKUP_DIR is $hours hours old: look why no newer one was made" >&2
  exit 1
fi
echo "✓ Backup valid: the newest of $NAME in $BACKUP_DIR, $hours hours old"

#!/usr/bin/env bash
# corruption-drill.sh - what to do first with a Sombra database that may be damaged: sees what is wrong, writes a report, and when there
# is damage restores the newest backup beside the report and checks it. Neither the database nor a backup is changed.
#
#   variable                default                what
#   SOMBRA_DB_PATH          /data/sombra/graph.db  the database
#   SOMBRA_BACKUP_DIR       /backups/sombra        folder with the backups, or s3://bucket/prefix
#   SOMBRA_BACKUP_NAME      name of the database   of the backups
#   SOMBRA_RESTORE_AT                              also apply the archive of the log: latest, a commit, or a time with its zone
#   SOMBRA_REPORT_DIR       the current folder     for the report and the restored database
#   SOMBRA_S3_ENDPOINT                             another server that speaks the protocol of S3
#
# Exit codes: 0 the database is sound; 2 it is damaged, and a checked copy from the backup is ready; 1 it is damaged and no backup could
# be restored, or another error.
set -euo pipefail

DB_PATH=${SOMBRA_DB_PATH:-/data/sombra/graph.db}
BACKUP_DIR=${SOMBRA_BACKUP_DIR:-/backups/sombra}
file=${DB_PATH##*/}
NAME=${SOMBRA_BACKUP_NAME:-${file%.*}}
REPORT_DIR=${SOMBRA_REPORT_DIR:-$PWD}
export PATH="$PATH:/usr/local/bin"

fail() {
  echo "corruption-drill.sh: $*" >&2
  exit 1
}

command -v sombra >/dev/null || fail 'sombra is not on PATH: npm install -g @sombra/cli'
[[ -f "$DB_PATH" ]] || fail "$DB_PATH is not there: set SOMBRA_DB_PATH; for a lost file use sombra restore"
[[ -d "$REPORT_DIR" ]] || fail "$REPORT_DIR is not there: make it, or set SOMBRA_REPORT_DIR"

options=()
[[ -z "${SOMBRA_S3_ENDPOINT:-}" ]] || options+=(--s3-endpoint "$SOMBRA_S3_ENDPOINT")
[[ -z "${SOMBRA_RESTORE_AT:-}" ]] || options+=(--at "$SOMBRA_RESTORE_AT")

stamp=$(date -u +%Y%m%dT%H%M%SZ)
report=$REPORT_DIR/corruption-report-$stamp.txt
copy=$REPORT_DIR/restored-$stamp.db

# 1. Assess the damage. Both commands only read.
status=0
sombra verify "$DB_PATH" --max-errors 0 >"$report" || status=$?
case $status in
  0)
    rm -f -- "$report"
    echo "✓ $DB_PATH is sound"
    exit 0
    ;;
  2) ;;
  *) fail "$DB_PATH could not be checked (exit code $status, see above)" ;;
esac
stats=0
sombra inspect stats "$DB_PATH" >>"$report" || stats=$?
# 2 is the damage that is known already.
[[ "$stats" -eq 0 ]] || [[ "$stats" -eq 2 ]] || echo "the figures could not be read: exit code $stats" >>"$report"
echo "✗ $DB_PATH is damaged: $report" >&2

# 2. Make sure of a way back.
if ! sombra restore --from "$BACKUP_DIR" --name "$NAME" --to "$copy" "${options[@]}"; then
  fail "no backup could be restored. Stop what uses the database, copy its files, then: sombra repair salvage '$DB_PATH' NEW.db"
fi
sombra verify "$copy" || fail "the restored $copy is not sound: try an older backup, sombra backup list '$BACKUP_DIR'"

cat >&2 <<TEXT
✓ $copy is sound. To use it:
  1. stop what uses the database
  2. move $DB_PATH and the files beside it ($DB_PATH-*) away, and keep them
  3. move $copy to $DB_PATH, with the owner and mode of the old one
  4. start what uses the database, and make a backup
TEXT
exit 2

#!/usr/bin/env bash
# restore-drill.sh - rehearses getting a Sombra database back: restores it into a scratch folder, checks all of it, says how long that
# took, and removes it. The database in use is not touched.
#
#   variable                default                what
#   SOMBRA_DB_PATH          /data/sombra/graph.db  the database, for its name; it need not be there
#   SOMBRA_BACKUP_DIR       /backups/sombra        folder with the backups, or s3://bucket/prefix
#   SOMBRA_BACKUP_NAME      name of the database   of the backups
#   SOMBRA_RESTORE_AT                              also apply the archive of the log: latest, a commit, or a time with its zone
#   SOMBRA_DRILL_DIR        /tmp, or TMPDIR        where there is room for the database
#   SOMBRA_S3_ENDPOINT                             another server that speaks the protocol of S3
#
# Exit codes: 0 restored and sound; 1 error, or no backup; 2 the backup, or what was restored, is damaged.
set -euo pipefail

DB_PATH=${SOMBRA_DB_PATH:-/data/sombra/graph.db}
BACKUP_DIR=${SOMBRA_BACKUP_DIR:-/backups/sombra}
file=${DB_PATH##*/}
NAME=${SOMBRA_BACKUP_NAME:-${file%.*}}
DRILL_DIR=${SOMBRA_DRILL_DIR:-${TMPDIR:-/tmp}}
export PATH="$PATH:/usr/local/bin"

fail() {
  echo "restore-drill.sh: $*" >&2
  exit 1
}

command -v sombra >/dev/null || fail 'sombra is not on PATH: npm install -g @sombra/cli'
[[ $BACKUP_DIR == s3://* ]] || [[ -d "$BACKUP_DIR" ]] || fail "$BACKUP_DIR is not there: mount its disk, or set SOMBRA_BACKUP_DIR"
[[ -d "$DRILL_DIR" ]] || fail "$DRILL_DIR is not there: make it, or set SOMBRA_DRILL_DIR"

options=()
[[ -z "${SOMBRA_S3_ENDPOINT:-}" ]] || options+=(--s3-endpoint "$SOMBRA_S3_ENDPOINT")
[[ -z "${SOMBRA_RESTORE_AT:-}" ]] || options+=(--at "$SOMBRA_RESTORE_AT")

scratch=$(mktemp -d "$DRILL_DIR/sombra-drill.XXXXXX")
trap 'rm -rf -- "$scratch"' EXIT

SECONDS=0
sombra restore --from "$BACKUP_DIR" --name "$NAME" --to "$scratch/restored.db" "${options[@]}"
restored=$SECONDS
sombra verify "$scratch/restored.db"
sombra stats "$scratch/restored.db"
echo "✓ Restore drill passed: restored in $restored s, checked in $((SECONDS - restored)) s"

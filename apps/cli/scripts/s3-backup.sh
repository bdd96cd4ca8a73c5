#!/usr/bin/env bash
# s3-backup.sh - a verified backup of a Sombra database, which may be in use, in S3; then backups that are too old go.
#
#   variable                default                         what
#   SOMBRA_DB_PATH          /data/sombra/graph.db           the database
#   SOMBRA_S3_URL           s3://my-company-backups/sombra  bucket and prefix
#   SOMBRA_BACKUP_NAME      name of the database            of the backups
#   SOMBRA_STORAGE_CLASS    STANDARD_IA                     of what is stored
#   SOMBRA_RETENTION_DAYS   30                              days that backups are kept; never removes the newest
#   SOMBRA_S3_ENDPOINT                                      another server that speaks the protocol of S3
#   SOMBRA_S3_CHECK_FIRST   0                               1: the server knows no conditional writes, and only this script writes there
#
# Credentials come from the environment (AWS_ACCESS_KEY_ID …), a profile (AWS_PROFILE) or a role. It needs
# npm install -g @sombra/cli @aws-sdk/client-s3 @aws-sdk/lib-storage
# Exit codes: 0 the backup is there and was read back; 1 error; 2 the database is damaged. After 1 and 2 the older backups are all there.
set -euo pipefail

DB_PATH=${SOMBRA_DB_PATH:-/data/sombra/graph.db}
S3_URL=${SOMBRA_S3_URL:-s3://my-company-backups/sombra}
file=${DB_PATH##*/}
NAME=${SOMBRA_BACKUP_NAME:-${file%.*}}
STORAGE_CLASS=${SOMBRA_STORAGE_CLASS:-STANDARD_IA}
RETENTION_DAYS=${SOMBRA_RETENTION_DAYS:-30}
export PATH="$PATH:/usr/local/bin"

fail() {
  echo "s3-backup.sh: $*" >&2
  exit 1
}

command -v sombra >/dev/null || fail 'sombra is not on PATH: npm install -g @sombra/cli'
[[ $S3_URL == s3://* ]] || fail "SOMBRA_S3_URL is $S3_URL: it begins with s3://, for example s3://bucket/sombra"

place=()
[[ -z "${SOMBRA_S3_ENDPOINT:-}" ]] || place+=(--s3-endpoint "$SOMBRA_S3_ENDPOINT")
[[ "${SOMBRA_S3_CHECK_FIRST:-0}" != 1 ]] || place+=(--check-first)

sombra backup run "$DB_PATH" --to "$S3_URL" --name "$NAME" --storage-class "$STORAGE_CLASS" \
  --retention-days "$RETENTION_DAYS" "${place[@]}"
echo "Backup completed: $(date -u +%Y-%m-%dT%H:%M:%SZ)"

#!/usr/bin/env bash
# backup.sh - a verified backup of a Sombra database, which may be in use; then backups that are too old go.
#
#   variable                default                what
#   SOMBRA_DB_PATH          /data/sombra/graph.db  the database
#   SOMBRA_BACKUP_DIR       /backups/sombra        existing folder for the backups, on another disk
#   SOMBRA_BACKUP_NAME      name of the database   of the backups
#   SOMBRA_RETENTION_DAYS   7                      days that backups are kept; never removes the newest, nor what one that stays needs
#
# Exit codes: 0 the backup is there and was read back; 1 error; 2 the database is damaged. After 1 and 2 the older backups are all there.
# Cron: 0 2 * * * /usr/local/bin/backup.sh >> /var/log/sombra-backup.log 2>&1
set -euo pipefail

DB_PATH=${SOMBRA_DB_PATH:-/data/sombra/graph.db}
BACKUP_DIR=${SOMBRA_BACKUP_DIR:-/backups/sombra}
file=${DB_PATH##*/}
NAME=${SOMBRA_BACKUP_NAME:-${file%.*}}
RETENTION_DAYS=${SOMBRA_RETENTION_DAYS:-7}
export PATH="$PATH:/usr/local/bin"

fail() {
  echo "backup.sh: $*" >&2
  exit 1
}

command -v sombra >/dev/null || fail 'sombra is not on PATH: npm install -g @sombra/cli'
# A folder that is made here would lie on the wrong disk when the right one is not mounted.
[[ -d "$BACKUP_DIR" ]] || fail "$BACKUP_DIR is not there: mount its disk, or make it, or set SOMBRA_BACKUP_DIR"

sombra backup run "$DB_PATH" --to "$BACKUP_DIR" --name "$NAME" --retention-days "$RETENTION_DAYS"
echo "Backup completed: $(date -u +%Y-%m-%dT%H:%M:%SZ)"

#!/usr/bin/env bash
# wal-archive.sh - archives the log of a Sombra database until it is told to stop (SIGTERM, Ctrl-C).
#
#   variable                     default                what
#   SOMBRA_DB_PATH               /data/sombra/graph.db  the database
#   SOMBRA_BACKUP_DIR            /backups/sombra        existing folder, that of the backups: a restore needs both
#   SOMBRA_BACKUP_NAME           name of the database   of the archive, as that of the backups
#   SOMBRA_ARCHIVE_INTERVAL      10                     seconds between two passes: what a lost machine may cost
#   SOMBRA_ARCHIVE_MAX_LAG       300                    seconds that commits wait before stderr says so
#
# Start it before the first backup. While a database has an archive its log is kept until it is archived: a script that no longer runs
# fills the disk. To do without an archive: sombra archive end.
# Exit codes: 0 stopped by SIGTERM, after a last pass; 130 by Ctrl-C; 1 error; 2 the log is damaged.
set -euo pipefail

DB_PATH=${SOMBRA_DB_PATH:-/data/sombra/graph.db}
BACKUP_DIR=${SOMBRA_BACKUP_DIR:-/backups/sombra}
file=${DB_PATH##*/}
NAME=${SOMBRA_BACKUP_NAME:-${file%.*}}
INTERVAL=${SOMBRA_ARCHIVE_INTERVAL:-10}
MAX_LAG=${SOMBRA_ARCHIVE_MAX_LAG:-300}
export PATH="$PATH:/usr/local/bin"

fail() {
  echo "wal-archive.sh: $*" >&2
  exit 1
}

command -v sombra >/dev/null || fail 'sombra is not on PATH: npm install -g @sombra/cli'
[[ -d "$BACKUP_DIR" ]] || fail "$BACKUP_DIR is not there: mount its disk, or make it, or set SOMBRA_BACKUP_DIR"

# In place of this shell, so that signals reach it.
exec sombra archive start "$DB_PATH" --to "$BACKUP_DIR" --name "$NAME" --interval "$INTERVAL" --max-lag "$MAX_LAG"

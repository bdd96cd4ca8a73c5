/**
 * Every series of a database and of a plain pager. docs/reference/metrics.md lists the same, and a test compares both.
 *
 * Names follow the customs of Prometheus: base units, `_total` on counters, no rate and no percentile as a gauge.
 */
import type { ObservedHealth, ObservedPagerStats, ObservedStats } from '../base/observed.ts';
import type { BackupFigures, DatabaseFigures, PagerFigures, Reading, Series, SeriesType } from './series.ts';

/**
 * A line of the table. A database is read by `database` where there is one, else its pager is read by `pager`; a plain pager has the
 * series that have `pager`.
 */
interface Line {
  readonly type: SeriesType;
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly pager?: (pager: ObservedPagerStats) => Reading;
  readonly database?: (stats: ObservedStats) => Reading;
  readonly health?: (health: ObservedHealth) => Reading;
  readonly backup?: (backup: BackupFigures) => Reading;
}

const VERDICTS = Object.freeze({ healthy: 0, degraded: 1, unhealthy: 2 } as const);
const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

/** In the order of a scrape. */
const LINES: readonly Line[] = [
  {
    type: 'counter',
    name: 'sombra_transactions_begun_total',
    help: 'Write transactions begun.',
    pager: ({ begun }) => begun,
    database: ({ transactions }) => transactions.begun,
  },
  {
    type: 'counter',
    name: 'sombra_transactions_committed_total',
    help: 'Write transactions committed, those that changed nothing among them.',
    pager: ({ commits }) => commits,
    database: ({ transactions }) => transactions.committed,
  },
  {
    type: 'counter',
    name: 'sombra_transactions_rolled_back_total',
    help: 'Write transactions rolled back, for whatever reason.',
    pager: ({ rollbacks }) => rollbacks,
    database: ({ transactions }) => transactions.rolledBack,
  },
  {
    type: 'counter',
    name: 'sombra_transaction_timeouts_total',
    help: 'Write transactions rolled back because their time was over.',
    pager: ({ timedOut }) => timedOut,
    database: ({ transactions }) => transactions.timedOut,
  },
  {
    type: 'counter',
    name: 'sombra_transactions_refused_total',
    help: 'Write transactions that could not begin: busy, log full, poisoned, queue full.',
    pager: ({ refused }) => refused,
    database: ({ transactions }) => transactions.refused,
  },
  {
    type: 'gauge',
    name: 'sombra_waiting_transactions',
    help: 'Asynchronous transactions that are queued, or wait for their sync.',
    database: ({ transactions }) => transactions.waiting,
  },
  {
    type: 'counter',
    name: 'sombra_slow_operations_total',
    help: 'Operations that took at least slowOperationMs.',
    database: ({ slowOperations }) => slowOperations,
  },
  {
    type: 'counter',
    name: 'sombra_bulk_loads_total',
    help: 'Bulk loads completed.',
    database: ({ graph }) => graph.bulkLoads,
  },
  { type: 'gauge', name: 'sombra_nodes', help: 'Nodes in the graph.', database: ({ nodes }) => nodes },
  { type: 'gauge', name: 'sombra_edges', help: 'Edges in the graph.', database: ({ edges }) => edges },
  {
    type: 'gauge',
    name: 'sombra_lsn',
    help: 'Number of the newest commit.',
    pager: ({ lsn }) => lsn,
  },
  {
    type: 'histogram',
    name: 'sombra_commit_latency_seconds',
    help: 'From the call of commit until the commit is durable, as the sync mode says, and visible.',
    pager: ({ latencies }) => latencies.commit,
    database: ({ latencies }) => latencies.commit,
  },
  {
    type: 'histogram',
    name: 'sombra_read_latency_seconds',
    help: 'Duration of one in 128 calls of getNode, getEdge, neighbors and edgesOf.',
    database: ({ latencies }) => latencies.read,
  },
  {
    type: 'histogram',
    name: 'sombra_sync_duration_seconds',
    help: 'Duration of each sync of the log or of the database file.',
    pager: ({ latencies }) => latencies.sync,
    database: ({ latencies }) => latencies.sync,
  },
  {
    type: 'histogram',
    name: 'sombra_checkpoint_duration_seconds',
    help: 'Duration of checkpoints.',
    pager: ({ latencies }) => latencies.checkpoint,
    database: ({ latencies }) => latencies.checkpoint,
  },
  {
    type: 'counter',
    name: 'sombra_cache_hits_total',
    help: 'Page reads that found the page in the cache.',
    pager: ({ hits, oldVersionHits }) => hits + oldVersionHits,
  },
  {
    type: 'counter',
    name: 'sombra_cache_misses_total',
    help: 'Page reads that had to build the page from the database file and the log.',
    pager: ({ misses }) => misses,
  },
  {
    type: 'counter',
    name: 'sombra_page_evictions_total',
    help: 'Pages given up by the cache for others.',
    pager: ({ evictions }) => evictions,
  },
  {
    type: 'counter',
    name: 'sombra_page_reads_total',
    help: 'Reads of pages from the database file (main) and of their changes from the log.',
    labels: ['source'],
    pager: ({ mainReads, logReads }) => [
      { labels: { source: 'main' }, value: mainReads },
      { labels: { source: 'log' }, value: logReads },
    ],
  },
  {
    type: 'counter',
    name: 'sombra_pages_written_total',
    help: 'Pages written to the database file by checkpoints and bulk loads.',
    pager: ({ pagesWritten }) => pagesWritten,
  },
  {
    type: 'gauge',
    name: 'sombra_cache_size_pages',
    help: 'Pages that the cache may hold.',
    pager: ({ cacheSize }) => cacheSize,
  },
  {
    type: 'gauge',
    name: 'sombra_cache_pages',
    help: 'Pages that the cache holds.',
    pager: ({ cachePages }) => cachePages,
  },
  {
    type: 'gauge',
    name: 'sombra_cache_dirty_pages',
    help: 'Pages in the cache that the running write transaction has changed.',
    pager: ({ cachePagesDirty }) => cachePagesDirty,
  },
  {
    type: 'gauge',
    name: 'sombra_page_size_bytes',
    help: 'Size of a page.',
    pager: ({ pageSize }) => pageSize,
  },
  {
    type: 'gauge',
    name: 'sombra_page_versions',
    help: 'Older versions of pages in the cache, for readers that may need them.',
    pager: ({ oldVersions }) => oldVersions,
  },
  {
    type: 'gauge',
    name: 'sombra_readers',
    help: 'Open snapshots of this connection, and other connections that are reading.',
    pager: ({ snapshots, readers }) => snapshots + readers,
  },
  {
    type: 'gauge',
    name: 'sombra_oldest_snapshot_age_seconds',
    help: 'Age of the oldest open snapshot of this connection; 0 without one.',
    pager: ({ oldestSnapshotMs }) => seconds(oldestSnapshotMs),
  },
  {
    type: 'counter',
    name: 'sombra_wal_bytes_written_total',
    help: 'Bytes that commits wrote to the log.',
    pager: ({ logBytes }) => logBytes,
  },
  {
    type: 'counter',
    name: 'sombra_wal_syncs_total',
    help: 'Syncs of the log and of the database file.',
    pager: ({ syncs }) => syncs,
  },
  {
    type: 'counter',
    name: 'sombra_wal_rotations_total',
    help: 'How often the log went on in a new segment.',
    pager: ({ rotations }) => rotations,
  },
  {
    type: 'gauge',
    name: 'sombra_wal_size_bytes',
    help: 'Size of the log since the last checkpoint.',
    database: ({ files }) => files.walBytes,
  },
  {
    type: 'gauge',
    name: 'sombra_wal_max_size_bytes',
    help: 'Size of the log that checkpoints keep it to (maxWalSizeMb).',
    pager: ({ maxWalBytes }) => maxWalBytes,
  },
  {
    type: 'counter',
    name: 'sombra_checkpoints_total',
    help: 'Checkpoints completed.',
    pager: ({ checkpoints }) => checkpoints,
  },
  {
    type: 'counter',
    name: 'sombra_checkpoint_failures_total',
    help: 'Checkpoints in the background that failed.',
    pager: ({ checkpointFailures }) => checkpointFailures,
  },
  {
    type: 'gauge',
    name: 'sombra_last_checkpoint_age_seconds',
    help: 'Time since the database file was last brought up to date, or since it was opened.',
    pager: ({ checkpointAgeMs }) => seconds(checkpointAgeMs),
  },
  {
    type: 'gauge',
    name: 'sombra_database_size_bytes',
    help: 'Size of the database file, without its log.',
    database: ({ files }) => files.databaseBytes,
  },
  {
    type: 'gauge',
    name: 'sombra_disk_free_bytes',
    help: 'Free space of the file system of the database.',
    database: ({ files }) => files.diskFreeBytes,
  },
  {
    type: 'gauge',
    name: 'sombra_disk_size_bytes',
    help: 'Size of the file system of the database.',
    database: ({ files }) => files.diskSizeBytes,
  },
  {
    type: 'counter',
    name: 'sombra_corruption_errors_total',
    help: 'Reads that met damage in the file or its log.',
    pager: ({ corruptions }) => corruptions,
  },
  {
    type: 'gauge',
    name: 'sombra_poisoned',
    help: '1 after a failed sync, or an error inside a commit: nothing is written until the database was reopened.',
    pager: ({ poisoned }) => (poisoned ? 1 : 0),
  },
  {
    type: 'gauge',
    name: 'sombra_health_status',
    help: 'Result of the health check: 0 healthy, 1 degraded, 2 unhealthy.',
    health: ({ status }) => VERDICTS[status],
  },
  {
    type: 'gauge',
    name: 'sombra_backup_age_seconds',
    help: 'Time since the last verified backup.',
    backup: ({ ageSeconds }) => ageSeconds,
  },
  {
    type: 'gauge',
    name: 'sombra_archive_lag_bytes',
    help: 'Log that is not archived yet.',
    backup: ({ archiveLagBytes }) => archiveLagBytes,
  },
];

/** Series of a database. What its backups are about is a list of its own: not every database has a source for it. */
export const DATABASE_SERIES: readonly Series<DatabaseFigures>[] = LINES.flatMap((line): Series<DatabaseFigures>[] => {
  const { type, name, help, labels = [], pager, database, health, backup } = line;
  const series = (read: (figures: DatabaseFigures) => Reading): Series<DatabaseFigures>[] => [
    { type, name, help, labels, read },
  ];
  if (backup !== undefined) return [];
  if (health !== undefined) return series((figures) => (figures.health === undefined ? null : health(figures.health)));
  if (database !== undefined) return series(({ stats }) => database(stats));
  return pager === undefined ? [] : series(({ stats }) => pager(stats.pager));
});

/** Series of the backups of a database. */
export const BACKUP_SERIES: readonly Series<DatabaseFigures>[] = LINES.flatMap(
  ({ type, name, help, labels = [], backup }) =>
    backup === undefined
      ? []
      : [
          {
            type,
            name,
            help,
            labels,
            read: (figures: DatabaseFigures) => figures.backup && backup(figures.backup),
          },
        ],
);

/** Series of a plain pager. */
export const PAGER_SERIES: readonly Series<PagerFigures>[] = LINES.flatMap(
  ({ type, name, help, labels = [], pager }) =>
    pager === undefined ? [] : [{ type, name, help, labels, read: ({ stats }: PagerFigures) => pager(stats) }],
);

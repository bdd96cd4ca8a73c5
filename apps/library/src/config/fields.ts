/** Fields of a configuration. */
import type { Vfs } from '@sombra/vfs';
import type { SyncMode } from '@sombra/pager';
import type { Warning } from '../base/warning.ts';
import type { HealthLimits } from '../observing/health.ts';
import type { DatabaseHooks } from '../observing/hooks.ts';
import type { Schema } from '../schema/schema.ts';

/** How a database is opened. Every field may be left out. */
export interface ConfigFields {
  /** Bytes of a page: a power of two of 4096 to 65536, fixed when the file is created. Default: the file's own, 8192 for a new one. */
  readonly pageSize?: number | undefined;
  /** Pages kept in memory. Default 5000 (40 MB with pages of 8 KiB). */
  readonly cacheSize?: number | undefined;
  /** false: the log is kept in memory; a crash loses the commits since the last checkpoint, never consistency. Default true. */
  readonly enableWal?: boolean | undefined;
  /** Largest database file in MiB; null for no limit. Default null. A write that would cross it gets SOMBRA_DATABASE_FULL. */
  readonly maxDatabaseSizeMb?: number | null | undefined;
  /** Size in MiB that checkpoints keep the log within. Default 500. */
  readonly maxWalSizeMb?: number | undefined;
  /** Pages that one transaction may change; beyond that it gets SOMBRA_TRANSACTION_PAGES. Default 10,000. */
  readonly maxTransactionPages?: number | undefined;
  /** Milliseconds until a write transaction ends in SOMBRA_TRANSACTION_TIMEOUT; null for no limit. Default 60,000. */
  readonly transactionTimeoutMs?: number | null | undefined;
  /** Milliseconds between checkpoints while the database is open; null for none by the clock. Default null. */
  readonly autoCheckpointIntervalMs?: number | null | undefined;
  /** false: commits are not synced, as with `syncMode` 'off'. Default true. */
  readonly fsyncEnabled?: boolean | undefined;
  /** Checksums of pages are always on. true is accepted, false is refused with SOMBRA_CONFIG. */
  readonly checksumMode?: boolean | undefined;
  /**
   * When a commit is on disk. 'full' (default): when it returns. 'normal': at the next checkpoint or rotation of the log; a
   * power loss may take the newest commits, never consistency, and a killed process loses nothing. 'off': no promise about
   * commits; this release treats it as 'normal'. Checkpoints sync in every mode.
   */
  readonly syncMode?: SyncMode | undefined;
  /** Open without the right to write. Default false. */
  readonly readOnly?: boolean | undefined;
  /** Create the file when it does not exist. Default true. */
  readonly createIfMissing?: boolean | undefined;
  /**
   * Which other connections may have the database open. 'shared' (default): other processes and threads, one of them writing at a time.
   * 'exclusive': none; opening it a second time gets SOMBRA_BUSY. 'single-process': none, enforced by a lock file, for
   * network file systems and platforms without locks.
   */
  readonly locking?: 'shared' | 'exclusive' | 'single-process' | undefined;
  /**
   * Milliseconds to wait, blocking the thread, while another process writes, opens or closes the database, before
   * SOMBRA_BUSY. A lock that the same thread holds is not waited for. Default 5000.
   */
  readonly busyTimeoutMs?: number | undefined;
  /** Log size in MiB at which writes get SOMBRA_LOG_FULL, when an old snapshot keeps the log; null for none. Default null. */
  readonly walHardLimitMb?: number | null | undefined;
  /**
   * Milliseconds after which a snapshot ends in SOMBRA_SNAPSHOT_TOO_OLD, while the log is larger than `maxWalSizeMb`; null
   * for never. Default 60,000.
   */
  readonly readTimeoutMs?: number | null | undefined;
  /** Labels, edge types and properties that writes are held to, and that the types of the API come from. */
  readonly schema?: Schema | undefined;
  /** false: the schema gives types only, and writes are not checked. Default true. */
  readonly validateSchema?: boolean | undefined;
  /** Observes the database from its opening on; further observers are added by `observe`. */
  readonly hooks?: DatabaseHooks | undefined;
  /** Milliseconds from which on an operation counts as slow, and is told to observers; null for never. Default 100. */
  readonly slowOperationMs?: number | null | undefined;
  /** From where on a figure makes `healthCheck` say degraded. */
  readonly health?: HealthLimits | undefined;
  /** Told about warnings. Must not call the database. Default: `console.warn`, unless an observer is told them. */
  readonly onWarning?: ((warning: Warning) => void) | undefined;
  /** File system, clock and timers. Default: those of Node, and memory for the path `:memory:`. */
  readonly vfs?: Vfs | undefined;
  /** @deprecated Former name of `cacheSize`. */
  readonly pageCacheSize?: number | undefined;
  /** @deprecated Former name of `syncMode`. */
  readonly walSyncMode?: SyncMode | undefined;
  /** @deprecated Former name of `checksumMode`. */
  readonly checksumEnabled?: boolean | undefined;
}

/** The fields that every preset states. */
export type CompleteConfig = ConfigFields &
  Required<
    Pick<
      ConfigFields,
      | 'cacheSize'
      | 'enableWal'
      | 'maxDatabaseSizeMb'
      | 'maxWalSizeMb'
      | 'maxTransactionPages'
      | 'transactionTimeoutMs'
      | 'autoCheckpointIntervalMs'
      | 'fsyncEnabled'
      | 'checksumMode'
    >
  >;

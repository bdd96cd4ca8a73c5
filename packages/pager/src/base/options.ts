import { DataError } from '@sombra/vfs';
import type { CorruptionError, SombraError, Vfs } from '@sombra/vfs';

/** When a commit is synced (rule C1). */
export type SyncMode = 'full' | 'normal' | 'off';

/** Which other connections may have the database open. */
export type Locking = 'shared' | 'exclusive' | 'single-process';

/** Something noteworthy that is not the caller's error; `code` is stable, `message` says what to do. */
export interface PagerWarning {
  readonly code:
    | 'SOMBRA_WAL_MISSING'
    | 'SOMBRA_WAL_SET_ASIDE'
    | 'SOMBRA_SUPERBLOCK_SLOT'
    | 'SOMBRA_CHECKPOINT_FAILED'
    | 'SOMBRA_UPKEEP_FAILED'
    | 'SOMBRA_SEGMENT_KEPT'
    | 'SOMBRA_LOG_OVER_LIMIT'
    | 'SOMBRA_LOCK_POISONED'
    | 'SOMBRA_HARD_LINK'
    | 'SOMBRA_LOG_GIVEN_UP';
  readonly message: string;
  readonly cause?: unknown;
}

/**
 * Events that the pager reports to an observer. Hooks must return quickly and must not call the pager. What they throw, or reject with,
 * disturbs neither the call that they ran in nor the program: it becomes the warning SOMBRA_HOOK_FAILED of the environment, with Node
 * a warning of the process.
 */
export interface PagerHooks {
  /** A commit was published, in mode `full` after its sync: other connections see it. Called once for each, in the order of `lsn`. */
  commit?(lsn: number, pages: number, logBytes: number): void;
  checkpoint?(lsn: number, pages: number, ms: number): void;
  recovered?(lsn: number, commits: number): void;
  warning?(warning: PagerWarning): void;
  poisoned?(cause: unknown): void;
  /** A read of a page or of the log met damage; the read throws it too. */
  corruption?(error: CorruptionError): void;
  /** A write transaction could not begin: another connection writes, the log is full, the connection is poisoned or read-only. */
  refused?(error: SombraError): void;
  /** The log goes on in segment `seq`. */
  rotated?(seq: number): void;
  /** Commits of other connections were read: the newest one is now `lsn`. */
  advanced?(lsn: number): void;
}

/** How a database is opened. Every field but `vfs` and `path` has a default. */
export interface PagerOptions {
  readonly vfs: Vfs;
  /** Path of the main file. */
  readonly path: string;
  /** Bytes of a page, a power of two of 4096 to 65536. Default 8192 for a new file, else the file's own. */
  readonly pageSize?: number | undefined;
  /** Pages kept in memory, beside four bytes for each page of the file (docs/adr/0026). Default 5000. */
  readonly cacheSize?: number | undefined;
  /** false: the log lies in memory; a crash loses the commits since the last checkpoint, never consistency. Default true. */
  readonly enableWal?: boolean | undefined;
  /** Default 'full': a commit is durable when it returns. */
  readonly syncMode?: SyncMode | undefined;
  readonly readOnly?: boolean | undefined;
  /**
   * true: inspects a file, whatever its state, without changing a byte of it. While others have it open, this connection reads like any
   * other. Otherwise what recovery would write stays in memory, and no other connection can open the database until this one is closed;
   * damage that reading can continue past is noted in `Pager.damage`. Default false.
   */
  readonly inspect?: boolean | undefined;
  /**
   * true: when synced commits of the log cannot be read, those before the damage are kept, instead of refusing to open. What is
   * given up is set aside beside the database. Default false.
   */
  readonly toLastGood?: boolean | undefined;
  /** Default true. */
  readonly createIfMissing?: boolean | undefined;
  /** Largest main file in MiB; null (default) for no limit. */
  readonly maxDatabaseSizeMb?: number | null | undefined;
  /**
   * Log size in MiB at which checkpoints keep it, unless a reader needs more. A segment is a quarter; the files may take up to four
   * segments more, because the first is needed in part only, blocks are allocated ahead, and a file is kept for reuse. Default 500.
   */
  readonly maxWalSizeMb?: number | undefined;
  /** Pages that one transaction may change; never more than one record of the log holds, 2 GiB. Default 10000. */
  readonly maxTransactionPages?: number | undefined;
  /** Milliseconds after which a write transaction is rolled back; null (default) for no limit. */
  readonly transactionTimeoutMs?: number | null | undefined;
  /** Log bytes after which a commit runs a checkpoint; at `maxWalSizeMb` one runs in any case. Default half of that. */
  readonly checkpointAfterBytes?: number | undefined;
  /** Log size in MiB at which writers are refused with SOMBRA_LOG_FULL; null (default) for no limit. */
  readonly walHardLimitMb?: number | null | undefined;
  /**
   * Milliseconds after which a snapshot ends when the log is over `maxWalSizeMb`, so that it can shrink; null for never. Default
   * 60000.
   */
  readonly readTimeoutMs?: number | null | undefined;
  /** Commits after which a checkpoint begins, whatever they wrote. Default: no such limit. */
  readonly checkpointAfterCommits?: number | undefined;
  /**
   * 'shared' (default): several processes and threads have the database open. 'exclusive': no other connection; no locks are taken and
   * nothing is shared after it is open, so small transactions are a little faster. 'single-process': as 'exclusive', with a lock file
   * instead of locks of the file system, for network file systems and where locks are not available.
   */
  readonly locking?: Locking | undefined;
  /** Milliseconds to wait for a lock before SOMBRA_BUSY. Default 0. */
  readonly busyTimeoutMs?: number | undefined;
  readonly hooks?: PagerHooks | undefined;
}

/** Options with every default filled in. Sizes in bytes. */
export interface ResolvedOptions {
  readonly vfs: Vfs;
  readonly path: string;
  /** undefined: as the file says, or the default for a new one. */
  readonly pageSize: number | undefined;
  readonly cacheSize: number;
  readonly enableWal: boolean;
  readonly syncMode: SyncMode;
  readonly readOnly: boolean;
  readonly inspect: boolean;
  readonly toLastGood: boolean;
  readonly createIfMissing: boolean;
  readonly maxPages: (pageSize: number) => number;
  readonly segmentSize: number;
  readonly maxTransactionPages: number;
  readonly transactionTimeoutMs: number;
  readonly checkpointAfterBytes: number;
  readonly maxWalBytes: number;
  readonly walHardLimitBytes: number;
  readonly readTimeoutMs: number;
  readonly checkpointAfterCommits: number;
  readonly locking: Locking;
  readonly busyTimeoutMs: number;
  readonly hooks: PagerHooks;
}

/** Page size of a new file when none is asked for. */
export const DEFAULT_PAGE_SIZE = 8192;
export const PAGE_SIZE_MIN = 4096;
export const PAGE_SIZE_MAX = 65536;
/** Largest page number + 1: page numbers are unsigned 32-bit, tables of them are indexed by signed ones. */
export const PAGES_MAX = 2 ** 31 - 1;
const DEFAULT_CACHE_SIZE = 5000;
const MIB = 1024 * 1024;
const SEGMENT_MIN = 16 * 1024;
/** Log entries since the checkpoint at which a commit runs one, whatever their size: each has its place in memory. */
export const CHECKPOINT_ENTRIES = 500_000;

const KEYS = new Set([
  'vfs',
  'path',
  'pageSize',
  'cacheSize',
  'enableWal',
  'syncMode',
  'readOnly',
  'inspect',
  'toLastGood',
  'createIfMissing',
  'maxDatabaseSizeMb',
  'maxWalSizeMb',
  'maxTransactionPages',
  'transactionTimeoutMs',
  'checkpointAfterBytes',
  'walHardLimitMb',
  'readTimeoutMs',
  'checkpointAfterCommits',
  'locking',
  'busyTimeoutMs',
  'hooks',
]);

function refuse(field: string, value: unknown, allowed: string): never {
  throw new DataError('SOMBRA_CONFIG', `${field} is ${String(value)}; allowed: ${allowed}`, { details: { field } });
}

function integer(field: string, value: unknown, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    refuse(field, value, `an integer of ${min} to ${max}`);
  return value;
}

function positive(field: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !(value > 0) || value === Infinity) refuse(field, value, 'a number above 0');
  return value;
}

function flag(field: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') refuse(field, value, 'true, false');
  return value;
}

/** Is this a page size of the format? */
export function isPageSize(value: number): boolean {
  return Number.isInteger(value) && value >= PAGE_SIZE_MIN && value <= PAGE_SIZE_MAX && (value & (value - 1)) === 0;
}

/** A number of pages for the cache. @throws DataError SOMBRA_CONFIG */
export function checkCacheSize(pages: number): number {
  return integer('cacheSize', pages ?? null, 0, 8, 2 ** 24);
}

/**
 * Checks options and fills in the defaults.
 * @throws DataError SOMBRA_CONFIG, naming the field
 */
export function resolveOptions(options: PagerOptions): ResolvedOptions {
  for (const key of Object.keys(options)) if (!KEYS.has(key)) refuse(key, 'given', [...KEYS].join(', '));
  if (typeof options.path !== 'string' || options.path === '')
    refuse('path', options.path, 'the path of the database file');
  const { pageSize } = options;
  if (pageSize !== undefined && (typeof pageSize !== 'number' || !isPageSize(pageSize))) {
    refuse('pageSize', pageSize, `a power of two of ${PAGE_SIZE_MIN} to ${PAGE_SIZE_MAX}`);
  }
  const syncMode = options.syncMode ?? 'full';
  if (syncMode !== 'full' && syncMode !== 'normal' && syncMode !== 'off')
    refuse('syncMode', syncMode, "'full', 'normal', 'off'");
  const hardLimit = options.walHardLimitMb ?? null;
  if (hardLimit !== null) positive('walHardLimitMb', hardLimit, 0);
  const readTimeout = options.readTimeoutMs === undefined ? 60_000 : options.readTimeoutMs;
  if (readTimeout !== null) positive('readTimeoutMs', readTimeout, 0);
  const locking = options.locking ?? 'shared';
  if (locking !== 'shared' && locking !== 'exclusive' && locking !== 'single-process')
    refuse('locking', locking, "'shared', 'exclusive', 'single-process'");
  const maxMb = options.maxDatabaseSizeMb ?? null;
  if (maxMb !== null) positive('maxDatabaseSizeMb', maxMb, 0);
  const maxWalBytes = Math.floor(positive('maxWalSizeMb', options.maxWalSizeMb, 500) * MIB);
  const inspect = flag('inspect', options.inspect, false);
  const timeout = options.transactionTimeoutMs ?? null;
  if (timeout !== null) positive('transactionTimeoutMs', timeout, 0);
  return {
    vfs: options.vfs,
    path: options.path,
    pageSize,
    cacheSize: checkCacheSize(options.cacheSize === undefined ? DEFAULT_CACHE_SIZE : options.cacheSize),
    enableWal: flag('enableWal', options.enableWal, true),
    syncMode,
    readOnly: flag('readOnly', options.readOnly, false) || inspect,
    inspect,
    toLastGood: flag('toLastGood', options.toLastGood, false),
    createIfMissing: flag('createIfMissing', options.createIfMissing, true),
    maxPages: (size) => (maxMb === null ? PAGES_MAX : Math.min(PAGES_MAX, Math.floor((maxMb * MIB) / size))),
    segmentSize: Math.max(SEGMENT_MIN, Math.floor(maxWalBytes / 4)),
    maxTransactionPages: integer('maxTransactionPages', options.maxTransactionPages, 10_000, 8, 2 ** 24),
    transactionTimeoutMs: timeout ?? Infinity,
    checkpointAfterBytes: Math.min(
      maxWalBytes,
      integer(
        'checkpointAfterBytes',
        options.checkpointAfterBytes,
        Math.floor(maxWalBytes / 2),
        1,
        Number.MAX_SAFE_INTEGER,
      ),
    ),
    maxWalBytes,
    walHardLimitBytes: hardLimit === null ? Infinity : hardLimit * MIB,
    readTimeoutMs: readTimeout === null ? Infinity : readTimeout,
    checkpointAfterCommits:
      options.checkpointAfterCommits === undefined
        ? Infinity
        : integer('checkpointAfterCommits', options.checkpointAfterCommits, 1, 1, Number.MAX_SAFE_INTEGER),
    locking,
    busyTimeoutMs: integer('busyTimeoutMs', options.busyTimeoutMs, 0, 0, 2 ** 31 - 1),
    hooks: options.hooks ?? {},
  };
}

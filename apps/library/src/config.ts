/**
 * Configuration of a database: the fields, their defaults, and presets for common loads.
 *
 * A preset is a plain frozen object, so `{ ...Config.production(), cacheSize: 10_000 }` and
 * `Config.production({ cacheSize: 10_000 })` are the same.
 */
import { DataError } from '@sombra/vfs';
import { fieldsOf, stageOf } from './config-from-env.ts';
import { underTodaysNames } from './former-names.ts';
import type { Schema } from './schema/schema.ts';
import type { Environment } from './config-from-env.ts';
import type { Vfs } from '@sombra/vfs';
import type { PagerHooks, SyncMode } from '@sombra/pager';

/** Something that is no error of a call, but that somebody should know. `code` is stable, `message` says what to do. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
}

/** How a database is opened. Every field may be left out. */
export interface Config {
  /** Bytes of a page: a power of two of 4096 to 65536, fixed when the file is created. Default: the file's own, 8192 for a new one. */
  readonly pageSize?: number | undefined;
  /** Pages kept in memory. Default 5000 (40 MB with pages of 8 KiB). */
  readonly cacheSize?: number | undefined;
  /** false: the log lies in memory; a crash loses the commits since the last checkpoint, never consistency. Default true. */
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
   * Who else may have the database open. 'shared' (default): other processes and threads too, one of them writing at a time.
   * 'exclusive': nobody; opening it a second time gets SOMBRA_BUSY. 'single-process': nobody, kept by a lock file, for
   * network file systems and platforms without locks.
   */
  readonly locking?: 'shared' | 'exclusive' | 'single-process' | undefined;
  /**
   * Milliseconds to wait, blocking the thread, while another process writes, opens or closes the database, before
   * SOMBRA_BUSY. What the same thread holds is not waited for. Default 5000.
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
  /** Told about commits, checkpoints, recovery, rotation and poison. Must return quickly, and not call the database. */
  readonly hooks?: Omit<PagerHooks, 'warning'> | undefined;
  /** Told about warnings. Must not call the database. Default: `console.warn`. */
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
export type CompleteConfig = Config &
  Required<
    Pick<
      Config,
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

/** What an open without a configuration uses. No page size: the file's own counts. */
const DEFAULT = {
  cacheSize: 5000,
  enableWal: true,
  maxDatabaseSizeMb: null,
  maxWalSizeMb: 500,
  maxTransactionPages: 10_000,
  transactionTimeoutMs: 60_000,
  autoCheckpointIntervalMs: null,
  fsyncEnabled: true,
  checksumMode: true,
} as const satisfies Config;

/** The template of the deployment guide. */
const PRODUCTION = {
  pageSize: 8192,
  cacheSize: 5000,
  enableWal: true,
  maxDatabaseSizeMb: 50_000,
  maxWalSizeMb: 500,
  maxTransactionPages: 10_000,
  transactionTimeoutMs: 60_000,
  autoCheckpointIntervalMs: 30_000,
  fsyncEnabled: true,
  checksumMode: true,
} as const satisfies Config;

/**
 * A preset with some fields replaced; later overrides come before earlier ones. A field that an override leaves undefined, keeps
 * its value. What is wrong with a field is said by the open.
 */
function preset(base: CompleteConfig, ...overrides: readonly (Config | undefined)[]): CompleteConfig {
  const fields = { ...base };
  for (const given of overrides) if (given !== undefined) override(fields, given);
  return Object.freeze(fields);
}

function override(preset: CompleteConfig, overrides: Config): void {
  const fields = preset as unknown as Record<string, unknown>;
  if (typeof overrides !== 'object' || overrides === null) {
    throw new DataError('SOMBRA_CONFIG', 'the overrides of a preset are an object of fields', {
      details: { field: 'config' },
    });
  }
  const given = underTodaysNames(overrides);
  // Two fields say how commits are synced. The override decides, whichever of the two it names.
  if (given['fsyncEnabled'] === false && given['syncMode'] === undefined) delete fields['syncMode'];
  if (typeof given['syncMode'] === 'string' && given['fsyncEnabled'] === undefined) fields['fsyncEnabled'] = true;
  for (const [field, value] of Object.entries(given)) if (value !== undefined) fields[field] = value;
}

/** The presets that `fromEnv` chooses from. */
const STAGES = {
  production: PRODUCTION,
  staging: { ...PRODUCTION, cacheSize: 1000, maxWalSizeMb: 100 },
  development: { ...DEFAULT, cacheSize: 100, enableWal: false },
} as const satisfies Record<string, CompleteConfig>;

/** Presets. Each gives a frozen object; fields of `overrides` replace those of the preset. */
export const Config = Object.freeze({
  /** What an open without a configuration uses: no size limit, no checkpoints by the clock. */
  default: (overrides?: Config): CompleteConfig => preset(DEFAULT, overrides),
  /** For production: 50 GB at most, a checkpoint every 30 s. */
  production: (overrides?: Config): CompleteConfig => preset(PRODUCTION, overrides),
  /** The same as `production`. */
  balanced: (overrides?: Config): CompleteConfig => preset(PRODUCTION, overrides),
  /** `production` with a larger cache, a smaller log and rarer checkpoints. */
  readHeavy: (overrides?: Config): CompleteConfig =>
    preset({ ...PRODUCTION, cacheSize: 10_000, maxWalSizeMb: 100, autoCheckpointIntervalMs: 60_000 }, overrides),
  /** `production` with larger transactions, a larger log and more frequent checkpoints. */
  writeHeavy: (overrides?: Config): CompleteConfig =>
    preset(
      {
        ...PRODUCTION,
        cacheSize: 2000,
        maxWalSizeMb: 1000,
        autoCheckpointIntervalMs: 10_000,
        maxTransactionPages: 50_000,
      },
      overrides,
    ),
  /** `production` with `syncMode` 'normal': a power loss may take the newest commits, never consistency. */
  relaxed: (overrides?: Config): CompleteConfig => preset({ ...PRODUCTION, syncMode: 'normal' }, overrides),
  /** For development and tests: a small cache, no log on disk. A killed process loses what no checkpoint has saved. */
  development: (overrides?: Config): CompleteConfig => preset(STAGES.development, overrides),
  /** `production` on smaller machines. */
  staging: (overrides?: Config): CompleteConfig => preset(STAGES.staging, overrides),
  /**
   * By the environment: `ENV`, else `NODE_ENV`, says which preset ('development', 'dev', 'test'; 'staging'; anything else means
   * production); `SOMBRA_*` variables set single fields, as SOMBRA_CACHE_SIZE=2000; `none` is no limit.
   * @param env  for example `process.env`
   * @throws DataError SOMBRA_CONFIG, details.field is the name of the variable
   */
  fromEnv: (env: Environment, overrides?: Config): CompleteConfig =>
    preset(STAGES[stageOf(env)], fieldsOf(env), overrides),
});

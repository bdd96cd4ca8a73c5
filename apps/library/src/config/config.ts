/**
 * Configuration of a database: defaults, and presets for common loads.
 *
 * A preset is a plain frozen object, so `{ ...Config.production(), cacheSize: 10_000 }` and
 * `Config.production({ cacheSize: 10_000 })` are the same.
 */
import { DataError } from '@sombra/vfs';
import { fieldsOf, stageOf } from './config-from-env.ts';
import type { Environment } from './config-from-env.ts';
import type { CompleteConfig, ConfigFields } from './fields.ts';
import { underTodaysNames } from './former-names.ts';

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

/** How a database is opened. Every field may be left out. */
export type Config = ConfigFields;

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
  /**
   * Only the fields that `SOMBRA_*` variables set, as `fromEnv` reads them: to put them over a file of one's own.
   * @throws DataError SOMBRA_CONFIG, details.field is the name of the variable
   */
  fieldsFromEnv: (env: Environment): Config => Object.freeze(fieldsOf(env)),
});

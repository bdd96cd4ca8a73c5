/** From what the caller gave to what the pager takes. */
import { DataError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type { PagerOptions, SyncMode } from '@sombra/pager';
import type { Warning } from '../base/warning.ts';
import type { HealthLimits, ResolvedHealthLimits } from '../observing/health.ts';
import type { DatabaseHooks } from '../observing/hooks.ts';
import type { ConfigFields } from './fields.ts';
import { FORMER_NAMES, underTodaysNames } from './former-names.ts';
import { nearestName } from '../base/nearest-name.ts';
import { Schema } from '../schema/schema.ts';
import { SchemaRules } from '../schema/schema-rules.ts';

/** Fields that go to the pager as they are; it checks their values. */
const PAGER_FIELDS = [
  'pageSize',
  'cacheSize',
  'enableWal',
  'maxDatabaseSizeMb',
  'maxWalSizeMb',
  'maxTransactionPages',
  'readOnly',
  'createIfMissing',
  'locking',
  'busyTimeoutMs',
  'walHardLimitMb',
  'readTimeoutMs',
] as const satisfies readonly (keyof ConfigFields & keyof PagerOptions)[];

const OWN_FIELDS = [
  'transactionTimeoutMs',
  'autoCheckpointIntervalMs',
  'fsyncEnabled',
  'checksumMode',
  'syncMode',
  'onWarning',
  'hooks',
  'slowOperationMs',
  'health',
  'schema',
  'validateSchema',
  'vfs',
] as const satisfies readonly (keyof ConfigFields)[];

/** Every field of a configuration. */
export const CONFIG_FIELDS: readonly (keyof ConfigFields)[] = Object.freeze([...PAGER_FIELDS, ...OWN_FIELDS]);

const TRANSACTION_TIMEOUT_MS = 60_000;
const BUSY_TIMEOUT_MS = 5000;
const SLOW_OPERATION_MS = 100;
const HEALTH = { cacheHitRate: 0.7, cacheReads: 10_000, walPart: 0.8, diskFreePart: 0.1 } as const;
/** Checkpoints that may fail or be late before an operator should look. */
const CHECKPOINTS_MISSED = 10;
/** Longest time that timers of all platforms take. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** A checked configuration. */
export interface ResolvedConfig {
  readonly pager: Omit<PagerOptions, 'vfs' | 'path' | 'hooks'>;
  /** Infinity for no limit. */
  readonly transactionTimeoutMs: number;
  readonly busyTimeoutMs: number;
  readonly rules: SchemaRules | undefined;
  /** Infinity for none. */
  readonly autoCheckpointIntervalMs: number;
  readonly onWarning: ((warning: Warning) => void) | undefined;
  readonly hooks: DatabaseHooks;
  /** Infinity for never. */
  readonly slowOperationMs: number;
  readonly health: ResolvedHealthLimits;
  readonly vfs: Vfs | undefined;
}

/**
 * Checks a configuration. Only own properties count.
 * @throws DataError SOMBRA_CONFIG, details.field names the field
 */
export function resolveConfig(given: ConfigFields = {}): ResolvedConfig {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse('config', 'a configuration is an object, as Config.production() gives it');
  }
  const config = ownFields(given);
  if (config.checksumMode === false) {
    refuse('checksumMode', 'checksumMode is false, but checksums are always on: leave it out');
  }
  flag(config, 'checksumMode');
  const timeout = milliseconds(config, 'transactionTimeoutMs', TRANSACTION_TIMEOUT_MS);
  const pager: Record<string, unknown> = { busyTimeoutMs: BUSY_TIMEOUT_MS };
  for (const field of PAGER_FIELDS) if (config[field] !== undefined) pager[field] = plain(field, config[field]);
  if (config.onWarning !== undefined && typeof config.onWarning !== 'function') {
    refuse('onWarning', 'onWarning is not a function: give one, or leave it out');
  }
  if (config.vfs !== undefined && typeof (config.vfs as Vfs | null)?.open !== 'function') {
    refuse('vfs', 'vfs is not a file system: give a NodeVfs or a MemoryVfs, or leave it out');
  }
  if (config.hooks !== undefined && (typeof config.hooks !== 'object' || config.hooks === null)) {
    refuse('hooks', 'hooks is not an object of functions: give one, or leave it out');
  }
  const autoCheckpointIntervalMs = milliseconds(config, 'autoCheckpointIntervalMs', null) ?? Infinity;
  return {
    hooks: config.hooks ?? {},
    slowOperationMs: milliseconds(config, 'slowOperationMs', SLOW_OPERATION_MS) ?? Infinity,
    health: healthLimits(config.health, autoCheckpointIntervalMs),
    pager: { ...pager, syncMode: syncMode(config), transactionTimeoutMs: timeout },
    transactionTimeoutMs: timeout ?? Infinity,
    busyTimeoutMs: config.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
    rules: rulesOf(config),
    autoCheckpointIntervalMs,
    onWarning: config.onWarning,
    vfs: config.vfs,
  };
}

function refuse(field: string, message: string): never {
  throw new DataError('SOMBRA_CONFIG', message, { details: { field } });
}

/** The own fields under their names of today. */
function ownFields(given: ConfigFields): ConfigFields {
  for (const name of Object.keys(given)) if (!FORMER_NAMES.has(name)) checkName(name);
  return underTodaysNames(given) as ConfigFields;
}

function checkName(name: string): void {
  if ((CONFIG_FIELDS as readonly string[]).includes(name)) return;
  const near = nearestName(name, [...CONFIG_FIELDS, ...FORMER_NAMES.keys()]);
  const meant = near === undefined ? undefined : (FORMER_NAMES.get(near) ?? near);
  const hint = meant === undefined ? `known: ${CONFIG_FIELDS.join(', ')}` : `did you mean '${meant}'?`;
  refuse(name, `there is no configuration field '${shown(name)}'; ${hint}`);
}

/** No field of the pager is an object; one is refused here, where its name is known to be safe to print. */
function plain(field: string, value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol' || (typeof value === 'object' && value !== null)) {
    refuse(field, `${field} is ${shown(value)}; give a plain value`);
  }
  return value;
}

/** A short text for a value of any kind. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value).slice(0, 80);
}

function flag(config: ConfigFields, field: 'fsyncEnabled' | 'checksumMode' | 'validateSchema'): boolean {
  const value = config[field] === undefined ? true : config[field];
  if (typeof value !== 'boolean') refuse(field, `${field} is ${shown(value)}; allowed: true, false`);
  return value;
}

/** Milliseconds, or null for none. */
function milliseconds(
  config: ConfigFields,
  field: 'transactionTimeoutMs' | 'autoCheckpointIntervalMs' | 'slowOperationMs',
  fallback: number | null,
): number | null {
  const value = config[field];
  if (value === undefined) return fallback;
  if (value === null) return null;
  if (typeof value === 'number' && value >= 1 && value <= TIMER_MAX_MS) return value;
  refuse(field, `${field} is ${shown(value)}; allowed: 1 to ${TIMER_MAX_MS}, or null for none`);
}

function healthLimits(given: HealthLimits | undefined, checkpointIntervalMs: number): ResolvedHealthLimits {
  if (given !== undefined && (typeof given !== 'object' || given === null))
    refuse(
      'health',
      `health is ${shown(given)}; give an object of limits, such as { cacheHitRate: 0.8 }, or leave it out`,
    );
  const { checkpointAgeMs, ...parts } = { ...given };
  const limits: Record<keyof typeof HEALTH, number> = { ...HEALTH };
  for (const [name, value] of Object.entries(parts) as [string, unknown][]) {
    if (!Object.hasOwn(HEALTH, name))
      refuse(
        'health',
        `there is no limit health.${shown(name)}; there are ${Object.keys(HEALTH).join(', ')}, checkpointAgeMs`,
      );
    if (value === undefined) continue;
    const max = name === 'cacheReads' ? Number.MAX_SAFE_INTEGER : 1;
    if (typeof value !== 'number' || !(value >= 0 && value <= max))
      refuse('health', `health.${name} is ${shown(value)}; allowed: a number of 0 to ${max}`);
    limits[name as keyof typeof HEALTH] = value;
  }
  if (
    checkpointAgeMs !== undefined &&
    checkpointAgeMs !== null &&
    !(typeof checkpointAgeMs === 'number' && checkpointAgeMs > 0)
  )
    refuse(
      'health',
      `health.checkpointAgeMs is ${shown(checkpointAgeMs)}; allowed: a number above 0, or null for no limit`,
    );
  const age = checkpointAgeMs === undefined ? checkpointIntervalMs * CHECKPOINTS_MISSED : checkpointAgeMs;
  return { ...limits, checkpointAgeMs: age ?? Infinity };
}

/** `fsyncEnabled` says whether, `syncMode` says when. */
function syncMode(config: ConfigFields): SyncMode {
  const enabled = flag(config, 'fsyncEnabled');
  const mode = plain('syncMode', config.syncMode) as SyncMode | null | undefined;
  if (mode === null) refuse('syncMode', "syncMode is null; allowed: 'full', 'normal', 'off'");
  if (enabled) return mode ?? 'full';
  if (mode === undefined || mode === 'off') return 'off';
  refuse('syncMode', `syncMode is '${shown(mode)}' while fsyncEnabled is false: leave one of them out`);
}

function rulesOf(config: ConfigFields): SchemaRules | undefined {
  const validated = flag(config, 'validateSchema');
  if (config.schema === undefined) return undefined;
  if (!(config.schema instanceof Schema)) refuse('schema', 'schema is what defineSchema({ nodes, edges }) returns');
  return validated ? new SchemaRules(config.schema) : undefined;
}

/** A configuration from environment variables: which preset `ENV` means, and single fields by `SOMBRA_*`. */
import { DataError } from '@sombra/vfs';
import type { ConfigFields } from './fields.ts';

/** Names with their values, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

type Field = Exclude<
  keyof ConfigFields,
  'onWarning' | 'hooks' | 'health' | 'vfs' | 'schema' | 'pageCacheSize' | 'walSyncMode' | 'checksumEnabled'
>;
/** `limit`: a number, or `none`. */
type Kind = 'number' | 'limit' | 'flag' | 'text';

const FIELDS: Readonly<Record<Field, Kind>> = {
  pageSize: 'number',
  cacheSize: 'number',
  enableWal: 'flag',
  maxDatabaseSizeMb: 'limit',
  maxWalSizeMb: 'number',
  maxTransactionPages: 'number',
  transactionTimeoutMs: 'limit',
  autoCheckpointIntervalMs: 'limit',
  fsyncEnabled: 'flag',
  checksumMode: 'flag',
  syncMode: 'text',
  readOnly: 'flag',
  createIfMissing: 'flag',
  locking: 'text',
  busyTimeoutMs: 'number',
  walHardLimitMb: 'limit',
  readTimeoutMs: 'limit',
  validateSchema: 'flag',
  slowOperationMs: 'limit',
};

const VARIABLES: ReadonlyMap<string, Field> = new Map(
  (Object.keys(FIELDS) as Field[]).map((field) => [variableOf(field), field]),
);

/** Names of the variables that set a field. */
export const CONFIG_VARIABLES: readonly string[] = [...VARIABLES.keys()];

/** Which of the presets the environment asks for: `ENV`, else `NODE_ENV`; anything else means production. */
export function stageOf(env: Environment): 'development' | 'staging' | 'production' {
  const stage = (env['ENV'] || env['NODE_ENV'] || '').toLowerCase();
  if (stage === 'development' || stage === 'dev' || stage === 'test') return 'development';
  return stage === 'staging' ? 'staging' : 'production';
}

/**
 * The fields that `SOMBRA_*` variables set: `SOMBRA_CACHE_SIZE` is `cacheSize`. An empty one counts as not set. Variables with
 * other names are ignored, unless they differ from a known name in underscores only.
 * @throws DataError SOMBRA_CONFIG, details.field is the name of the variable
 */
export function fieldsOf(env: Environment): ConfigFields {
  const found: Record<string, unknown> = {};
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('SOMBRA_') || value === undefined || value === '') continue;
    const field = VARIABLES.get(variable);
    if (field === undefined) refuseMisspelt(variable);
    else found[field] = parse(variable, value, FIELDS[field]);
  }
  return found as ConfigFields;
}

function variableOf(field: string): string {
  return `SOMBRA_${field.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

function refuseMisspelt(variable: string): void {
  const bare = (name: string): string => name.replaceAll('_', '').toUpperCase();
  for (const known of VARIABLES.keys()) {
    if (bare(known) === bare(variable)) refuse(variable, `${variable} is not known: write ${known}`);
  }
}

function parse(variable: string, value: string, kind: Kind): unknown {
  if (kind === 'text') return value;
  if (kind === 'flag') {
    if (value === 'true' || value === '1') return true;
    if (value === 'false' || value === '0') return false;
    refuse(variable, `${variable} is '${value.slice(0, 80)}'; allowed: true, false, 1, 0`);
  }
  if (kind === 'limit' && value.toLowerCase() === 'none') return null;
  const number = Number(value);
  if (/^\d/.test(value) && Number.isFinite(number)) return number;
  refuse(variable, `${variable} is '${value.slice(0, 80)}'; allowed: a number${kind === 'limit' ? ', or none' : ''}`);
}

function refuse(field: string, message: string): never {
  throw new DataError('SOMBRA_CONFIG', message, { details: { field } });
}

// Goal: the presets have exactly the numbers of the deployment guide, and an invalid configuration is refused
// with the field's name before anything is touched. Method: tables of values.
import { describe, expect, expectTypeOf, it } from 'vitest';
import { Config, GraphDB, MemoryVfs, type CompleteConfig, type SombraError } from '../src/index.ts';
import { CONFIG_FIELDS, resolveConfig } from '../src/config/resolve-config.ts';

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
};

function refusal(config: unknown, path = ':memory:'): SombraError {
  try {
    GraphDB.open(path, config as Config).close();
  } catch (error) {
    return error as SombraError;
  }
  throw new Error('it was accepted');
}

describe('presets', () => {
  it.each([
    ['production', Config.production(), PRODUCTION],
    ['balanced', Config.balanced(), PRODUCTION],
    [
      'readHeavy',
      Config.readHeavy(),
      { ...PRODUCTION, cacheSize: 10_000, maxWalSizeMb: 100, autoCheckpointIntervalMs: 60_000 },
    ],
    [
      'writeHeavy',
      Config.writeHeavy(),
      {
        ...PRODUCTION,
        cacheSize: 2000,
        maxWalSizeMb: 1000,
        autoCheckpointIntervalMs: 10_000,
        maxTransactionPages: 50_000,
      },
    ],
    ['relaxed', Config.relaxed(), { ...PRODUCTION, syncMode: 'normal' }],
    ['staging', Config.staging(), { ...PRODUCTION, cacheSize: 1000, maxWalSizeMb: 100 }],
    [
      'default',
      Config.default(),
      {
        cacheSize: 5000,
        enableWal: true,
        maxDatabaseSizeMb: null,
        maxWalSizeMb: 500,
        maxTransactionPages: 10_000,
        transactionTimeoutMs: 60_000,
        autoCheckpointIntervalMs: null,
        fsyncEnabled: true,
        checksumMode: true,
      },
    ],
  ])('%s has its numbers and is frozen', (_name, given, expected) => {
    expect(given).toStrictEqual(expected);
    expect(Object.isFrozen(given)).toBe(true);
  });

  it('takes overrides in both ways', () => {
    expect(Config.production({ cacheSize: 10_000 })).toStrictEqual({ ...PRODUCTION, cacheSize: 10_000 });
    expect({ ...Config.production(), cacheSize: 10_000 }).toStrictEqual({ ...PRODUCTION, cacheSize: 10_000 });
    expectTypeOf({ ...Config.production(), cacheSize: 10_000 }).toExtend<Config>();
    expectTypeOf(Config.readHeavy()).toEqualTypeOf<CompleteConfig>();
  });

  it('takes the former names as overrides, too', () => {
    expect(Config.production({ pageCacheSize: 100 })).toStrictEqual({ ...PRODUCTION, cacheSize: 100 });
    expect(Config.relaxed({ walSyncMode: 'off', checksumEnabled: true })).toStrictEqual({
      ...PRODUCTION,
      syncMode: 'off',
    });
    const db = GraphDB.open(':memory:', Config.production({ pageCacheSize: 100, checksumEnabled: true }));
    expect(db.stats().pager.cacheSize).toBe(100);
    db.close();
    expect(refusal({ ...Config.production(), pageCacheSize: 100 }).details).toEqual({ field: 'pageCacheSize' });
    expect(() => Config.production({ pageCacheSize: 100, cacheSize: 100 })).toThrow('leave pageCacheSize out');
  });

  it('lets an override decide about syncing, whichever of the two fields it names', () => {
    expect(resolveConfig(Config.relaxed({ fsyncEnabled: false })).pager.syncMode).toBe('off');
    expect(resolveConfig(Config.relaxed({ syncMode: 'full' })).pager.syncMode).toBe('full');
    expect(resolveConfig(Config.fromEnv({ SOMBRA_SYNC_MODE: 'normal' }, { fsyncEnabled: false })).pager.syncMode).toBe(
      'off',
    );
    expect(resolveConfig(Config.fromEnv({ SOMBRA_FSYNC_ENABLED: '0' }, { syncMode: 'full' })).pager.syncMode).toBe(
      'full',
    );
  });

  it('keeps its value where an override is undefined', () => {
    expect(Config.production({ cacheSize: undefined })).toStrictEqual(PRODUCTION);
  });

  it('gives a new object each time, so that the presets cannot be changed', () => {
    expect(Config.production()).not.toBe(Config.production());
    expect(Object.isFrozen(Config)).toBe(true);
  });
});

describe('names', () => {
  it.each([
    ['cachesize', 'cacheSize'],
    ['page_size', 'pageSize'],
    ['fsync', undefined],
    ['cacheSizes', 'cacheSize'],
    ['max_database_size_mb', 'maxDatabaseSizeMb'],
    ['transactionTimeout', 'transactionTimeoutMs'],
    ['page_cache_size', 'cacheSize'],
    ['wal_sync_mode', 'syncMode'],
    ['checksum_enabled', 'checksumMode'],
    ['x'.repeat(1000), undefined],
    ['__proto__', undefined],
    ['constructor', undefined],
  ])('refuses %s', (name, meant) => {
    const error = refusal({ [name]: 1 });
    expect(error.code).toBe('SOMBRA_CONFIG');
    expect(error.message).toContain(`'${name.slice(0, 80)}'`);
    expect(error.details).toEqual({ field: name });
    if (meant === undefined) expect(error.message).toContain(`known: ${CONFIG_FIELDS.join(', ')}`);
    else expect(error.message).toContain(`did you mean '${meant}'?`);
  });

  it('takes the former names, but not beside the new ones', () => {
    const former = { pageCacheSize: 100, walSyncMode: 'normal', checksumEnabled: true } as const satisfies Config;
    expect(resolveConfig(former).pager).toMatchObject({ cacheSize: 100, syncMode: 'normal' });
    expect(refusal({ pageCacheSize: 100, cacheSize: 100 }).details).toEqual({ field: 'pageCacheSize' });
    expect(refusal({ pageCacheSize: 0 }).details).toEqual({ field: 'cacheSize' });
    expect(refusal({ checksumEnabled: false }).details).toEqual({ field: 'checksumMode' });
  });

  it('looks at own fields only', () => {
    const inherited = Object.create({ cachesize: 1, cacheSize: 0, readOnly: true, transactionTimeoutMs: -1 }) as Config;
    const { pager, transactionTimeoutMs } = resolveConfig();
    expect(resolveConfig(inherited)).toMatchObject({ pager, transactionTimeoutMs });
  });

  it('touches nothing when it refuses', () => {
    const vfs = new MemoryVfs();
    expect(refusal({ vfs, cacheSize: 0 }, 'graph.db').code).toBe('SOMBRA_CONFIG');
    expect(refusal({ vfs, cachesize: 100 }, 'graph.db').code).toBe('SOMBRA_CONFIG');
    expect(vfs.list('.')).toEqual([]);
  });
});

describe('values', () => {
  it.each([
    ['pageSize', [0, 4095, 6000, 2048, 131_072, -8192, NaN, '8192', null]],
    ['cacheSize', [0, -1, 1.5, NaN, Infinity, '5000', null]],
    ['enableWal', [0, 'true', null]],
    ['maxDatabaseSizeMb', [0, -1, NaN, Infinity, '50000']],
    ['maxWalSizeMb', [0, -500, NaN, Infinity, '500', null]],
    ['maxTransactionPages', [0, -1, 2.5, NaN, Infinity, '10000', null]],
    ['transactionTimeoutMs', [0, -1, NaN, Infinity, '60000', 2 ** 31]],
    ['autoCheckpointIntervalMs', [0, -1, NaN, Infinity, '30000', 2 ** 31]],
    ['fsyncEnabled', [0, 'false', null]],
    ['checksumMode', [false, 'true', null]],
    ['syncMode', ['on', '', 1, null, ['full'], () => 'full']],
    ['readOnly', [1, 'true', Symbol('true'), null]],
    ['createIfMissing', [1, 'true', Object.create(null)]],
    ['locking', ['none', '', true]],
    ['busyTimeoutMs', [-1, 0.5, NaN, '0', null]],
    ['walHardLimitMb', [0, -1, NaN, '1000', {}]],
    ['readTimeoutMs', [0, -1, NaN, '1000', []]],
    ['onWarning', ['console', {}, null]],
    ['vfs', ['memory', {}, null, 5]],
  ])('refuses what %s cannot be', (field, values) => {
    values.forEach((value, i) => {
      const error = refusal({ [field]: value });
      expect([field, i, error.code, error.details['field']]).toEqual([field, i, 'SOMBRA_CONFIG', field]);
      expect(error.message).toContain(field);
      expect(error.message.length).toBeLessThan(200);
    });
  });

  it.each([[[]], ['x'], [null], [5]])('refuses %j instead of a configuration', (config) => {
    expect(refusal(config).code).toBe('SOMBRA_CONFIG');
    if (!Array.isArray(config)) expect(() => Config.production(config as Config)).toThrow('overrides');
  });

  it('says how the two ways to say syncing go together', () => {
    expect(resolveConfig({}).pager.syncMode).toBe('full');
    expect(resolveConfig({ fsyncEnabled: false }).pager.syncMode).toBe('off');
    expect(resolveConfig({ fsyncEnabled: true, syncMode: 'normal' }).pager.syncMode).toBe('normal');
    expect(resolveConfig({ fsyncEnabled: false, syncMode: 'off' }).pager.syncMode).toBe('off');
    expect(refusal({ fsyncEnabled: false, syncMode: 'full' }).details['field']).toBe('syncMode');
  });

  it('has the documented defaults without a configuration', () => {
    const resolved = resolveConfig();
    expect(resolved.transactionTimeoutMs).toBe(60_000);
    expect(resolved.autoCheckpointIntervalMs).toBe(Infinity);
    expect(resolved.pager).toEqual({ syncMode: 'full', transactionTimeoutMs: 60_000, busyTimeoutMs: 5000 });
  });
});

describe('the environment', () => {
  const DEVELOPMENT = { ...Config.default(), cacheSize: 100, enableWal: false };
  const STAGING = { ...PRODUCTION, cacheSize: 1000, maxWalSizeMb: 100 };
  it.each([
    [{}, PRODUCTION],
    [{ ENV: 'production' }, PRODUCTION],
    [{ ENV: 'something else' }, PRODUCTION],
    [{ ENV: 'staging' }, STAGING],
    [{ ENV: 'development' }, DEVELOPMENT],
    [{ ENV: 'dev' }, DEVELOPMENT],
    [{ NODE_ENV: 'test' }, DEVELOPMENT],
    [{ NODE_ENV: 'development', ENV: 'staging' }, STAGING],
    [{ NODE_ENV: 'staging', ENV: '' }, STAGING],
    [
      { SOMBRA_CACHE_SIZE: '77', PATH: '/bin' },
      { ...PRODUCTION, cacheSize: 77 },
    ],
    [
      { ENV: 'staging', SOMBRA_CACHE_SIZE: '77', SOMBRA_ENABLE_WAL: 'false' },
      { ...STAGING, cacheSize: 77, enableWal: false },
    ],
    [
      { SOMBRA_MAX_DATABASE_SIZE_MB: 'none', SOMBRA_MAX_WAL_SIZE_MB: '0.5' },
      { ...PRODUCTION, maxDatabaseSizeMb: null, maxWalSizeMb: 0.5 },
    ],
    [
      { SOMBRA_SYNC_MODE: 'normal', SOMBRA_READ_ONLY: '1' },
      { ...PRODUCTION, syncMode: 'normal', readOnly: true },
    ],
    [
      { SOMBRA_LOCKING: 'single-process', SOMBRA_PAGE_SIZE: '' },
      { ...PRODUCTION, locking: 'single-process' },
    ],
    [{ SOMBRA_DATABASE: 'graph.db', SOMBRA_CACHE_SIZE: undefined }, PRODUCTION],
  ])('%j', (env, expected) => {
    expect(Config.fromEnv(env)).toEqual(expected);
  });

  it('every field that a variable can hold is opened with', () => {
    const env = {
      SOMBRA_PAGE_SIZE: '4096',
      SOMBRA_TRANSACTION_TIMEOUT_MS: '1000',
      SOMBRA_AUTO_CHECKPOINT_INTERVAL_MS: 'none',
      SOMBRA_BUSY_TIMEOUT_MS: '0',
      SOMBRA_WAL_HARD_LIMIT_MB: 'none',
      SOMBRA_READ_TIMEOUT_MS: '5000',
      SOMBRA_MAX_TRANSACTION_PAGES: '100',
      SOMBRA_FSYNC_ENABLED: '0',
      SOMBRA_CHECKSUM_MODE: 'true',
      SOMBRA_CREATE_IF_MISSING: 'true',
    };
    const db = GraphDB.open('/graph.db', Config.fromEnv(env, { vfs: new MemoryVfs() }));
    expect(db.pageSize).toBe(4096);
    db.close();
  });

  it.each([
    [{ SOMBRA_CACHE_SIZE: 'many' }, 'SOMBRA_CACHE_SIZE'],
    [{ SOMBRA_CACHE_SIZE: 'none' }, 'SOMBRA_CACHE_SIZE'],
    [{ SOMBRA_CACHE_SIZE: '1e999' }, 'SOMBRA_CACHE_SIZE'],
    [{ SOMBRA_READ_TIMEOUT_MS: '-1' }, 'SOMBRA_READ_TIMEOUT_MS'],
    [{ SOMBRA_ENABLE_WAL: 'yes' }, 'SOMBRA_ENABLE_WAL'],
    [{ SOMBRA_CACHESIZE: '10' }, 'SOMBRA_CACHESIZE'],
  ])('%j is refused, naming the variable', (env, field) => {
    try {
      Config.fromEnv(env);
    } catch (error) {
      const { code, details, message } = error as SombraError;
      expect([code, details['field']]).toEqual(['SOMBRA_CONFIG', field]);
      expect(message).toContain(field);
      return;
    }
    throw new Error('it was accepted');
  });

  it('overrides win over variables', () => {
    expect(Config.fieldsFromEnv({ SOMBRA_CACHE_SIZE: '77', SOMBRA_OTHER: '1', ENV: 'staging' })).toEqual({
      cacheSize: 77,
    });
    expect(Config.fromEnv({ SOMBRA_CACHE_SIZE: '77' }, { cacheSize: 78 }).cacheSize).toBe(78);
    expect(Config.fromEnv({ SOMBRA_CACHE_SIZE: '77' }, { pageCacheSize: 78 }).cacheSize).toBe(78);
  });

  it('an override that is undefined leaves the value of the variable', () => {
    const env = { SOMBRA_CACHE_SIZE: '77', ENV: 'staging' };
    const overrides = { cacheSize: undefined, syncMode: undefined, pageCacheSize: undefined };
    expect(Config.fromEnv(env, { cacheSize: undefined })).toStrictEqual({ ...Config.staging(), cacheSize: 77 });
    expect(Config.fromEnv(env, { pageCacheSize: undefined }).cacheSize).toBe(77);
    expect(() => Config.fromEnv(env, overrides)).toThrow('leave pageCacheSize out');
  });
});

// Goal: a configuration is read from a file, the environment and flags, each of more weight than the one before, and what is wrong in
// one of them is refused by its name.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readServerConfig } from '../src/index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sombra-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'server.toml');
  writeFileSync(path, text);
  return path;
}

describe('sources', () => {
  test('without any: this machine only, with the production preset', () => {
    const { database, ...server } = readServerConfig();
    expect(server).toEqual({
      host: '127.0.0.1',
      port: 7654,
      logLevel: 'info',
      drainDelayMs: 0,
      shutdownTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
    });
    expect(database).toMatchObject({ cacheSize: 5000, maxDatabaseSizeMb: 50_000, autoCheckpointIntervalMs: 30_000 });
  });

  test('a file, then variables, then flags', () => {
    const text =
      'port = 1\nhost = "::1"\nlogLevel = "warn"\n\n[database]\ncacheSize = 10\nmaxWalSizeMb = 20\nreadOnly = false\n';
    const env = { SOMBRA_PORT: '2', SOMBRA_LOG_LEVEL: 'debug', SOMBRA_CACHE_SIZE: '11', SOMBRA_HOST: '' };
    const flags = { port: 3, logLevel: undefined };
    const { database, ...server } = readServerConfig({ file: file(text), env, flags, database: { readOnly: true } });
    expect(server).toMatchObject({ host: '::1', port: 3, logLevel: 'debug' });
    expect(database).toMatchObject({ cacheSize: 11, maxWalSizeMb: 20, readOnly: true });
  });

  test('SOMBRA_CONFIG names the file, ENV the preset', () => {
    const env = { SOMBRA_CONFIG: file('port = 5'), ENV: 'staging' };
    const { port, database } = readServerConfig({ env });
    expect([port, database.cacheSize, database.maxWalSizeMb]).toEqual([5, 1000, 100]);
  });
});

describe('what is refused, by name', () => {
  test.each([
    ['port = 70000', 'port is 70000'],
    ['port = "a"', 'port is "a"'],
    ['prot = 1', "there is no field 'prot' of the server"],
    ['logLevel = "loud"', 'logLevel is "loud"'],
    ['database = 5', 'database is a table'],
    ['port =', 'is not TOML'],
  ])('file %o', (text, message) => {
    expect(() => readServerConfig({ file: file(text) })).toThrow(message);
    try {
      readServerConfig({ file: file(text) });
    } catch (error) {
      expect(error).toMatchObject({ code: 'SOMBRA_CONFIG' });
    }
  });

  test('a file that is not there', () => {
    expect(() => readServerConfig({ file: join(folder, 'none.toml') })).toThrow('cannot be read (ENOENT)');
  });

  test('a variable', () => {
    expect(() => readServerConfig({ env: { SOMBRA_PORT: 'many' } })).toThrow('port is "many"');
    expect(() => readServerConfig({ env: { SOMBRA_CACHE_SIZE: 'many' } })).toThrow("SOMBRA_CACHE_SIZE is 'many'");
  });
});

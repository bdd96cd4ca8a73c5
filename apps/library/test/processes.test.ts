// Goal: what a process that was killed had committed is there, another one that has the database is named, and an open
// database keeps no process alive. Method: real processes that run the built package, real files, real `kill -9`.
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { seeds } from '@sombra/vfs/testing';
import { describe, expect, it } from 'vitest';
import { GraphDB } from '../src/index.ts';
import { startChild } from './support/children.ts';
import { codeOf, thrownBy } from './support/codes.ts';
import { killWriters } from './support/kill-writers.ts';
import { expectSound, withDirectory } from './support/open.ts';

const KILLS = 20;

describe('kill -9 of a process that writes', () => {
  it.each(seeds(1))(
    `loses no acknowledged commit in ${KILLS} kills, seed %i`,
    (seed) => killWriters(seed, KILLS),
    240_000,
  );
});

describe('another process', () => {
  it('that has the database exclusively is named', async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, 'graph.db');
      const holder = startChild('holder.js', path, '{"locking":"exclusive"}', 'open');
      await holder.printed('ready');
      for (const config of [{}, { readOnly: true }, { locking: 'exclusive' }] as const) {
        const error = thrownBy(() => GraphDB.open(path, { ...config, busyTimeoutMs: 30 }));
        expect([error.name, error.code]).toEqual(['IoError', 'SOMBRA_BUSY']);
        expect(error.details).toMatchObject({ pid: holder.process.pid, host: hostname() });
        expect(error.details?.['since']).toBeTypeOf('number');
        expect(error.message).toContain(`process ${holder.process.pid} on ${hostname()}`);
      }
      holder.process.kill('SIGKILL');
      await holder.ended;
      const db = GraphDB.open(path, { busyTimeoutMs: 0 }); // locks die with their holder
      db.close();
    });
  });

  it('that writes is named; reading goes on, and writing when it is killed', async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, 'graph.db');
      const db = GraphDB.open(path, { busyTimeoutMs: 30 });
      db.addNode('Mine');
      const holder = startChild('holder.js', path, '{}', 'transaction');
      await holder.printed('ready');
      const error = thrownBy(() => db.addNode('Mine'));
      expect([error.name, error.code]).toEqual(['IoError', 'SOMBRA_BUSY']);
      expect(error.details).toMatchObject({ pid: holder.process.pid, host: hostname() });
      expect(error.message).toContain(`process ${holder.process.pid} on ${hostname()}`);
      expect([db.nodeCount(), db.nodeCount('Held')]).toEqual([1, 0]);
      holder.process.kill('SIGKILL');
      await holder.ended;
      expect(codeOf(() => db.addNode('Mine'))).toBe('no error');
      expect([db.nodeCount('Mine'), db.nodeCount('Held')]).toEqual([2, 0]);
      expectSound(db);
      db.close();
      expect(readdirSync(directory)).toEqual(['graph.db']);
    });
  });

  it('that writes is waited for as long as busyTimeoutMs says', async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, 'graph.db');
      const holder = startChild('holder.js', path, '{}', 'transaction');
      await holder.printed('ready');
      const db = GraphDB.open(path, { busyTimeoutMs: 60_000 });
      holder.process.stdin.write('commit\n');
      db.addNode('Mine');
      await holder.ended;
      expect([db.nodeCount('Mine'), db.nodeCount('Held')]).toEqual([1, 1]);
      db.close();
      expect(readdirSync(directory)).toEqual(['graph.db']);
    });
  });
});

describe('an open database', () => {
  it('keeps no process alive', async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, 'graph.db');
      const child = startChild('idle.js', path);
      const { code, errors } = await child.ended;
      expect([code, errors, child.output()]).toEqual([0, '', 'at its end\n']);
      const db = GraphDB.open(path);
      expect([db.nodeCount('Committed'), db.nodeCount('Open')]).toEqual([1, 0]);
      expectSound(db);
      db.close();
    });
  }, 30_000);
});

describe('names that objects inherit', () => {
  it('are data like any other, with every prototype frozen', async () => {
    const child = startChild('frozen-prototype.js');
    const { code, errors } = await child.ended;
    expect([code, errors]).toEqual([0, '']);
    const answer = JSON.parse(child.output()) as Record<string, unknown>;
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'valueOf',
      '__defineGetter__',
      'length',
      '',
    ];
    const pairs = names.map((name, i) => [name, i]);
    const byName = (pair: unknown): string => (pair as [string])[0];
    const sorted = (list: unknown): unknown[] =>
      (list as unknown[]).toSorted((a, b) => (byName(a) < byName(b) ? -1 : 1));
    const kept = pairs
      .filter(([name]) => name !== 'constructor')
      .map(([name, i]) => [name, name === '__proto__' ? 'own' : i]);
    expect(answer).toMatchObject({
      labels: names.slice(0, -1),
      single: names.map((name, i) => (name === '__proto__' ? 'own' : name === 'constructor' ? null : i)),
      absent: [null, null],
      found: [1, 0],
      edges: names.slice(0, -1).map(() => names.length),
      types: names.slice(0, -1).map(() => [1, 1, 1]),
      missing: [0, 0, []],
      polluted: null,
      problems: [],
    });
    expect(sorted(answer['properties'])).toEqual(sorted(kept));
    expect(sorted(answer['nested'])).toEqual(sorted(pairs));
    expect(answer['keys']).toEqual(expect.arrayContaining(names));
  });
});

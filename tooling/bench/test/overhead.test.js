// Goal: what overhead.js compares is the same work, and each mode does what it is called. Method: a small run in each mode.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphDB } from '@sombra/db';
import { afterAll, expect, it } from 'vitest';
import { MODES, timeOfScrape } from '../src/overhead-modes.js';
import { work } from '../src/overhead-work.js';

const folder = mkdtempSync(join(tmpdir(), 'sombra-overhead-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Events that a mode logs, at least: of the transactions of the warm-up and of the work. */
const EVENTS = {
  info: ['transaction.committed'],
  debug: ['transaction.committed', 'transaction.begun', 'commit.logged'],
  trace: ['transaction.committed', 'transaction.begun', 'commit.logged', 'graph.mutated'],
};

it.each(Object.keys(MODES))('%s', async (mode) => {
  const db = GraphDB.open(':memory:');
  const file = join(folder, `${mode}.log`);
  const end = MODES[mode](db, file);
  const { micros, answer } = await work(db, { transactions: 50, reads: 50, warmUp: 50 });
  end();
  expect(answer).toEqual({ nodes: 101, edges: 100, sum: 2213 });
  expect(micros.transactions).toBeGreaterThan(0);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const counts = new Map();
  for (const line of lines) counts.set(JSON.parse(line).event, (counts.get(JSON.parse(line).event) ?? 0) + 1);
  for (const event of EVENTS[mode] ?? []) expect(counts.get(event), event).toBeGreaterThanOrEqual(100);
  if (EVENTS[mode] === undefined) expect(lines).toEqual([]);
  db.close();
});

it('a scrape', async () => {
  const db = GraphDB.open(':memory:');
  expect(await timeOfScrape(db)).toBeGreaterThan(0);
  db.close();
});

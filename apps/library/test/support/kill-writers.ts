import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '@sombra/vfs/testing';
import { expect } from 'vitest';
import { GraphDB } from '../../src/index.ts';
import type { Config } from '../../src/index.ts';
import { startChild } from './children.ts';
import { expectSound, withDirectory } from './open.ts';

/** How a writer works; each is killed several times, at a random moment. */
const WRITERS: readonly { readonly config: Config; readonly reopenEvery: number }[] = [
  { config: {}, reopenEvery: 0 },
  { config: { maxWalSizeMb: 0.1 }, reopenEvery: 0 },
  { config: { syncMode: 'normal', maxWalSizeMb: 0.25, autoCheckpointIntervalMs: 1 }, reopenEvery: 0 },
  { config: { syncMode: 'off', cacheSize: 16, maxTransactionPages: 200 }, reopenEvery: 0 },
  { config: { locking: 'exclusive', maxWalSizeMb: 0.1 }, reopenEvery: 0 },
  { config: {}, reopenEvery: 3 },
];

/** Last number that was printed whole; 0 when none was. */
function lastNumber(output: string): number {
  return Number(
    output
      .slice(0, output.lastIndexOf('\n') + 1)
      .trimEnd()
      .split('\n')
      .at(-1),
  );
}

/**
 * Kills a writing process again and again on one database. After each kill every commit that it had acknowledged is there,
 * whole, and at most the one that it was about to acknowledge besides.
 */
export async function killWriters(seed: number, kills: number): Promise<void> {
  const random = new Random(seed);
  await withDirectory(async (directory) => {
    const path = join(directory, 'graph.db');
    let commits = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const { config, reopenEvery } = WRITERS[kill % WRITERS.length]!;
      const child = startChild('writer.js', path, JSON.stringify(config), String(reopenEvery));
      await child.printed(`${commits + 1 + random.below(40)}\n`);
      await new Promise((resolve) => setTimeout(resolve, random.below(20)));
      child.process.kill('SIGKILL');
      const { signal, errors } = await child.ended;
      const where = `kill ${kill} of seed ${seed}, ${JSON.stringify(config)}`;
      expect([signal, errors], where).toEqual(['SIGKILL', '']);
      const acknowledged = lastNumber(child.output());
      expect(acknowledged, where).toBeGreaterThan(commits);
      commits = checkChain(path, where);
      expect([acknowledged, acknowledged + 1], where).toContain(commits);
      expect(readdirSync(directory), where).toEqual(['graph.db']);
    }
  });
}

/** Opens what a writer left, checks that its chain of nodes has no gap. @returns number of its commits */
function checkChain(path: string, where: string): number {
  const db = GraphDB.open(path);
  const commits = db.nodeCount('Step');
  let number = 0;
  for (const { id, properties } of db.nodes({ label: 'Step' })) {
    number += 1;
    expect([id, properties['number']], where).toEqual([number, number]);
  }
  const ends = [db.degree(1), db.degree(commits)];
  expect([number, db.edgeCount('NEXT'), ends], where).toEqual([commits, commits - 1, [commits > 1 ? 1 : 0, 0]]);
  if (commits > 20) expect(db.getNodeProperty(commits - 20, 'passed'), where).toBe(commits);
  expectSound(db);
  db.close();
  return commits;
}

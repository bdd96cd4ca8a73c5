// Goal: a process that is killed leaves a trail that verifies and names no write that was not committed. Method: a process writes, rolls back and
// records; it is killed with SIGKILL again and again at a moment drawn from a seed, over the same database and trail; after each
// kill the trail is verified as it is, and every entry is looked up in the database. Runs the built packages.
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GraphDB } from '@sombra/db';
import { Random, seeds } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { queryAudit, verifyAudit } from '../src/index.ts';
import { folder } from './support/folder.ts';

const KILLS = 6;
/** Commits of a round of the child that may be without an entry when it is killed: one, or the three that share a sync. */
const UNRECORDED_MAX = 3;
const CHILD = fileURLToPath(new URL('children/audited-writer.js', import.meta.url));

/** Runs the child until it has told `messages` messages, and kills it. */
async function killAfter(messages: number, ...args: string[]): Promise<void> {
  const child = fork(CHILD, args, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let told = 0;
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('close', (_code, signal) => resolve(signal)),
  );
  child.on('message', () => {
    told += 1;
    if (told === messages) child.kill('SIGKILL');
  });
  expect(await ended, errors).toBe('SIGKILL');
}

test.each(seeds(1))('seed %i: killed again and again', async (seed) => {
  expect(existsSync(fileURLToPath(new URL('../dist/index.js', import.meta.url))), 'run `pnpm build` first').toBe(true);
  const dice = new Random(seed);
  const directory = folder();
  const [path, trail] = [join(directory, 'graph.db'), join(directory, 'audit.jsonl')];
  let recorded = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await killAfter(1 + dice.below(40), path, trail);
    const report = verifyAudit(trail);
    expect(report.problems, `kill ${kill}`).toEqual([]);
    const db = GraphDB.open(path);
    const nodes = [...queryAudit(trail)].map(({ action, node_id, lsn, user }) => {
      expect([action, user], `kill ${kill}`).toEqual(['addNode', expect.stringMatching(/^user [012]$/)]);
      expect(lsn).toBeLessThanOrEqual(db.lsn);
      return node_id!;
    });
    const strange = nodes.filter((id) => db.getNode(id)?.labels.join() !== 'Kept');
    expect(strange, `kill ${kill}: nodes that were not committed`).toEqual([]);
    expect(new Set(nodes).size).toBe(nodes.length);
    const missing = db.nodeCount('Kept') - nodes.length;
    expect(missing, `kill ${kill}: commits without an entry`).toBeLessThanOrEqual(UNRECORDED_MAX * kill);
    expect(nodes.length).toBeGreaterThanOrEqual(recorded);
    recorded = nodes.length;
    db.close();
  }
  expect(recorded).toBeGreaterThan(KILLS);
});

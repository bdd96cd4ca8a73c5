// Goal: a database in use tells other processes its figures by the clock, only when there is something new, and never at the cost of the
// program: not for each operation, and not by an error of the disk.
// Method: connections on one file system in memory whose time passes when it is told to.
import { Pager } from '@sombra/pager';
import { FaultyVfs, SimEnv } from '@sombra/vfs/testing';
import { expect, it } from 'vitest';
import { GraphDB, MemoryVfs } from '../src/index.ts';
import type { Warning } from '../src/index.ts';
import { addSmallGraph } from './support/small-graph.ts';

function world(): { env: SimEnv; vfs: MemoryVfs; others: () => ReturnType<Pager['others']> } {
  const env = new SimEnv({ seed: 1 });
  const vfs = new MemoryVfs({ env });
  const others = (): ReturnType<Pager['others']> => {
    const pager = Pager.open({ vfs, path: '/graph.db', inspect: true });
    const found = pager.others();
    pager.close();
    return found;
  };
  return { env, vfs, others };
}

it('what it reads and commits is told a second later', () => {
  const { env, vfs, others } = world();
  const db = GraphDB.open('/graph.db', { vfs });
  const opened = env.wallTimeMs();
  addSmallGraph(db);
  env.advance(999);
  expect(others()).toEqual({ count: 1, figures: [] });
  for (let i = 0; i < 1000; i += 1) db.getNode(1);
  env.advance(1);
  const { pager, latencies } = db.stats();
  expect(others()).toMatchObject({
    count: 1,
    figures: [{ opened, written: env.wallTimeMs(), commits: latencies.commit.count, reads: latencies.read.count }],
  });
  expect(others().figures[0]!.misses).toBe(pager.misses);
  expect(latencies.read.count).toBeGreaterThan(0);
  db.close();
});

it('an idle database writes nothing, and one that was closed has no timer', () => {
  const { env, vfs, others } = world();
  const db = GraphDB.open('/graph.db', { vfs });
  addSmallGraph(db);
  env.advance(1000);
  const { written } = others().figures[0]!;
  env.advance(10_000);
  expect(others().figures[0]!.written).toBe(written);
  for (let i = 0; i < 200; i += 1) db.addNode('More');
  for (let i = 0; i < 1000; i += 1) db.getNode(1);
  expect(others().figures[0]!.written).toBe(written); // operations write none: only the clock does
  env.advance(1000);
  expect(others().figures[0]!.written).toBe(env.wallTimeMs());
  db.close();
  env.advance(10_000);
  expect(vfs.list('/')).toEqual(['graph.db']);
});

it('figures that cannot be written are a warning, once, and disturb nothing', () => {
  const { env, vfs, others } = world();
  const faulty = new FaultyVfs(vfs);
  const warnings: Warning[] = [];
  const db = GraphDB.open('/graph.db', { vfs: faulty, onWarning: (warning) => warnings.push(warning) });
  addSmallGraph(db);
  env.advance(500); // the right to write has been given back
  faulty.add({ op: 'pwrite', file: /-shm$/, action: 'EIO' });
  env.advance(5000);
  faulty.heal();
  expect(warnings).toMatchObject([{ code: 'SOMBRA_UPKEEP_FAILED', cause: { code: 'SOMBRA_IO' } }]);
  expect(others()).toEqual({ count: 1, figures: [] });
  db.addNode('More');
  env.advance(5000);
  expect([warnings.length, others().figures.length]).toEqual([1, 0]);
  db.close();
});

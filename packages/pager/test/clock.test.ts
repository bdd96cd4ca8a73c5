// Goal: no duration follows the time of day. Method: two connections on a file system in memory whose two clocks the test moves; the
// time of day steps back or forward in the middle of each wait, timer and limit, and everything takes as long as it should.
import { MemoryVfs } from '@sombra/vfs';
import { SimEnv } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { Pager, PagerOptions } from '../src/index.ts';
import { LOCK_BASE, LOCK_RECOVER } from '../src/sharing/locks.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

/** Whenever time passes, the clock is set as well. */
class UnsteadyEnv extends SimEnv {
  step = 0;

  override sleep(ms: number): void {
    super.sleep(ms);
    this.jumpWall(this.step);
  }
}

function scene(
  step: number,
  options: Partial<PagerOptions> = {},
): { env: UnsteadyEnv; vfs: MemoryVfs; pagers: [Pager, Pager] } {
  const env = new UnsteadyEnv({ seed: 1 });
  const vfs = new MemoryVfs({ env });
  const pagers: [Pager, Pager] = [
    openPager(options, new MortalVfs(vfs, 101)),
    openPager(options, new MortalVfs(vfs, 102)),
  ];
  env.step = step;
  return { env, vfs, pagers };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each([
  ['stands', 0],
  ['steps 5 s back', -5000],
  ['steps 2 minutes forward', 120_000],
])('while the time of day %s', (_name, step) => {
  test('a wait for the other writer takes busyTimeoutMs', () => {
    const { env, pagers } = scene(step, { busyTimeoutMs: 300 });
    const [a, b] = pagers;
    const tx = a.begin();
    const before = env.monotonicMs();
    expect(codeOf(() => b.begin())).toBe('SOMBRA_BUSY');
    expect(env.monotonicMs() - before).toBeGreaterThanOrEqual(300);
    expect(env.monotonicMs() - before).toBeLessThan(320);
    tx.rollback();
    write(b, (own) => newPage(own, 1));
    a.close();
    b.close();
  });

  test('an open waits busyTimeoutMs for one that recovers', () => {
    const { env, vfs, pagers } = scene(step);
    const file = vfs.open('t.db', { write: true });
    expect(file.tryLock(LOCK_BASE + LOCK_RECOVER, 1, 'exclusive')).toBe(true);
    const before = env.monotonicMs();
    expect(codeOf(() => openPager({ busyTimeoutMs: 300 }, new MortalVfs(vfs, 103)))).toBe('SOMBRA_BUSY');
    expect(env.monotonicMs() - before).toBeGreaterThanOrEqual(300);
    expect(env.monotonicMs() - before).toBeLessThan(400);
    file.close();
    for (const pager of pagers) pager.close();
  });

  test('a transaction ends at its limit, not before and not after', () => {
    const { env, pagers } = scene(step, { transactionTimeoutMs: 1000 });
    const [a, b] = pagers;
    const short = a.begin();
    newPage(short, 1);
    env.sleep(500);
    short.commit();
    const long = a.begin();
    newPage(long, 2);
    env.advance(900);
    env.jumpWall(step);
    expect(long.state).toBe('active');
    env.advance(200);
    expect(long.state).toBe('rolled-back');
    write(b, (tx) => newPage(tx, 3));
    a.close();
    b.close();
  });

  test('a writer that is idle gives WRITE up', async () => {
    const { env, pagers } = scene(step);
    const [a, b] = pagers;
    for (let i = 0; i < 3; i += 1) write(a, (tx) => newPage(tx, i)); // commits that follow each other keep it
    expect(codeOf(() => b.begin(0))).toBe('SOMBRA_BUSY');
    env.jumpWall(step);
    env.advance(10);
    await turn();
    write(b, (tx) => newPage(tx, 9));
    a.close();
    b.close();
  });

  test('a snapshot keeps a full log for readTimeoutMs', () => {
    const { env, pagers } = scene(step, { maxWalSizeMb: 0.1, readTimeoutMs: 1000 });
    const [writer, reader] = pagers;
    const page = write(writer, (tx) => newPage(tx, 0));
    const snapshot = reader.snapshot();
    for (let i = 1; i <= 60; i += 1)
      write(writer, (tx) => tx.setBytes(tx.edit(page), 100, new Uint8Array(3000).fill(i), 0, 3000));
    env.jumpWall(step);
    env.advance(600);
    expect(valueOf(snapshot, page)).toBe(0);
    env.advance(1000);
    expect(snapshot.closed).toBe(true);
    writer.close();
    reader.close();
  });

  test('a checkpoint is reported with the time that it took', () => {
    const told: number[] = [];
    const env = new UnsteadyEnv({ seed: 1 });
    const hooks = {
      commit: () => env.jumpWall(step),
      checkpoint: (_lsn: number, _pages: number, ms: number) => told.push(ms),
    };
    const pager = openPager({ hooks, checkpointAfterBytes: 1 }, new MemoryVfs({ env }));
    for (let i = 0; i < 5; i += 1) write(pager, (tx) => newPage(tx, i));
    env.jumpWall(step);
    pager.checkpoint();
    expect(told.length).toBeGreaterThan(0);
    expect(told.every((ms) => ms === 0)).toBe(true);
    expect(pager.stats().checkpointMs).toBe(0);
    pager.close();
  });

  test('an implicit view is renewed when it is older than it may be', () => {
    const { env, pagers } = scene(step);
    const [a, b] = pagers;
    const page = write(a, (tx) => newPage(tx, 1));
    env.advance(10);
    expect(valueOf(b.view, page)).toBe(1);
    write(a, (tx) => tx.setU32(tx.edit(page), 24, 2));
    env.sleep(50);
    b.freshen(100);
    expect(valueOf(b.view, page)).toBe(1);
    env.sleep(60);
    b.freshen(100);
    expect(valueOf(b.view, page)).toBe(2);
    a.close();
    b.close();
  });
});

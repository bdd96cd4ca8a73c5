// Goal: backups in S3 are what they are in a directory; where the server enforces no conditions that is told, and nothing is written. Method: over real HTTP against
// s3rver, alone and behind a server that enforces conditions.
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryVfs } from '@sombra/vfs';
import { openBackups, openObjectStore } from '../src/index.ts';
import type { Backups } from '../src/index.ts';
import { withConditions } from './support/conditions.ts';
import { examine, GraphLife } from './support/graphs.ts';
import { codeOf, contentOf, keysOf } from './support/objects.ts';
import { BUCKET, CREDENTIALS, startS3rver } from './support/s3rver.ts';
import type { RunningServer } from './support/s3rver.ts';

describe.each([true, false])('a server that enforces conditions: %s', (enforces) => {
  let server: RunningServer;
  beforeAll(async () => {
    const behind = await startS3rver();
    server = enforces ? await withConditions(behind) : behind;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    for (const [variable, value] of Object.entries(CREDENTIALS)) vi.stubEnv(variable, value);
  });
  const s3 = (): object => ({ endpoint: server.endpoint, maxAttempts: 2 });
  const open = (vfs: MemoryVfs, prefix: string, more = {}): Promise<Backups> =>
    openBackups(`s3://${BUCKET}/${prefix}`, { vfs, s3: s3(), ...more });

  test('full and incremental backups are made, verified, tested, restored and pruned', async () => {
    const vfs = new MemoryVfs();
    const life = new GraphLife(vfs, 'graph.db', 5);
    for (let i = 0; i < 20; i += 1) life.write(10);
    const backups = await open(vfs, 'all', enforces ? {} : { unenforcedConditions: 'check-first' });
    const made: { id: string; lsn: number }[] = [];
    for (let round = 0; round < 3; round += 1) {
      made.push(await backups.run(life.pager, { incremental: true }));
      life.write(5);
    }
    expect((await backups.list()).backups.map(({ kind }) => kind)).toEqual(['full', 'incremental', 'incremental']);
    for (const { error } of await backups.verify()) expect(error).toBeUndefined();
    expect(await backups.test('latest', { folder: '.' })).toMatchObject({ isClean: true });
    for (const { id, lsn } of made) {
      await backups.restore(id, `${id}.db`);
      expect(examine(vfs, `${id}.db`)).toEqual({ lsn, digest: life.states.get(lsn), problems: [] });
    }
    expect((await backups.prune({ retentionDays: 0 })).kept).toHaveLength(3);
    const store = await openObjectStore(`s3://${BUCKET}/all`, { s3: s3(), unenforcedConditions: 'check-first' });
    const key = `${made[0]!.id}.db.gz`;
    const bytes = Buffer.from(await contentOf(store, key));
    bytes[bytes.length >> 1]! ^= 4;
    await store.put(key, bytes);
    expect((await backups.verify()).map(({ error }) => error?.code)).toEqual(Array(3).fill('SOMBRA_BACKUP_DAMAGED'));
    expect(await codeOf(backups.restore('latest', 'x.db'))).toBe('SOMBRA_BACKUP_DAMAGED');
    backups.close();
    store.close();
    life.close();
  });

  test('without leave to race, a server that enforces nothing gets nothing', async () => {
    const vfs = new MemoryVfs();
    const life = new GraphLife(vfs, 'graph.db', 6);
    const backups = await open(vfs, 'refused');
    expect(await codeOf(backups.run(life.pager))).toBe(enforces ? 'no error' : 'SOMBRA_CONDITION_UNENFORCED');
    expect((await backups.list()).backups).toHaveLength(enforces ? 1 : 0);
    backups.close();
    life.close();
  });

  test('another bucket, other credentials and no server are told, and hold nothing', async () => {
    const vfs = new MemoryVfs();
    const life = new GraphLife(vfs, 'graph.db', 7);
    const wrong = await openBackups('s3://no-such-bucket/x', { vfs, s3: s3() });
    expect(await codeOf(wrong.run(life.pager))).toBe('SOMBRA_STORE_MISSING');
    const nobody = await openBackups(`s3://${BUCKET}/x`, {
      vfs,
      s3: { endpoint: 'http://127.0.0.1:1', maxAttempts: 1 },
    });
    expect(await codeOf(nobody.run(life.pager))).toBe('SOMBRA_STORE_UNREACHABLE');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'SOMEBODY');
    const stranger = await open(vfs, 'x');
    expect(await codeOf(stranger.run(life.pager))).toBe('SOMBRA_PERMISSION');
    expect(life.pager.stats().snapshots).toBe(0);
    const store = await openObjectStore(`s3://${BUCKET}/x`, { s3: s3() });
    vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.AWS_ACCESS_KEY_ID);
    const fresh = await openObjectStore(`s3://${BUCKET}/x`, { s3: s3() });
    expect(await keysOf(fresh)).toEqual([]);
    for (const one of [wrong, nobody, stranger, store, fresh]) one.close();
    life.close();
  });
});

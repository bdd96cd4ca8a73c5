// Goal: a second place gets every object of the first one, in their order, through outages and crashes, and a database can be restored from it alone.
// Method: backups into a mirror over folders in memory; the second place is taken away, or the process ends, in between.
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, test, vi } from 'vitest';
import { openBackups, openMirror, openObjectStore } from '../src/index.ts';
import type { JobEvent, MirroredStore, MirrorOptions, ObjectStore } from '../src/index.ts';
import { examine, GraphLife } from './support/graphs.ts';
import { allOf, codeOf, contentOf, keysOf } from './support/objects.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Places {
  readonly vfs: MemoryVfs;
  readonly first: () => Promise<ObjectStore>;
  readonly second: () => Promise<ObjectStore>;
}

function places(): Places {
  const vfs = new MemoryVfs();
  return { vfs, first: () => openObjectStore('first', { vfs }), second: () => openObjectStore('second', { vfs }) };
}

async function mirror({ vfs, first, second }: Places, more: Partial<MirrorOptions> = {}): Promise<MirroredStore> {
  return await openMirror(await first(), await second(), { vfs, jobs: 'jobs', retryMs: 1, retryMaxMs: 2, ...more });
}

/** Contents of a place by key, but for locks. */
async function contents(store: ObjectStore): Promise<Record<string, string>> {
  const keys = (await keysOf(store)).filter((key) => !key.endsWith('.lock'));
  const pairs = await Promise.all(
    keys.map(async (key) => [key, new TextDecoder().decode(await contentOf(store, key))]),
  );
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** A place that fails while it is told to, and notes what was put. */
class Shaky {
  fails = false;
  readonly keys: string[] = [];
  readonly store: ObjectStore;

  constructor(inner: ObjectStore) {
    this.store = Object.assign(Object.create(inner) as ObjectStore, {
      list: (...given: Parameters<ObjectStore['list']>) => {
        if (this.fails) throw new Error('the line is cut');
        return inner.list(...given);
      },
      put: async (...[key, body, options]: Parameters<ObjectStore['put']>) => {
        if (this.fails) throw new Error('the line is cut');
        this.keys.push(key);
        return await inner.put(key, body, options);
      },
    });
  }
}

describe('a mirror', () => {
  test('brings objects over in their order, deletes what is deleted, and leaves locks where they are', async () => {
    const there = places();
    const shaky = new Shaky(await there.second());
    const store = await openMirror(await there.first(), shaky.store, { vfs: there.vfs, jobs: 'jobs' });
    for (const key of ['b', 'a', 'c/d', 'x.lock', 'c/e']) await store.put(key, bytes(`of ${key}`));
    await store.put('a', bytes('again'));
    await store.delete('c/d');
    await store.put('c/d', bytes('back'));
    await store.idle();
    expect(shaky.keys.filter((key, at) => shaky.keys.indexOf(key) === at)).toEqual(['b', 'a', 'c/d', 'c/e']);
    const copy = await there.second();
    expect(await contents(copy)).toEqual({ a: 'again', b: 'of b', 'c/d': 'back', 'c/e': 'of c/e' });
    expect(await keysOf(copy)).not.toContain('x.lock');
    expect(await keysOf(store)).toContain('x.lock');
    await store.end();
  });

  test('goes on after an outage; whoever writes notices nothing of it', async () => {
    const there = places();
    const shaky = new Shaky(await there.second());
    const events: JobEvent[] = [];
    const onEvent = (event: JobEvent): unknown => events.push(event);
    const store = await openMirror(await there.first(), shaky.store, {
      vfs: there.vfs,
      jobs: 'jobs',
      retryMs: 1,
      retryMaxMs: 2,
      onEvent,
    });
    await store.idle(); // the places have been compared
    shaky.fails = true;
    for (const key of ['1', '2', '3']) await store.put(key, bytes(key));
    await vi.waitFor(() => expect(events.filter(({ event }) => event === 'failed').length).toBeGreaterThan(2));
    expect(store.stats()).toMatchObject({ waiting: 2, running: 1, done: 1 });
    shaky.fails = false;
    await store.idle();
    expect(shaky.keys).toEqual(['1', '2', '3']);
    await store.end();
  });

  test('opens while the second place cannot be reached, and compares them when it can', async () => {
    const there = places();
    await (await there.first()).put('before', bytes('1'));
    const shaky = new Shaky(await there.second());
    shaky.fails = true;
    const store = await openMirror(await there.first(), shaky.store, {
      vfs: there.vfs,
      jobs: 'jobs',
      retryMs: 1,
      retryMaxMs: 2,
    });
    await store.put('after', bytes('2'));
    await vi.waitFor(() => expect(store.stats().done + store.stats().running).toBeGreaterThan(0));
    shaky.fails = false;
    await store.idle();
    expect(await contents(await there.second())).toEqual({ before: '1', after: '2' });
    await store.end();
  });

  test('opened again brings what is missing, also what was written past it, and leaves what only the copy has', async () => {
    const there = places();
    const shaky = new Shaky(await there.second());
    shaky.fails = true;
    let store = await openMirror(await there.first(), shaky.store, { vfs: there.vfs, jobs: 'jobs', retryMs: 1 });
    await store.put('waits', bytes('1'));
    await store.end();
    await (await there.first()).put('past', bytes('2'));
    await (await there.second()).put('old', bytes('3'));
    for (let times = 0; times < 2; times += 1) {
      store = await mirror(there);
      await store.idle();
      expect(store.stats().done).toBeGreaterThanOrEqual(times === 0 ? 3 : 1);
      await store.end();
    }
    expect(await contents(await there.second())).toEqual({ waits: '1', past: '2', old: '3' });
  });

  test('that cannot be opened closes both places, and leaves no lock', async () => {
    const there = places();
    const store = await mirror(there);
    await store.idle();
    expect(await codeOf(mirror(there))).toBe('SOMBRA_BUSY');
    await store.end();
    expect(await codeOf(mirror(there, { other: 1 } as never))).toBe('SOMBRA_OPTION');
    await (await mirror(there)).end();
  });
});

test('backups and the archive of a log restore from the copy alone', async () => {
  const there = places();
  const { vfs } = there;
  vfs.mkdir('data');
  const life = new GraphLife(vfs, 'data/graph.db', 3);
  for (let i = 0; i < 4; i += 1) life.write();
  const store = await mirror(there);
  const backups = await openBackups(store, { vfs });
  await backups.run(life.pager);
  for (let i = 0; i < 4; i += 1) life.write();
  await backups.run(life.pager, { incremental: true });
  await store.idle();
  await store.end();
  const copies = await openBackups('second', { vfs });
  const { lsn } = await copies.restore('latest', 'restored.db');
  expect([lsn, examine(vfs, 'restored.db')]).toEqual([
    life.lsn,
    { lsn: life.lsn, digest: life.states.get(life.lsn), problems: [] },
  ]);
  expect((await copies.verify()).map(({ error }) => error)).toEqual([undefined, undefined]);
  expect((await allOf((await there.second()).list())).map(({ key }) => key)).not.toContain('backup.lock');
  copies.close();
  life.close();
});

// Goal: whatever a power loss or a kill leaves of a directory, each object is old or new as a whole, what was acknowledged is there, ifAbsent replaced
// nothing, and the store goes on. Method: random scripts of all writing calls on a simulated disk; a crash before every operation, each under
// several policies, and a kill; each image is opened, compared with what may be there, swept, and written to.
import { CRASH_POLICIES, Random, seeds, SimDisk } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { openObjectStore } from '../src/index.ts';
import type { ObjectStore, PutOptions } from '../src/index.ts';
import { allOf, codeOf, contentOf, textOf } from './support/objects.ts';

const KEYS = ['a', 'b', 'd/a', 'd/b', 'd/e/f'];
const STEPS = 16;
/** More than one write, and not a multiple of a sector. */
const SIZE_MAX = 3000;

/** What a crash may leave of each key: texts, undefined for no object. The newest is what was acknowledged, or is being written. */
type Allowed = Map<string, (string | undefined)[]>;

async function examine(image: SimDisk, allowed: Allowed, what: string): Promise<void> {
  const store = await openObjectStore('store', { vfs: image });
  const found = new Map<string, string>();
  for (const { key, size } of await allOf(store.list())) {
    const text = textOf(await contentOf(store, key));
    expect(text.length, `${what}: size of ${key}`).toBe(size);
    found.set(key, text);
  }
  for (const [key, texts] of allowed) {
    const text = found.get(key);
    if (!texts.includes(text)) expect.fail(`${what}: ${key} is ${String(text).slice(0, 40)} (${text?.length} bytes)`);
    found.delete(key);
  }
  expect([...found.keys()], what).toEqual([]);
  await store.put('d/after', Buffer.from('after'));
  expect(textOf(await contentOf(store, 'd/after'))).toBe('after');
  await store.sweep();
  expect(
    image.list('store/.sombra').filter((name) => name !== 'lock'),
    what,
  ).toEqual([]);
}

/** @returns images that were examined */
async function sweep(seed: number): Promise<number> {
  const random = new Random(seed);
  const dice = random.fork('load');
  const disk = new SimDisk({ seed });
  const allowed: Allowed = new Map(KEYS.map((key) => [key, [undefined]]));
  const images: { image: SimDisk; allowed: Allowed; what: string }[] = [];
  disk.onOperation = (operation, kind, path) => {
    // A snapshot: what is allowed changes as the script goes on, and objects are read asynchronously.
    const now = new Map([...allowed].map(([key, texts]) => [key, [...texts]]));
    const what = `seed ${seed}, before operation ${operation} (${kind} ${path})`;
    for (const turn of [0, 1, 2]) {
      const policy = CRASH_POLICIES[(operation * 3 + turn) % CRASH_POLICIES.length]!;
      const image = disk.crash(policy, random.fork(`${operation} ${turn}`));
      images.push({ image, allowed: now, what: `${what}, ${JSON.stringify(policy)}` });
    }
    images.push({ image: disk.kill(), allowed: now, what: `${what}, killed` });
  };
  const store: ObjectStore = await openObjectStore('store', { vfs: disk });
  for (let step = 0; step < STEPS; step += 1) {
    const key = dice.pick(KEYS);
    const text = `${step}:`.padEnd(1 + dice.below(SIZE_MAX), String.fromCharCode(97 + (step % 26)));
    const before = allowed.get(key)!.at(-1);
    const etag = (await store.head(key))?.etag;
    const way = dice.pick(['put', 'ifAbsent', 'ifUnchanged', 'stale', 'delete'] as const);
    // Refused: neither now nor after a crash may the object be another one.
    const isRefused =
      (way === 'ifAbsent' && before !== undefined) || way === 'stale' || (way === 'ifUnchanged' && etag === undefined);
    const after = way === 'delete' ? undefined : text;
    if (!isRefused) allowed.set(key, [before, after]);
    const options: PutOptions =
      way === 'ifAbsent'
        ? { ifAbsent: true }
        : way === 'stale' || way === 'ifUnchanged'
          ? { ifUnchanged: way === 'stale' ? 'other' : (etag ?? 'none') }
          : {};
    const code = await codeOf(way === 'delete' ? store.delete(key) : store.put(key, Buffer.from(text), options));
    const refusal = way === 'ifAbsent' ? 'SOMBRA_OBJECT_EXISTS' : 'SOMBRA_OBJECT_CHANGED';
    expect(code, `step ${step}, ${way}`).toBe(isRefused ? refusal : 'no error');
    if (!isRefused) allowed.set(key, [after]);
  }
  disk.onOperation = undefined;
  for (const { image, allowed: then, what } of images) await examine(image, then, what);
  await examine(disk.crash('none', random), allowed, `seed ${seed}, at the end`);
  return images.length;
}

test.each(seeds(2))('seed %i: a crash before every operation', async (seed) => {
  expect(await sweep(seed)).toBeGreaterThan(200);
});

test('canary: a disk whose syncs of directories do nothing is found out', async () => {
  const disk = new SimDisk({ seed: 1 });
  const syncs = disk.syncDir.bind(disk);
  disk.syncDir = (directory) => (directory === 'store' ? undefined : syncs(directory));
  const store = await openObjectStore('store', { vfs: disk });
  await store.put('a', Buffer.from('new'));
  const allowed: Allowed = new Map([['a', ['new']]]);
  await expect(examine(disk.crash('none', new Random(1)), allowed, 'canary')).rejects.toThrow('canary: a is undefined');
});

// Goal: what holds for directories only: modes, links, drafts of the dead, places that vanish. Method: small scripts on the real file system.
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { openObjectStore } from '../src/index.ts';
import { codeOf, contentOf, keysOf, textOf } from './support/objects.ts';
import { folder } from './support/folder.ts';

const bytes = Buffer.from('bytes');

/** A network file system: there are locks, but they cannot be relied on. */
class NetworkVfs extends MemoryVfs {
  override isNetwork(): boolean {
    return true;
  }
}

test('files are for their owner alone, whatever the umask', async () => {
  const root = join(folder(), 'store');
  const before = process.umask(0);
  try {
    const store = await openObjectStore(root);
    await store.put('a/b', bytes);
    await store.put('a/c', bytes, { ifAbsent: true });
  } finally {
    process.umask(before);
  }
  const mode = (path: string): number => statSync(join(root, path)).mode & 0o7777;
  expect(['.', 'a', '.sombra'].map(mode)).toEqual([0o700, 0o700, 0o700]);
  expect(['a/b', 'a/c', '.sombra/lock'].map(mode)).toEqual([0o600, 0o600, 0o600]);
});

test('a path, one with / at its end, and a file: URL mean the same', async () => {
  const root = join(folder(), 'a store');
  await (await openObjectStore(root)).put('a', bytes);
  for (const location of [`${root}/`, pathToFileURL(root).href]) {
    const store = await openObjectStore(location);
    expect([store.location, await keysOf(store)]).toEqual([root, ['a']]);
  }
  for (const location of ['', 'http://host/path', 'ftp://user:secret@host/'])
    expect(await codeOf(openObjectStore(location))).toBe('SOMBRA_STORE_URL');
  expect(await codeOf(openObjectStore(root, { s3: {} }))).toBe('SOMBRA_OPTION');
  expect(await codeOf(openObjectStore(root, { unenforcedConditions: 'ignore' as 'refuse' }))).toBe('SOMBRA_OPTION');
});

test('reading makes nothing, the first object makes the directory, and one that vanished is not made again', async () => {
  const root = join(folder(), 'store');
  const store = await openObjectStore(root);
  expect([await keysOf(store), await store.head('a'), await store.sweep()]).toEqual([[], undefined, 0]);
  await store.delete('a');
  expect(existsSync(root)).toBe(false);
  await store.put('a', bytes);
  rmSync(root, { recursive: true });
  for (const call of [
    () => store.put('a', bytes),
    () => store.get('a'),
    () => store.head('a'),
    () => store.delete('a'),
    () => keysOf(store),
    () => store.sweep(),
  ])
    expect(await codeOf(call())).toBe('SOMBRA_STORE_MISSING');
  expect(existsSync(root)).toBe(false);
  const deep = await openObjectStore(join(root, 'no', 'such'));
  expect(await codeOf(deep.put('a', bytes))).toBe('SOMBRA_STORE_MISSING');
  writeFileSync(root, '');
  expect(await codeOf(store.put('a', bytes))).toBe('SOMBRA_STORE_MISSING');
});

test('no symbolic link is followed below the directory', async () => {
  const outside = folder();
  writeFileSync(join(outside, 'secret'), 'secret');
  const root = join(folder(), 'store');
  const store = await openObjectStore(root);
  await store.put('a', bytes);
  symlinkSync(outside, join(root, 'out'));
  symlinkSync(join(outside, 'secret'), join(root, 'link'));
  expect(await keysOf(store)).toEqual(['a']);
  for (const key of ['out/secret', 'link']) {
    expect(await codeOf(store.get(key))).toBe('SOMBRA_OBJECT_MISSING');
    expect(await store.head(key)).toBe(undefined);
    expect(await codeOf(store.put(key, bytes))).toBe('SOMBRA_OBJECT_KEY');
    expect(await codeOf(store.put(key, bytes, { ifAbsent: true }))).toBe('SOMBRA_OBJECT_KEY');
    await store.delete(key);
  }
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(readdirSync(join(root, '.sombra'))).toEqual(['lock']);
});

test('the directory itself may be named by a link', async () => {
  const root = folder();
  mkdirSync(join(root, 'real'));
  symlinkSync(join(root, 'real'), join(root, 'link'));
  const store = await openObjectStore(join(root, 'link'));
  await store.put('a', bytes);
  expect(readdirSync(join(root, 'real')).sort()).toEqual(['.sombra', 'a']);
});

test('a link in the place of the own folder is refused', async () => {
  const outside = folder();
  const root = folder();
  symlinkSync(outside, join(root, '.sombra'));
  const store = await openObjectStore(root);
  expect(await codeOf(store.put('a', bytes))).toBe('SOMBRA_OBJECT_KEY');
  expect(readdirSync(outside)).toEqual([]);
});

test('what other programs put there can be read, listed, replaced and deleted', async () => {
  const root = folder();
  mkdirSync(join(root, 'd'));
  writeFileSync(join(root, 'd', 'copied'), 'copied');
  writeFileSync(join(root, 'd', 'new\nline'), '');
  const store = await openObjectStore(root);
  expect(await keysOf(store)).toEqual(['d/copied']);
  const { etag } = (await store.head('d/copied'))!;
  await store.put('d/copied', bytes, { ifUnchanged: etag });
  expect(textOf(await contentOf(store, 'd/copied'))).toBe('bytes');
  await store.delete('d/copied');
  expect(await keysOf(store)).toEqual([]);
});

test('a sweep removes drafts of the dead, and none that is being written', async () => {
  const root = folder();
  const store = await openObjectStore(root);
  await store.put('a', bytes);
  const own = join(root, '.sombra');
  writeFileSync(join(own, 'put-0123'), 'left by a writer that was killed');
  linkSync(join(root, 'a'), join(own, 'put-4567')); // by one that died behind the link
  let swept: number | undefined;
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    yield bytes;
    swept = await (await openObjectStore(root)).sweep({ olderThanMs: 0 });
    yield bytes;
  }
  await store.put('b', body());
  expect(swept).toBe(2);
  expect(readdirSync(own)).toEqual(['lock']);
  expect([textOf(await contentOf(store, 'a')), textOf(await contentOf(store, 'b'))]).toEqual(['bytes', 'bytesbytes']);
});

test('without locks to rely on: ifUnchanged is refused or raced for, ifAbsent holds, drafts are judged by their age', async () => {
  const vfs = new NetworkVfs();
  const store = await openObjectStore('store', { vfs });
  expect(await store.conditionalWrites()).toEqual({ ifAbsent: true, ifUnchanged: false });
  const { etag } = await store.put('a', bytes, { ifAbsent: true });
  expect(await codeOf(store.put('a', bytes, { ifAbsent: true }))).toBe('SOMBRA_OBJECT_EXISTS');
  expect(await codeOf(store.put('a', bytes, { ifUnchanged: etag }))).toBe('SOMBRA_CONDITION_UNENFORCED');
  const racing = await openObjectStore('store', { vfs, unenforcedConditions: 'check-first' });
  await racing.put('a', Buffer.from('new'), { ifUnchanged: etag });
  expect(await codeOf(racing.put('a', bytes, { ifUnchanged: etag }))).toBe('SOMBRA_OBJECT_CHANGED');
  vfs.open('store/.sombra/put-0123', { write: true, create: true }).close();
  expect(await store.sweep()).toBe(0);
  expect(await store.sweep({ olderThanMs: 0 })).toBe(1);
  expect(vfs.list('store/.sombra')).toEqual([]);
});

test('without second names for files ifAbsent holds under the lock', async () => {
  class NoLinks extends MemoryVfs {
    override link(_from: string, to: string): void {
      const error = new Error('no links');
      throw Object.assign(error, { code: 'SOMBRA_IO', details: { errno: 'ENOTSUP', op: 'link', path: to } });
    }
  }
  const vfs = new NoLinks();
  const store = await openObjectStore('store', { vfs });
  expect(await store.conditionalWrites()).toEqual({ ifAbsent: true, ifUnchanged: true });
  const puts = ['1', '2', '3'].map((text) => codeOf(store.put('a', Buffer.from(text), { ifAbsent: true })));
  expect((await Promise.all(puts)).sort()).toEqual(['SOMBRA_OBJECT_EXISTS', 'SOMBRA_OBJECT_EXISTS', 'no error']);
  class Neither extends NoLinks {
    override isNetwork(): boolean {
      return true;
    }
  }
  const other = await openObjectStore('store', { vfs: new Neither() });
  expect(await other.conditionalWrites()).toEqual({ ifAbsent: false, ifUnchanged: false });
  expect(await codeOf(other.put('a', bytes, { ifAbsent: true }))).toBe('SOMBRA_CONDITION_UNENFORCED');
  expect(await keysOf(other)).toEqual([]);
});

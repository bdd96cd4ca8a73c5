// Opening small key-value stores in tests. Whatever a test did, its store must be sound at the end.
import { MemoryVfs } from '@sombra/vfs';
import { expect } from 'vitest';
import { KeyValueStore, type KeyValueReader, type KeyValueStoreOptions, type RangeOptions } from '../../src/index.ts';
import { text } from './entries.ts';
import { SMALL } from './open.ts';

export function openStore(vfs = new MemoryVfs(), options: Partial<KeyValueStoreOptions> = {}): KeyValueStore {
  return KeyValueStore.open({ vfs, ...SMALL, ...options });
}

/** Runs a test on a new store, which must be sound at its end, also after it was opened again. */
export function withStore(
  run: (store: KeyValueStore, vfs: MemoryVfs) => void,
  options: Partial<KeyValueStoreOptions> = {},
): void {
  const vfs = new MemoryVfs();
  const store = openStore(vfs, options);
  run(store, vfs);
  if (!store.closed) {
    expect(store.stats().pager.snapshots).toBe(0);
    expect(store.check()).toEqual([]);
  }
  store.close();
  const again = openStore(vfs, options);
  expect(again.check()).toEqual([]);
  again.close();
  expect(vfs.list('.')).toEqual([SMALL.path]);
}

/** Entries of a range, one character for each byte. */
export function entriesIn(reader: KeyValueReader, range?: RangeOptions): [key: string, value: string][] {
  return Array.from(reader.entries(range), ({ key, value }) => [text(key), text(value)]);
}

/** Keys of a range, one character for each byte. */
export function keysIn(reader: KeyValueReader, range?: RangeOptions): string[] {
  return Array.from(reader.keys(range), text);
}

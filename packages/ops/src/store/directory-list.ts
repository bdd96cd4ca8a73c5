import type { Vfs } from '@sombra/vfs';
import { throwIfAborted } from '../base/abort.ts';
import { compareKeys, isKey } from '../base/keys.ts';
import type { ObjectEntry } from '../base/object-store.ts';
import { nextTurn } from '../base/pause.ts';
import { errnoOf } from './directory-places.ts';
import type { Places } from './directory-places.ts';

/** Names that are looked at before the event loop turns. */
const NAMES_PER_TURN = 256;

/** Goes through the folders in the order of keys, and keeps the names of one folder for each level. */
export class DirectoryList {
  private readonly vfs: Vfs;
  private readonly places: Places;
  private readonly prefix: string;
  private readonly signal: AbortSignal | undefined;
  private seen = 0;

  constructor(vfs: Vfs, places: Places, prefix: string, signal: AbortSignal | undefined) {
    this.vfs = vfs;
    this.places = places;
    this.prefix = prefix;
    this.signal = signal;
  }

  async *entries(): AsyncGenerator<ObjectEntry, void, undefined> {
    if (this.places.hasRoot()) yield* this.below('');
  }

  /** @param folder  empty, or a key with `/` at its end */
  private async *below(folder: string): AsyncGenerator<ObjectEntry, void, undefined> {
    for (const { name, isFolder } of this.namesIn(folder)) {
      throwIfAborted(this.signal);
      this.seen += 1;
      if (this.seen % NAMES_PER_TURN === 0) await nextTurn(this.vfs.env);
      const key = `${folder}${name}`;
      if (isFolder) {
        yield* this.below(`${key}/`);
        continue;
      }
      // Gone, or become something else, since the names were read.
      const id = this.vfs.stat(this.places.pathOf(key));
      if (id?.kind === 'file') yield { key, size: id.size, modifiedMs: id.modifiedMs };
    }
  }

  /** What lies in a folder and may match, in the order of keys: a folder sorts as its name with `/`. */
  private namesIn(folder: string): { name: string; isFolder: boolean }[] {
    const path = folder === '' ? this.places.directory : this.places.pathOf(folder.slice(0, -1));
    const found = this.list(path).flatMap((name) => {
      const key = `${folder}${name}`;
      if (!isKey(key) || !this.mayMatch(key)) return [];
      const kind = this.vfs.stat(this.places.pathOf(key))?.kind;
      const matches = kind === 'directory' || (kind === 'file' && key.startsWith(this.prefix));
      return matches ? [{ name, isFolder: kind === 'directory' }] : [];
    });
    const sorted = (entry: { name: string; isFolder: boolean }): string => `${entry.name}${entry.isFolder ? '/' : ''}`;
    return found.sort((a, b) => compareKeys(sorted(a), sorted(b)));
  }

  private mayMatch(key: string): boolean {
    return key.startsWith(this.prefix) || this.prefix.startsWith(`${key}/`);
  }

  private list(path: string): string[] {
    try {
      return this.vfs.list(path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []; // a folder that was removed meanwhile
      throw error;
    }
  }
}

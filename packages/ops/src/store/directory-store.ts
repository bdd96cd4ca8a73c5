/**
 * Objects as files of a directory; the key is the path in it. The commit point of `put` is a rename, or with `ifAbsent` a link, which fails when
 * the name is taken, whoever took it.
 *
 * Invariants:
 * 1. A name of an object means a file whose bytes are durable and never change.
 * 2. Files and names are changed by `put`, `delete` and `sweep` only; reading changes nothing.
 * 3. Looking at an object and replacing it, in `put` with `ifUnchanged`, happens under the lock under which every other rename and removal does.
 */
import { directoryOf, preadFully, syncDirectory, withDirectory } from '@sombra/vfs';
import type { FileId, Vfs, VfsFile } from '@sombra/vfs';
import { throwIfAborted } from '../base/abort.ts';
import { checkCount, checkOptions, checkPutOptions, checkRange } from '../base/check-options.ts';
import { checkKey, checkPrefix } from '../base/keys.ts';
import { conditionUnenforced, objectChanged, objectExists, objectMissing } from '../base/object-errors.ts';
import type {
  ByteRange,
  CallOptions,
  ConditionalWrites,
  GetOptions,
  ObjectBody,
  ObjectEntry,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  StoredObject,
  SweepOptions,
} from '../base/object-store.ts';
import { nextTurn } from '../base/pause.ts';
import { PIECE } from '../base/pieces.ts';
import { Draft, release, sweepDrafts } from './directory-draft.ts';
import { etagOf, shrunk } from './directory-etag.ts';
import { DirectoryList } from './directory-list.ts';
import { exclusively } from './directory-lock.ts';
import { errnoOf, Places } from './directory-places.ts';
import type { UnenforcedConditions } from './unenforced.ts';

const DAY_MS = 86_400_000;
/** Errors of a file system that has no second names for files. */
const NO_LINKS = new Set<unknown>(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export class DirectoryStore implements ObjectStore {
  private readonly vfs: Vfs;
  private readonly places: Places;
  private readonly unenforced: UnenforcedConditions;
  private isLockable: boolean | undefined;

  constructor(vfs: Vfs, directory: string, unenforced: UnenforcedConditions) {
    this.vfs = vfs;
    this.places = new Places(vfs, directory);
    this.unenforced = unenforced;
  }

  /** Can locks be relied on? Asked when the directory is there. */
  private get lockable(): boolean {
    this.isLockable ??= this.vfs.locksAvailable && !this.vfs.isNetwork(this.places.directory);
    return this.isLockable;
  }

  get location(): string {
    return this.places.directory;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key);
    checkPutOptions(options);
    const { ifAbsent, ifUnchanged, signal } = options;
    throwIfAborted(signal);
    this.places.prepare(key);
    if (ifUnchanged !== undefined && !this.lockable) this.acceptRace('ifUnchanged');
    // At once, so that nothing large is written in vain; it is looked at again when it counts.
    this.places.checkWay(key);
    if (ifAbsent === true && this.places.find(key) !== null) throw objectExists(this.location, key);
    const draft = Draft.begin(this.vfs, this.places.ownFolder, this.lockable);
    try {
      const result = await draft.fill(body, signal);
      throwIfAborted(signal);
      if (ifAbsent === true) await this.linkIfAbsent(draft, key, signal);
      else await this.replace(draft, key, options);
      return result;
    } finally {
      draft.discard();
    }
  }

  private async linkIfAbsent(draft: Draft, key: string, signal: AbortSignal | undefined): Promise<void> {
    const path = this.places.pathOf(key);
    this.places.checkWay(key);
    const isLinked = withDirectory(this.vfs, directoryOf(path), (directory) => {
      try {
        this.vfs.link(draft.path, path);
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') throw objectExists(this.location, key);
        if (NO_LINKS.has(errnoOf(error))) return false;
        throw error;
      }
      directory.sync();
      return true;
    });
    if (isLinked) return;
    if (!this.lockable) this.acceptRace('ifAbsent');
    await this.replace(draft, key, { ifAbsent: true, signal });
  }

  /** Gives the draft the name of the object, if the condition holds. */
  private async replace(draft: Draft, key: string, { ifAbsent, ifUnchanged, signal }: PutOptions): Promise<void> {
    const path = this.places.pathOf(key);
    await this.locked(signal, () => {
      this.places.checkWay(key);
      if (ifAbsent === true && this.places.find(key) !== null) throw objectExists(this.location, key);
      if (ifUnchanged !== undefined && this.etagNow(key) !== ifUnchanged) throw objectChanged(this.location, key);
      withDirectory(this.vfs, directoryOf(path), (directory) => {
        this.vfs.rename(draft.path, path);
        directory.sync();
      });
    });
  }

  // Asynchronous although reading a file is not: whatever is thrown becomes a rejection.
  async get(key: string, options: GetOptions = {}): Promise<StoredObject> {
    checkKey(key);
    checkOptions('get', options, ['range', 'signal']);
    const { range = { offset: 0 }, signal } = options;
    checkRange(range);
    throwIfAborted(signal);
    const opened = this.open(key);
    if (opened === undefined) throw objectMissing(this.location, key);
    const { file, id } = opened;
    try {
      const info = { key, size: id.size, etag: etagOf(file, id), modifiedMs: id.modifiedMs };
      return { ...info, body: this.read(file, id.size, range, signal), close: () => release(file) };
    } catch (error) {
      release(file);
      throw error;
    }
  }

  private async *read(
    file: VfsFile,
    size: number,
    { offset, length = size }: ByteRange,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      const end = Math.min(size, offset + length);
      for (let at = offset; at < end; ) {
        throwIfAborted(signal);
        const piece = new Uint8Array(Math.min(PIECE, end - at));
        if (preadFully(file, piece, at) < piece.length) throw shrunk(file.path);
        at += piece.length;
        yield piece;
        await nextTurn(this.vfs.env);
      }
    } finally {
      release(file);
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key);
    checkOptions('head', options, ['signal']);
    throwIfAborted(options.signal);
    const opened = this.open(key);
    if (opened === undefined) return undefined;
    const { file, id } = opened;
    try {
      return { key, size: id.size, etag: etagOf(file, id), modifiedMs: id.modifiedMs };
    } finally {
      release(file);
    }
  }

  async *list(prefix = '', options: CallOptions = {}): AsyncGenerator<ObjectEntry, void, undefined> {
    checkPrefix(prefix);
    checkOptions('list', options, ['signal']);
    yield* new DirectoryList(this.vfs, this.places, prefix, options.signal).entries();
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    checkKey(key);
    checkOptions('delete', options, ['signal']);
    throwIfAborted(options.signal);
    if (this.places.find(key) === null) return this.settleAbsence(key);
    this.places.prepare(key);
    await this.locked(options.signal, () => {
      const path = this.places.pathOf(key);
      withDirectory(this.vfs, directoryOf(path), (directory) => {
        if (this.places.find(key) !== null) this.vfs.unlink(path);
        directory.sync();
      });
    });
  }

  /** Another process may have deleted it a moment ago, and not made that durable. */
  private settleAbsence(key: string): void {
    const folder = directoryOf(this.places.pathOf(key));
    if (this.vfs.stat(folder)?.kind === 'directory') syncDirectory(this.vfs, folder);
  }

  async conditionalWrites(options: CallOptions = {}): Promise<ConditionalWrites> {
    checkOptions('conditionalWrites', options, ['signal']);
    throwIfAborted(options.signal);
    return { ifAbsent: this.lockable || this.hasLinks(), ifUnchanged: this.lockable };
  }

  private hasLinks(): boolean {
    this.places.prepare('any');
    const draft = Draft.begin(this.vfs, this.places.ownFolder, false);
    const second = Draft.begin(this.vfs, this.places.ownFolder, false);
    second.discard(); // for its name
    try {
      this.vfs.link(draft.path, second.path);
      return true;
    } catch (error) {
      if (NO_LINKS.has(errnoOf(error))) return false;
      throw error;
    } finally {
      draft.discard();
      second.discard();
    }
  }

  async sweep(options: SweepOptions = {}): Promise<number> {
    checkOptions('sweep', options, ['olderThanMs', 'signal']);
    const { olderThanMs = DAY_MS, signal } = options;
    checkCount('olderThanMs', olderThanMs, 0);
    throwIfAborted(signal);
    if (!this.places.hasRoot()) return 0;
    const now = this.vfs.env.wallTimeMs();
    return sweepDrafts(this.vfs, this.places.ownFolder, this.lockable, now - olderThanMs);
  }

  close(): void {
    // Files are open only while a call or the body of an object needs them.
  }

  /** @returns undefined when there is no such object */
  private open(key: string): { file: VfsFile; id: FileId } | undefined {
    if (this.places.find(key) === null) return undefined;
    let file: VfsFile;
    try {
      file = this.vfs.open(this.places.pathOf(key), { write: false });
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined; // deleted a moment ago
      throw error;
    }
    try {
      return { file, id: file.stat() };
    } catch (error) {
      release(file);
      throw error;
    }
  }

  private etagNow(key: string): string | undefined {
    const opened = this.open(key);
    if (opened === undefined) return undefined;
    try {
      return etagOf(opened.file, opened.id);
    } finally {
      release(opened.file);
    }
  }

  private async locked<T>(signal: AbortSignal | undefined, section: () => T): Promise<T> {
    return this.lockable ? exclusively(this.vfs, `${this.places.ownFolder}/lock`, signal, section) : section();
  }

  /** @throws StateError SOMBRA_CONDITION_UNENFORCED unless races are accepted */
  private acceptRace(condition: 'ifAbsent' | 'ifUnchanged'): void {
    const why = this.vfs.locksAvailable
      ? 'it lies on a network file system, whose locks cannot be relied on'
      : 'there are no locks here';
    if (this.unenforced === 'refuse') throw conditionUnenforced(this.location, condition, why);
  }
}

/**
 * A file system over another one: whatever is written stays in memory, and the one below is only read. Recovery that runs on it
 * leaves the files as they are, and a connection opened through it sees them as if they had been recovered.
 *
 * Invariants:
 * 1. Nothing below is opened for writing, and no name below changes.
 * 2. A file of which no block was written costs no memory. Writing the bytes that are there already writes no block.
 *
 * No other connection may change the files meanwhile: the caller holds the locks, on a descriptor of the file system below.
 */
import { directoryOf, InvariantError, IoError, preadFully } from '@sombra/vfs';
import type { FileId, OpenMode, Vfs, VfsDirectory, VfsEnv, VfsFile } from '@sombra/vfs';
import { fileNameOf } from '../base/paths.ts';

/** Bytes that are kept together. */
const BLOCK = 4096;
const PERM_DEFAULT = 0o600;

/** One file: what is below, and what was written over it. */
class Content {
  readonly blocks = new Map<number, Uint8Array>();
  size: number;
  nlink: number;

  private readonly vfs: Vfs;
  /** Name below; null for a file that is only here. */
  private readonly path: string | null;
  private readonly id: FileId;
  /** Bytes of the file below that still count. */
  private below: number;
  private file: VfsFile | undefined;
  private descriptors = 0;

  constructor(vfs: Vfs, path: string | null, id: FileId) {
    this.vfs = vfs;
    this.path = path;
    this.id = id;
    this.size = id.size;
    this.below = path === null ? 0 : id.size;
    this.nlink = id.nlink;
  }

  opened(): void {
    // At once, so that what may not be read is refused now.
    if (this.path !== null) this.file ??= this.vfs.open(this.path, { write: false });
    this.descriptors += 1;
  }

  closed(): void {
    this.descriptors -= 1;
    if (this.descriptors > 0) return;
    this.file?.close();
    this.file = undefined;
  }

  get fileId(): FileId {
    return { ...this.id, size: this.size, nlink: this.nlink };
  }

  read(into: Uint8Array, at: number): number {
    const length = Math.max(0, Math.min(into.length, this.size - at));
    this.readBelow(into.subarray(0, length), at);
    if (this.blocks.size > 0) {
      this.eachBlock(at, length, (number, from, to, done) => {
        const block = this.blocks.get(number);
        if (block !== undefined) into.set(block.subarray(from, to), done);
      });
    }
    return length;
  }

  private readBelow(into: Uint8Array, at: number): void {
    const length = Math.max(0, Math.min(into.length, this.below - at));
    const read = length === 0 ? 0 : preadFully(this.file!, into.subarray(0, length), at);
    into.fill(0, read);
  }

  write(bytes: Uint8Array, at: number): void {
    if (this.holds(bytes, at)) return;
    this.size = Math.max(this.size, at + bytes.length);
    this.eachBlock(at, bytes.length, (number, from, to, done) =>
      this.block(number).set(bytes.subarray(done, done + to - from), from),
    );
  }

  private holds(bytes: Uint8Array, at: number): boolean {
    const known = new Uint8Array(bytes.length);
    if (this.read(known, at) < bytes.length) return false;
    for (let i = 0; i < bytes.length; i += 1) if (bytes[i] !== known[i]) return false;
    return true;
  }

  truncate(size: number): void {
    if (size < this.size) {
      const last = Math.floor(size / BLOCK);
      for (const number of [...this.blocks.keys()]) if (number > last) this.blocks.delete(number);
      this.blocks.get(last)?.fill(0, size % BLOCK);
      this.below = Math.min(this.below, size);
    }
    this.size = size;
  }

  private block(number: number): Uint8Array {
    let block = this.blocks.get(number);
    if (block === undefined) {
      block = new Uint8Array(BLOCK);
      this.readBelow(block, number * BLOCK);
      this.blocks.set(number, block);
    }
    return block;
  }

  /** Visits the parts of blocks that [at, at + length) covers; `done` counts the bytes before. */
  private eachBlock(
    at: number,
    length: number,
    visit: (number: number, from: number, to: number, done: number) => void,
  ): void {
    for (let done = 0; done < length; ) {
      const number = Math.floor((at + done) / BLOCK);
      const from = (at + done) % BLOCK;
      const to = Math.min(BLOCK, from + length - done);
      visit(number, from, to, done);
      done += to - from;
    }
  }
}

/** See the top of the file. */
export class CopyOnWriteVfs implements Vfs {
  readonly locksAvailable = false;
  readonly env: VfsEnv;

  private readonly base: Vfs;
  /** Names that were used: their content, null when the name was removed. */
  private readonly names = new Map<string, Content | null>();
  private created = 0n;

  /** @param base  read only */
  constructor(base: Vfs) {
    this.base = base;
    this.env = base.env;
  }

  open(path: string, mode: OpenMode): VfsFile {
    let content = this.find(path);
    if (content === null) {
      if (mode.create !== true) throw refusal('ENOENT', 'open', path);
      this.created += 1n;
      const id = {
        dev: 0n,
        ino: this.created,
        nlink: 1,
        size: 0,
        mode: mode.perm ?? PERM_DEFAULT,
        kind: 'file' as const,
        modifiedMs: this.env.wallTimeMs(),
      };
      content = new Content(this.base, null, id);
      this.names.set(path, content);
    } else if (mode.create === true && mode.exclusive === true) throw refusal('EEXIST', 'open', path);
    return new CopyOnWriteFile(path, content, mode.write);
  }

  stat(path: string): FileId | null {
    return this.find(path)?.fileId ?? null;
  }

  link(from: string, to: string): void {
    const content = this.named(from, 'link');
    if (this.find(to) !== null) throw refusal('EEXIST', 'link', to);
    content.nlink += 1;
    this.names.set(to, content);
  }

  rename(from: string, to: string): void {
    const content = this.named(from, 'rename');
    if (from === to) return;
    this.names.set(to, content);
    this.names.set(from, null);
  }

  unlink(path: string): void {
    this.named(path, 'unlink').nlink -= 1;
    this.names.set(path, null);
  }

  mkdir(_path: string): void {
    throw new InvariantError('a recovery makes no directories');
  }

  list(directory: string): string[] {
    const found = new Set(this.base.list(directory));
    for (const [path, content] of this.names) {
      if (directoryOf(path) !== directory) continue;
      if (content === null) found.delete(fileNameOf(path));
      else found.add(fileNameOf(path));
    }
    return [...found].sort();
  }

  openDirectory(_directory: string): VfsDirectory {
    return { sync: () => undefined, close: () => undefined };
  }

  syncDir(_directory: string): void {
    // Nothing written here is meant to last.
  }

  realpath(path: string): string {
    return this.base.realpath(path);
  }

  isNetwork(path: string): boolean {
    return this.base.isNetwork(path);
  }

  private find(path: string): Content | null {
    const known = this.names.get(path);
    if (known !== undefined) return known;
    const id = this.base.stat(path);
    if (id === null) return null;
    const content = new Content(this.base, path, id);
    this.names.set(path, content);
    return content;
  }

  private named(path: string, op: string): Content {
    const content = this.find(path);
    if (content === null) throw refusal('ENOENT', op, path);
    return content;
  }
}

function refusal(errno: 'ENOENT' | 'EEXIST' | 'EBADF', op: string, path: string): IoError {
  const what = { ENOENT: 'does not exist', EEXIST: 'exists', EBADF: 'is not open for this' }[errno];
  return new IoError('SOMBRA_IO', `${path} ${what} (${op})`, { details: { errno, op, path } });
}

/** A descriptor. */
class CopyOnWriteFile implements VfsFile {
  readonly path: string;
  private readonly content: Content;
  private readonly writable: boolean;
  private open = true;

  constructor(path: string, content: Content, writable: boolean) {
    content.opened();
    this.path = path;
    this.content = content;
    this.writable = writable;
  }

  pread(into: Uint8Array, at: number): number {
    this.check('pread', false);
    return this.content.read(into, at);
  }

  pwrite(buffers: readonly Uint8Array[], at: number): number {
    this.check('pwrite', true);
    let to = at;
    for (const bytes of buffers) {
      this.content.write(bytes, to);
      to += bytes.length;
    }
    return to - at;
  }

  truncate(size: number): void {
    this.check('truncate', true);
    this.content.truncate(size);
  }

  sync(): void {
    this.check('sync', false);
  }

  syncAsync(): Promise<void> {
    return new Promise((resolve) => {
      this.sync();
      resolve();
    });
  }

  stat(): FileId {
    this.check('stat', false);
    return this.content.fileId;
  }

  tryLock(): boolean {
    throw new InvariantError('locks belong to the file system below');
  }

  unlock(): void {
    throw new InvariantError('locks belong to the file system below');
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.content.closed();
  }

  private check(op: string, writes: boolean): void {
    if (!this.open || (writes && !this.writable)) throw refusal('EBADF', op, this.path);
  }
}

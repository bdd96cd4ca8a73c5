import { directoryOf } from '../names.ts';
import type { PendingName } from './crash-policy.ts';
import type { SimInode } from './sim-inode.ts';

/** A change of names that no directory sync covers. Names are whole normal paths. */
export interface NameOperation extends PendingName {
  readonly order: number;
  readonly inode: SimInode;
  /** Name that goes, if it still means this file. */
  readonly removes: string | null;
  /** Name that comes, in the place of whatever had it. */
  readonly adds: string | null;
}

interface Directory {
  readonly durable: Map<string, SimInode>;
  pending: NameOperation[];
}

function apply(names: Map<string, SimInode>, { inode, removes, adds }: NameOperation): void {
  if (removes !== null && names.get(removes) === inode) names.delete(removes);
  if (adds !== null) names.set(adds, inode);
}

/** The names of a disk: what lookups see, what is durable in each directory, what lies between. */
export class SimNames {
  /** What lookups see. */
  readonly current = new Map<string, SimInode>();
  private readonly directories = new Map<string, Directory>();
  /** Directories that were made: without their name, what is in them is gone. All others are there without a name. */
  private readonly made = new Set<string>();

  create(path: string, inode: SimInode, order: number): void {
    this.change({ kind: 'create', path, parts: 1, order, inode, removes: null, adds: path });
  }

  mkdir(path: string, inode: SimInode, order: number): void {
    this.made.add(path);
    this.change({ kind: 'mkdir', path, parts: 1, order, inode, removes: null, adds: path });
  }

  link(to: string, inode: SimInode, order: number): void {
    this.change({ kind: 'link', path: to, parts: 1, order, inode, removes: null, adds: to });
  }

  unlink(path: string, inode: SimInode, order: number): void {
    this.change({ kind: 'unlink', path, parts: 1, order, inode, removes: path, adds: null });
  }

  /** Within a directory one change; between two, each directory has its half. */
  rename(from: string, to: string, inode: SimInode, order: number): void {
    if (directoryOf(from) === directoryOf(to)) {
      this.change({ kind: 'rename', path: to, parts: 1, order, inode, removes: from, adds: to });
      return;
    }
    this.change({ kind: 'rename', path: to, parts: 1, order, inode, removes: null, adds: to });
    this.change({ kind: 'rename', path: from, parts: 1, order, inode, removes: from, adds: null });
  }

  private change(operation: NameOperation): void {
    const replaced = operation.adds === null ? undefined : this.current.get(operation.adds);
    if (replaced !== undefined) replaced.nlink -= 1;
    if (operation.adds !== null) operation.inode.nlink += 1;
    if (operation.removes !== null) operation.inode.nlink -= 1;
    apply(this.current, operation);
    const directory = this.directory(directoryOf(operation.path));
    directory.pending.push(operation);
  }

  /** Makes the names of a directory durable, or those that `keep` says, and forgets that they waited. */
  settle(path: string, keep: (operation: NameOperation) => boolean = () => true): void {
    const directory = this.directory(path);
    for (const operation of directory.pending) if (keep(operation)) apply(directory.durable, operation);
    directory.pending = [];
  }

  /** What waits, of all directories. */
  get pending(): NameOperation[] {
    return [...this.directories.values()].flatMap(({ pending }) => pending);
  }

  /** Every file that has a name, had one that is still durable, or may get one. */
  inodes(): Set<SimInode> {
    const inodes = new Set(this.current.values());
    for (const { durable, pending } of this.directories.values()) {
      for (const inode of durable.values()) inodes.add(inode);
      for (const { inode } of pending) inodes.add(inode);
    }
    return inodes;
  }

  /** Names after a power loss. @param operations  those that survive, in order */
  afterPowerLoss(operations: readonly NameOperation[]): Map<string, SimInode> {
    const names = new Map<string, SimInode>();
    for (const { durable } of this.directories.values()) for (const [name, inode] of durable) names.set(name, inode);
    for (const operation of operations) apply(names, operation);
    for (const name of [...names.keys()]) if (!this.isReachable(name, names)) names.delete(name);
    return names;
  }

  private isReachable(path: string, names: ReadonlyMap<string, SimInode>): boolean {
    const parent = directoryOf(path);
    if (parent === '.' || parent === '/') return true;
    return (!this.made.has(parent) || names.has(parent)) && this.isReachable(parent, names);
  }

  /** A name that is there and durable, on a new disk. */
  place(path: string, inode: SimInode): void {
    this.current.set(path, inode);
    if (inode.kind === 'directory') this.made.add(path);
    this.directory(directoryOf(path)).durable.set(path, inode);
    inode.nlink += 1;
  }

  /** The same names for copies of the files. */
  copy(copies: ReadonlyMap<SimInode, SimInode>): SimNames {
    const copy = new SimNames();
    for (const [path, inode] of this.current) {
      copy.current.set(path, copies.get(inode)!);
      copies.get(inode)!.nlink += 1;
    }
    for (const path of this.made) copy.made.add(path);
    for (const [path, { durable, pending }] of this.directories) {
      const directory = copy.directory(path);
      for (const [name, inode] of durable) directory.durable.set(name, copies.get(inode)!);
      directory.pending = pending.map((operation) => ({ ...operation, inode: copies.get(operation.inode)! }));
    }
    return copy;
  }

  private directory(path: string): Directory {
    let directory = this.directories.get(path);
    if (directory === undefined) {
      directory = { durable: new Map(), pending: [] };
      this.directories.set(path, directory);
    }
    return directory;
  }
}

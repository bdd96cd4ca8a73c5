/**
 * A disk that forgets. What is written can be read at once, but survives a power loss for certain only after a sync of the
 * file (data, size) and of the directory (names). Assumptions as in docs/ARCHITECTURE.md: a sync is honest until it fails,
 * sectors of 512 bytes are written whole or not at all, and nothing else has an order.
 */
import { encodeText } from '../text.ts';
import { xxh32 } from '../checksum.ts';
import { normalPath, pathIn } from '../memory-path.ts';
import { directoryOf } from '../names.ts';
import { likePerm } from '../permissions.ts';
import { systemError } from '../system-error.ts';
import type { Operation } from '../system-error.ts';
import type { FileId, FileKind, LockMode, OpenMode, SyncKind, Vfs, VfsDirectory, VfsFile } from '../vfs.ts';
import { chooseSurvivors } from './crash-policy.ts';
import type { CrashPolicy, Keep, PendingOperation } from './crash-policy.ts';
import { Random } from './random.ts';
import { SimCrash } from './sim-crash.ts';
import { SimEnv } from './sim-env.ts';
import type { SimulatedEnv } from './sim-env.ts';
import { fillerOf, SimInode } from './sim-inode.ts';
import type { DataOperation } from './sim-inode.ts';
import { SimNames } from './sim-names.ts';
import type { NameOperation } from './sim-names.ts';

/** Operations that change the disk or make it durable; they are counted. */
export type SimOperation =
  | 'create'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'pwrite'
  | 'truncate'
  | 'sync'
  | 'syncDir';

/** How a sync fails. What it should have made durable leaves the queue: no later sync brings it to the disk. */
export interface SyncFault {
  /** for example EIO */
  readonly errno: string;
  /** What reached the disk nevertheless. Default nothing; `some` is a random part. */
  readonly reached?: 'nothing' | 'some';
}

/** Called before a counted operation; what it throws, the caller gets instead of the operation. */
export type OperationHook = (count: number, operation: SimOperation, path: string) => void;

/** Size beyond which a file cannot grow, bytes. */
const SIZE_MAX = 2 ** 31;
const PERM_DEFAULT = 0o600;
const PERM_DIRECTORY = 0o700;
/** Removed files whose bytes may turn up again in blocks of others. */
const REMOVED_KEPT = 8;

let disks = 2n ** 32n;

export class SimDisk implements Vfs {
  readonly seed: number;
  readonly env: SimEnv;
  readonly locksAvailable: boolean = true;
  /** The first operation that does not happen any more: it and every later call throw SimCrash. Default: never. */
  crashAt = Infinity;
  onOperation: OperationHook | undefined;
  /** Asked at each sync of a file or directory; `sync` counts them from 1. */
  syncFault: ((path: string, sync: number) => SyncFault | undefined) | undefined;

  private readonly dev: bigint;
  private readonly generation: number;
  private readonly random: Random;
  private names = new SimNames();
  private removed: SimInode[] = [];
  private inodes = 0n;
  private count = 0;
  private syncs = 0;
  private hash: number;
  private stopped = false;

  /** @param options.seed  clock, randomness and partly failed syncs follow from it; default 1 */
  constructor(options: { seed?: number; generation?: number; wallTimeMs?: number } = {}) {
    this.seed = options.seed ?? 1;
    this.generation = options.generation ?? 0;
    const root = new Random(this.seed).fork(`boot ${this.generation}`);
    this.random = root.fork('disk');
    const pid = 1001 + this.generation;
    this.env = new SimEnv({
      seed: root.fork('env').seed,
      pid,
      ...(options.wallTimeMs === undefined ? {} : { wallTimeMs: options.wallTimeMs }),
    });
    this.hash = this.seed >>> 0;
    disks += 1n;
    this.dev = disks;
  }

  /** Number of counted operations so far. */
  get ops(): number {
    return this.count;
  }

  /** Number of syncs of files and directories so far. */
  get syncCount(): number {
    return this.syncs;
  }

  /** Checksum over every counted operation with its bytes, 32 bits: equal for equal runs. */
  get traceHash(): number {
    return this.hash;
  }

  /** What no sync covers, in order. */
  get pending(): readonly PendingOperation[] {
    return this.waiting();
  }

  /** Names of files with what reads of them see, sorted. */
  image(): Map<string, Uint8Array> {
    const files = [...this.names.current].filter(([, { kind }]) => kind === 'file');
    const names = files.sort(([a], [b]) => (a < b ? -1 : 1));
    return new Map(names.map(([path, inode]) => [path, inode.current.content()]));
  }

  /**
   * What a power loss now would leave, as a new disk that was just started again. This disk goes on.
   * @param policy  a policy, or only what it keeps
   * @param random  draws what the policy leaves open
   */
  crash(policy: CrashPolicy | Keep, random: Random): SimDisk {
    const chosen: CrashPolicy = typeof policy === 'object' ? policy : { keep: policy };
    const waiting = this.waiting();
    const survivors = chooseSurvivors(waiting, chosen, random);
    const survives = new Map(waiting.map((operation, index) => [operation, survivors[index]!]));
    const keptNames = waiting.filter(
      (operation): operation is NameOperation => isName(operation) && survives.get(operation)![0] === true,
    );
    const surviving = survives as Map<PendingOperation, boolean[]> as Map<DataOperation, boolean[]>;

    const next = this.successor();
    const fillers = random.fork('fill');
    const all = [...this.names.inodes(), ...this.removed];
    const files = new Map<SimInode, SimInode>();
    for (const [path, inode] of this.names.afterPowerLoss(keptNames)) {
      let file = files.get(inode);
      if (file === undefined) {
        const former = [inode, ...all.filter((other) => other !== inode)].map((one) => one.former);
        file = inode.afterPowerLoss(surviving, fillerOf(chosen.lost ?? 'shrink', former, fillers));
        files.set(inode, file);
      }
      next.names.place(path, file);
    }
    next.removed = this.removed;
    return next;
  }

  /** What the death of every process now would leave, as a new disk: everything that was written, durable or not, without locks. */
  kill(): SimDisk {
    const next = this.successor();
    const copies = new Map([...this.names.inodes()].map((inode) => [inode, inode.copy()]));
    next.names = this.names.copy(copies);
    next.removed = this.removed;
    return next;
  }

  /** The machine stops here: every further call throws SimCrash. */
  halt(): void {
    this.stopped = true;
    this.env.stop();
  }

  open(path: string, mode: OpenMode): VfsFile {
    return this.openFor(this.env, path, mode);
  }

  /** As `open`. @param env  of the process: its syncs end when this says so */
  openFor(env: SimulatedEnv, path: string, mode: OpenMode): VfsFile {
    this.checkRunning();
    const name = normalPath(path);
    let inode = this.names.current.get(name);
    if (inode === undefined) {
      if (mode.create !== true) throw systemError('ENOENT', 'open', path);
      this.step('create', path);
      const model = mode.like === undefined ? undefined : this.names.current.get(normalPath(mode.like));
      const perm = model === undefined ? (mode.perm ?? PERM_DEFAULT) : likePerm(model.mode, true);
      inode = this.inode('file', perm, env);
      this.names.create(name, inode, this.count);
    } else if (inode.kind === 'directory') {
      throw systemError(mode.write ? 'EISDIR' : 'EINVAL', 'open', path);
    } else if (mode.create === true && mode.exclusive === true) {
      throw systemError('EEXIST', 'open', path);
    }
    return new SimFile(path, inode, mode.write, this, env);
  }

  stat(path: string): FileId | null {
    this.checkRunning();
    const inode = this.names.current.get(normalPath(path));
    return inode === undefined ? null : this.idOf(inode);
  }

  link(from: string, to: string): void {
    const inode = this.named(from, 'link');
    const name = normalPath(to);
    if (this.names.current.has(name)) throw systemError('EEXIST', 'link', to);
    this.step('link', to);
    this.names.link(name, inode, this.count);
  }

  rename(from: string, to: string): void {
    const inode = this.named(from, 'rename');
    const name = normalPath(to);
    const replaced = this.names.current.get(name);
    if (inode.kind === 'directory') throw systemError('EINVAL', 'rename', to);
    if (replaced?.kind === 'directory') throw systemError('EISDIR', 'rename', to);
    if (replaced === inode) return;
    this.step('rename', to);
    this.names.rename(normalPath(from), name, inode, this.count);
    if (replaced !== undefined) this.remember(replaced);
  }

  unlink(path: string): void {
    const inode = this.named(path, 'unlink');
    if (inode.kind === 'directory') throw systemError('EISDIR', 'unlink', path);
    this.step('unlink', path);
    this.names.unlink(normalPath(path), inode, this.count);
    this.remember(inode);
  }

  mkdir(path: string): void {
    this.checkRunning();
    const name = normalPath(path);
    const isTaken = [...this.names.current.keys()].some((each) => each === name || each.startsWith(`${name}/`));
    if (isTaken) throw systemError('EEXIST', 'mkdir', path);
    this.step('mkdir', path);
    this.names.mkdir(name, this.inode('directory', PERM_DIRECTORY, this.env), this.count);
  }

  list(directory: string): string[] {
    this.checkRunning();
    const where = normalPath(directory);
    return [...this.names.current.keys()]
      .filter((name) => directoryOf(name) === where)
      .map((name) => pathIn(name, where))
      .sort();
  }

  openDirectory(directory: string): VfsDirectory {
    this.checkRunning();
    return { sync: () => this.syncDir(directory), close: () => undefined };
  }

  syncDir(directory: string): void {
    this.step('syncDir', directory);
    const fault = this.faultOf(directory);
    const where = normalPath(directory);
    if (fault === undefined) return this.names.settle(where);
    this.names.settle(where, () => this.reached(fault));
    throw systemError(fault.errno, 'syncDir', directory);
  }

  realpath(path: string): string {
    this.named(path, 'realpath');
    return normalPath(path);
  }

  isNetwork(_path: string): boolean {
    return false;
  }

  /** @throws SimCrash after the end. For the descriptors of this disk. */
  checkRunning(): void {
    if (this.stopped) throw new SimCrash(this.crashAt === Infinity ? this.count + 1 : this.crashAt);
  }

  /** Counts an operation that is about to happen. For the descriptors of this disk. */
  step(operation: SimOperation, path: string, at = 0, buffers: readonly Uint8Array[] = []): number {
    this.checkRunning();
    if (this.count + 1 >= this.crashAt) {
      this.halt();
      this.checkRunning();
    }
    this.onOperation?.(this.count + 1, operation, path);
    this.checkRunning();
    this.count += 1;
    const text = encodeText(`${operation} ${path} ${at}`);
    this.hash = xxh32(text, 0, text.length, this.hash);
    for (const bytes of buffers) this.hash = xxh32(bytes, 0, bytes.length, this.hash);
    return this.count;
  }

  /** How the sync that is about to happen fails. For the descriptors of this disk. */
  faultOf(path: string): SyncFault | undefined {
    this.syncs += 1;
    return this.syncFault?.(path, this.syncs);
  }

  /** Did a part reach the disk although the sync failed? For the descriptors of this disk. */
  reached(fault: SyncFault): boolean {
    return fault.reached === 'some' && this.random.chance(0.5);
  }

  idOf({ ino, nlink, current, mode, kind, modifiedMs }: SimInode): FileId {
    return { dev: this.dev, ino, nlink, size: current.size, mode, kind, modifiedMs };
  }

  private inode(kind: FileKind, mode: number, env: SimulatedEnv): SimInode {
    this.inodes += 1n;
    return new SimInode({ ino: this.inodes, mode, kind, modifiedMs: env.wallTimeMs() });
  }

  private successor(): SimDisk {
    const next = new SimDisk({ seed: this.seed, generation: this.generation + 1, wallTimeMs: this.env.wallTimeMs() });
    next.inodes = this.inodes;
    return next;
  }

  private waiting(): (DataOperation | NameOperation)[] {
    const data = [...this.names.inodes()].flatMap((inode) => inode.pending);
    return [...data, ...this.names.pending].sort((a, b) => a.order - b.order);
  }

  private named(path: string, op: Operation): SimInode {
    this.checkRunning();
    const inode = this.names.current.get(normalPath(path));
    if (inode === undefined) throw systemError('ENOENT', op, path);
    return inode;
  }

  private remember(inode: SimInode): void {
    if (inode.nlink === 0) this.removed = [...this.removed, inode].slice(-REMOVED_KEPT);
  }
}

function isName(operation: PendingOperation): boolean {
  return operation.kind !== 'write' && operation.kind !== 'truncate';
}

/** A descriptor. */
class SimFile implements VfsFile {
  readonly path: string;
  private readonly inode: SimInode;
  private readonly writable: boolean;
  private readonly disk: SimDisk;
  private readonly env: SimulatedEnv;
  private closed = false;

  constructor(path: string, inode: SimInode, writable: boolean, disk: SimDisk, env: SimulatedEnv) {
    this.path = path;
    this.inode = inode;
    this.writable = writable;
    this.disk = disk;
    this.env = env;
  }

  pread(into: Uint8Array, at: number): number {
    this.checkOpen('pread', at);
    return this.inode.current.read(into, at);
  }

  pwrite(buffers: readonly Uint8Array[], at: number): number {
    this.checkWritable('pwrite', at);
    const length = buffers.reduce((sum, bytes) => sum + bytes.length, 0);
    if (at + length > SIZE_MAX) throw systemError('EFBIG', 'pwrite', this.path, { at });
    const order = this.disk.step('pwrite', this.path, at, buffers);
    const whole = new Uint8Array(length);
    let done = 0;
    for (const bytes of buffers) {
      whole.set(bytes, done);
      done += bytes.length;
    }
    this.inode.write(whole, at, order, this.path);
    this.inode.modifiedMs = this.env.wallTimeMs();
    return length;
  }

  truncate(size: number): void {
    this.checkWritable('truncate', size);
    if (size > SIZE_MAX) throw systemError('EFBIG', 'truncate', this.path, { at: size });
    this.inode.truncate(size, this.disk.step('truncate', this.path, size), this.path);
    this.inode.modifiedMs = this.env.wallTimeMs();
  }

  sync(_kind: SyncKind): void {
    this.checkOpen('sync');
    this.disk.step('sync', this.path);
    this.finish(this.inode.pending, this.disk.faultOf(this.path));
  }

  /** What is written after the call is not covered; what it covers is durable only when the promise resolves. */
  async syncAsync(_kind: SyncKind): Promise<void> {
    this.checkOpen('sync');
    this.disk.step('sync', this.path);
    const covered = [...this.inode.pending];
    const fault = this.disk.faultOf(this.path);
    await this.env.complete(() => {
      this.disk.checkRunning();
      this.finish(covered, fault);
    });
  }

  stat(): FileId {
    this.checkOpen('stat');
    return this.disk.idOf(this.inode);
  }

  tryLock(at: number, length: number, mode: LockMode): boolean {
    this.checkOpen('lock', at);
    if (mode === 'exclusive') this.checkWritable('lock', at);
    return this.inode.locks.tryLock(this, at, length, mode);
  }

  unlock(at: number, length: number): void {
    this.checkOpen('unlock', at);
    this.inode.locks.unlock(this, at, length);
  }

  close(): void {
    this.disk.checkRunning();
    if (this.closed) return;
    this.closed = true;
    this.inode.locks.release(this);
  }

  private finish(covered: readonly DataOperation[], fault: SyncFault | undefined): void {
    if (fault === undefined) return this.inode.settle(covered);
    this.inode.settle(covered, () => this.disk.reached(fault));
    throw systemError(fault.errno, 'sync', this.path);
  }

  private checkOpen(op: Operation, at?: number): void {
    this.disk.checkRunning();
    if (this.closed) throw systemError('EBADF', op, this.path, { at });
  }

  private checkWritable(op: Operation, at: number): void {
    this.checkOpen(op, at);
    if (!this.writable) throw systemError('EBADF', op, this.path, { at });
  }
}

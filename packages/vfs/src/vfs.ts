/**
 * The seam to the outside: everything that the storage stack does to files, locks, clock and randomness goes through
 * these interfaces, so that a simulated disk can stand in for a real one.
 * Source: docs/ARCHITECTURE.md, "What is assumed of the disk".
 */

export type LockMode = 'shared' | 'exclusive';

/** What is synced: `data` is enough to read the bytes back (with the file's size), `full` also syncs the other metadata. */
export type SyncKind = 'data' | 'full';

/** How a file is opened. Symbolic links are never followed. */
export interface OpenMode {
  readonly write: boolean;
  /** Create the file if it does not exist. Default false. */
  readonly create?: boolean;
  /** With `create`: fail if it exists. Default false. */
  readonly exclusive?: boolean;
  /** Mode of a new file, applied whatever the umask. Default 0o600. */
  readonly perm?: number;
  /**
   * With `create`: a new file belongs to the same group and owner as the file of this name, as far as the process may give it away, and
   * has its read and write bits. The group gets none that others do not have unless it is the same group. Without such a file: `perm`.
   */
  readonly like?: string;
}

/** What a name means; a symbolic link is `other`. */
export type FileKind = 'file' | 'directory' | 'other';

/** Which file a name or a descriptor means, and how it is. */
export interface FileId {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly nlink: number;
  /** bytes */
  readonly size: number;
  /** permission bits */
  readonly mode: number;
  readonly kind: FileKind;
  /** Time of day of the last change of the content, ms since 1970, as precise as the file system keeps it. */
  readonly modifiedMs: number;
}

/** An open file. Offsets and sizes in bytes. */
export interface VfsFile {
  readonly path: string;
  /**
   * Reads into `into` from `at` on.
   * @returns bytes read; fewer than asked for only at the end of the file (callers loop nevertheless, rule E4)
   * @throws IoError SOMBRA_IO
   */
  pread(into: Uint8Array, at: number): number;
  /**
   * Writes buffers one behind the other from `at` on. The file grows as needed.
   * @returns bytes written; may be fewer than given: the caller loops
   * @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL
   */
  pwrite(buffers: readonly Uint8Array[], at: number): number;
  /** Cuts the file, or extends it with zeros. @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL */
  truncate(size: number): void;
  /** @throws IoError SOMBRA_SYNC: what was written since the last sync may be lost, whatever later syncs say (rule E1) */
  sync(kind: SyncKind): void;
  /** `sync` without blocking the thread; the only asynchronous call of the seam. Rejects with what `sync` throws. */
  syncAsync(kind: SyncKind): Promise<void>;
  stat(): FileId;
  /**
   * Tries to lock bytes [at, at + length) without waiting; the bytes need not exist. Locks belong to this descriptor and end with
   * it. As on Linux, a lock of the same descriptor never conflicts: it changes the mode.
   * @returns false when another descriptor has them
   */
  tryLock(at: number, length: number, mode: LockMode): boolean;
  /** Gives bytes back. Harmless when they are not locked. */
  unlock(at: number, length: number): void;
  /** Harmless when repeated. */
  close(): void;
}

/** An open directory: code that changes names opens it first, so that a lack of descriptors leaves nothing in doubt. */
export interface VfsDirectory {
  /** Makes the names of the directory durable. @throws IoError SOMBRA_SYNC */
  sync(): void;
  /** Harmless when repeated. */
  close(): void;
}

/** Clock, randomness, timers, identity of the process. */
export interface VfsEnv {
  readonly pid: number;
  readonly host: string;
  /**
   * What distinguishes a process of this machine from a later one with the same number: when the machine and the process were started, as
   * far as the platform says. null when there is no such process now.
   */
  identify(pid: number): string | null;
  /** Time of day, ms since 1970: for what is stored or shown. It may jump, both ways, so that no duration is taken from it. */
  wallTimeMs(): number;
  /** For durations: ms since some moment of this process. Never goes back, whatever becomes of the time of day. */
  monotonicMs(): number;
  /** `count` random bytes fit for ids and salts. */
  random(count: number): Uint8Array;
  /** Blocks the thread. */
  sleep(ms: number): void;
  /** Calls `fn` once after `ms`, a finite number of any size. @param keepsAlive  the process stays until then. Default false */
  setTimer(fn: () => void, ms: number, keepsAlive?: boolean): unknown;
  clearTimer(timer: unknown): void;
  /** Calls `fn` at the end of this turn of the event loop. */
  defer(fn: () => void): void;
  /**
   * Captures what asynchronous context the caller runs in (with Node, what its `AsyncLocalStorage` instances hold), for work that is done
   * later on the caller's behalf. @returns runs a function in that context
   */
  captureContext(): RunInContext;
  /** Warns the program of something that has no caller and no listener. Never throws, and ends no process. */
  warn(warning: EnvWarning): void;
}

/** Runs a function in an asynchronous context that was captured. */
export type RunInContext = <T>(work: () => T) => T;

/** A warning to the program. */
export interface EnvWarning {
  /** stable */
  readonly code: string;
  /** Says what to do. */
  readonly message: string;
  readonly cause?: unknown;
}

/** Room on a disk, bytes. */
export interface DiskSpace {
  /** That this process may still fill. */
  readonly free: number;
  readonly size: number;
}

/** A file system. Names are separated by `/`. */
export interface Vfs {
  readonly env: VfsEnv;
  /**
   * Can `VfsFile.tryLock` be used? Without it two processes could destroy a database.
   * @throws IoError SOMBRA_IO when the process or the system has too many files open to find out
   */
  readonly locksAvailable: boolean;
  /** @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL; details errno, op, path */
  open(path: string, mode: OpenMode): VfsFile;
  /** @returns null when there is no such file */
  stat(path: string): FileId | null;
  /** Gives a file a second name. @throws IoError SOMBRA_IO with errno EEXIST when `to` exists */
  link(from: string, to: string): void;
  /** Renames; replaces `to` if it exists. */
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /**
   * Makes a directory, for its owner alone (0700, whatever the umask). Its name is durable once the directory that it lies in is synced.
   * @throws IoError SOMBRA_IO with errno EEXIST when the name is taken
   */
  mkdir(path: string): void;
  /** Names in a directory, sorted, without path. */
  list(directory: string): string[];
  /** Opens a directory, so that its names can be made durable. @throws IoError SOMBRA_IO, SOMBRA_PERMISSION: nothing happened */
  openDirectory(directory: string): VfsDirectory;
  /** Makes names of a directory durable. @throws IoError SOMBRA_SYNC, also when the directory cannot be opened */
  syncDir(directory: string): void;
  /** The path with symbolic links resolved. */
  realpath(path: string): string;
  /** Does the path lie on a network file system, where locks cannot be relied on? */
  isNetwork(path: string): boolean;
  /** Room on the disk that a path lies on; null when it cannot be told. Left out where there is no disk. */
  diskSpace?(path: string): DiskSpace | null;
}

/**
 * Writes an audit trail into files.
 *
 * Invariants:
 * - `point` is the last entry of which all bytes are in the file, and `size` the byte behind it. What a failed write left behind that byte
 *   is cut off before anything is written there.
 * - At any moment the live name exists, and every entry is in a file that has a name of the trail: a file gets its number as a second
 *   name, then the live name passes to the next file.
 * - Only the holder of the lock writes.
 */
import { DataError, directoryOf, encodeText, IoError, NodeVfs, pwriteFully, sameFile, StateError } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { checkOptions } from '../base/check-options.ts';
import type { ObservedWarning } from '../base/observed.ts';
import { BEGINNING, toLine } from './audit-entry.ts';
import type { AuditPoint, AuditRecord } from './audit-entry.ts';
import { damaged, endOf, LINES_MAX } from './audit-end.ts';
import { completeNumbers, completePath } from './audit-files.ts';

/** Where entries of an audit trail go. */
export interface AuditSink {
  /** Adds entries, all or none. @throws when they could not be added; then nothing was */
  append(records: readonly AuditRecord[]): void;
  /** Harmless when repeated. */
  close(): void;
}

/** Options of `auditFile`. */
export interface AuditFileOptions {
  /** Size of a file in bytes at which the next one is begun. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Is the file synced before `append` returns? Without it a power loss may take the newest entries. Default true. */
  readonly sync?: boolean | undefined;
  /** Told of a torn line that was cut off, and of a file that others can read. Default: a warning of the process. */
  readonly onWarning?: ((warning: ObservedWarning) => void) | undefined;
  /** Default: the files of the machine. */
  readonly vfs?: Vfs | undefined;
}

const MAX_BYTES = 64 * 1024 * 1024;
/** A byte that no file has; whoever has locked it writes the trail. */
const LOCK_BYTE = 2 ** 48;

/**
 * Opens a trail to write to it; a new one is created with mode 0600. What a crash has left of a line is cut off.
 * @throws DataError SOMBRA_OPTION; IoError SOMBRA_AUDIT_BUSY when another sink writes it, SOMBRA_IO, SOMBRA_PERMISSION,
 *   SOMBRA_DISK_FULL; CorruptionError SOMBRA_AUDIT_DAMAGED when its last line is no entry
 */
export function auditFile(path: string, options: AuditFileOptions = {}): AuditFile {
  checkOptions('auditFile', options, ['maxBytes', 'sync', 'onWarning', 'vfs']);
  if (typeof path !== 'string' || path === '')
    throw new DataError('SOMBRA_OPTION', 'auditFile takes the path of a file, such as audit.jsonl');
  const { maxBytes = MAX_BYTES, sync = true, vfs = new NodeVfs() } = options;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw new DataError('SOMBRA_OPTION', `maxBytes is ${String(maxBytes)}; it is a number of bytes above 0`);
  const warn = options.onWarning ?? ((warning) => vfs.env.warn(warning));
  return new AuditFile(vfs, path, { maxBytes, sync, warn });
}

interface Settings {
  readonly maxBytes: number;
  readonly sync: boolean;
  readonly warn: (warning: ObservedWarning) => void;
}

/** What `auditFile` opens. */
export class AuditFile implements AuditSink {
  readonly path: string;
  private readonly vfs: Vfs;
  private readonly settings: Settings;
  private file: VfsFile;
  private size = 0;
  private point: AuditPoint = BEGINNING;
  /** May there be bytes behind `size`? */
  private untidy = false;
  private closed = false;

  /** @internal */
  constructor(vfs: Vfs, path: string, settings: Settings) {
    this.vfs = vfs;
    this.path = path;
    this.settings = settings;
    this.file = openLive(vfs, path);
    try {
      this.findEnd();
      this.cutTorn();
      this.checkMode();
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  /** The last entry: note it elsewhere as an anchor for `verifyAudit`. */
  get last(): AuditPoint {
    return this.point;
  }

  append(records: readonly AuditRecord[]): void {
    if (this.closed)
      throw new StateError('SOMBRA_CLOSED', `the audit trail ${this.path} is closed: open it again with auditFile`);
    let { point } = this;
    const parts: Uint8Array[] = [];
    for (let from = 0; from < records.length; from += LINES_MAX) {
      let text = '';
      for (const record of records.slice(from, from + LINES_MAX)) {
        const made = toLine(record, point);
        text += `${made.line}\n`;
        point = made.point;
      }
      parts.push(encodeText(text));
    }
    const length = parts.reduce((sum, bytes) => sum + bytes.length, 0);
    this.tidy();
    if (this.size > 0 && this.size + length > this.settings.maxBytes) this.rotate();
    this.write(parts);
    this.size += length;
    this.point = point;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    try {
      this.tidy();
    } finally {
      this.file.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private write(parts: readonly Uint8Array[]): void {
    this.untidy = true;
    let at = this.size;
    for (const bytes of parts) {
      pwriteFully(this.file, bytes, at);
      if (this.settings.sync) this.file.sync('data');
      at += bytes.length;
    }
    this.untidy = false;
  }

  /** Cuts off what a failed write has left. */
  private tidy(): void {
    if (!this.untidy) return;
    this.file.truncate(this.size);
    this.untidy = false;
  }

  /** Begins the next file. What fails here leaves everything as it was, or done. */
  private rotate(): void {
    const { vfs, path } = this;
    const directory = vfs.openDirectory(directoryOf(path));
    try {
      this.file.sync('data');
      const newest = completeNumbers(vfs, path).at(-1) ?? 0;
      if (!this.isComplete(newest)) vfs.link(path, completePath(path, newest + 1));
      directory.sync();
      const next = createNext(vfs, path);
      try {
        vfs.rename(nextPath(path), path);
      } catch (error) {
        next.close();
        throw error;
      }
      const { file } = this;
      this.file = next;
      this.size = 0;
      file.close();
      directory.sync();
    } finally {
      directory.close();
    }
  }

  /** Has the live file this number already? A rotation that failed or crashed may have got so far. */
  private isComplete(number: number): boolean {
    return sameFile(this.vfs.stat(completePath(this.path, number)), this.file.stat());
  }

  private findEnd(): void {
    const { vfs, path } = this;
    const { end, point } = endOf(this.file, path);
    this.size = end;
    const newest = completeNumbers(vfs, path).at(-1);
    if (point !== undefined) this.point = point;
    else if (newest !== undefined) this.point = lastOf(vfs, completePath(path, newest));
  }

  private cutTorn(): void {
    const torn = this.file.stat().size - this.size;
    if (torn === 0) return;
    this.file.truncate(this.size);
    this.file.sync('full');
    this.settings.warn({
      code: 'SOMBRA_AUDIT_TORN',
      message: `${this.path}: ${torn} bytes that a crash had left incomplete were removed; the trail ends with entry ${this.point.seq}`,
    });
  }

  private checkMode(): void {
    const mode = this.file.stat().mode & 0o777;
    if ((mode & 0o077) === 0) return;
    this.settings.warn({
      code: 'SOMBRA_AUDIT_READABLE',
      message: `${this.path} has mode ${mode.toString(8)}: other users can read it or write to it; chmod 600 ${this.path}`,
    });
  }
}

/** Name of the next file before it gets the live name. */
function nextPath(path: string): string {
  return `${path}.next`;
}

/** Opens the live file and locks it. */
function openLive(vfs: Vfs, path: string): VfsFile {
  const isNew = vfs.stat(path) === null;
  for (;;) {
    const file = vfs.open(path, { write: true, create: true });
    try {
      lock(vfs, file);
      // Another sink may have given the name to its next file in the meantime.
      if (sameFile(vfs.stat(path), file.stat())) {
        if (isNew) vfs.syncDir(directoryOf(path));
        return file;
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

function createNext(vfs: Vfs, path: string): VfsFile {
  const name = nextPath(path);
  if (vfs.stat(name) !== null) vfs.unlink(name);
  const file = vfs.open(name, { write: true, create: true, exclusive: true });
  try {
    lock(vfs, file);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function lock(vfs: Vfs, file: VfsFile): void {
  if (!vfs.locksAvailable || file.tryLock(LOCK_BYTE, 1, 'exclusive')) return;
  throw new IoError(
    'SOMBRA_AUDIT_BUSY',
    `${file.path} is being written already: give each connection a trail of its own`,
    { details: { path: file.path } },
  );
}

function lastOf(vfs: Vfs, path: string): AuditPoint {
  const file = vfs.open(path, { write: false });
  try {
    const { point } = endOf(file, path);
    if (point === undefined) throw damaged(path, 'the file has no entries');
    return point;
  } finally {
    file.close();
  }
}

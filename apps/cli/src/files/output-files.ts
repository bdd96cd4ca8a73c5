/**
 * Files of an export. Each is written under a temporary name beside its own, and renamed when all are complete: an error or
 * an interrupt leaves nothing behind, and replaces nothing.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError, IoError } from '@sombra/vfs';
import type { DatabaseFiles } from './database-files.ts';

/** Characters of a file that are held before they are written. */
const BUFFER_SIZE = 256 * 1024;
/** Characters of all files together that are held. */
const BUFFERS_SIZE = 16 * 1024 * 1024;

interface OutputFile {
  readonly path: string;
  readonly temporary: string;
  pieces: string[];
  size: number;
}

/** The files of one export. Between two writes a file is closed, so that there may be any number of them. */
export class OutputFiles {
  private readonly gzip: boolean;
  private readonly force: boolean;
  private readonly database: DatabaseFiles;
  private readonly suffix = `.tmp-${randomBytes(8).toString('hex')}`;
  private readonly files = new Map<string, OutputFile>();
  /** Those that exist under their temporary names. */
  private readonly unnamed = new Set<OutputFile>();
  private named = false;
  private readonly foldersMade: string[] = [];
  private size = 0;

  /**
   * @param force     replace existing files
   * @param database  that is exported: none of its files is ever replaced
   */
  constructor(gzip: boolean, force: boolean, database: DatabaseFiles) {
    this.gzip = gzip;
    this.force = force;
    this.database = database;
  }

  /**
   * Begins files. Nothing is written yet when one of them is refused.
   * @throws DataError SOMBRA_EXPORT_EXISTS, SOMBRA_SAME_FILE; IoError SOMBRA_EXPORT_FILE
   */
  begin(paths: readonly string[]): void {
    for (const path of paths) this.database.refuse(path, 'write');
    for (const path of paths) {
      if (this.force || !existsSync(path)) continue;
      throw new DataError('SOMBRA_EXPORT_EXISTS', `${path} exists: name another place, or pass --force`, {
        details: { file: path },
      });
    }
    for (const path of paths) {
      const file: OutputFile = { path, temporary: `${path}${this.suffix}`, pieces: [], size: 0 };
      this.files.set(path, file);
      attempt(path, () => {
        this.makeFolder(dirname(path));
        closeSync(openSync(file.temporary, 'wx', 0o600));
        this.unnamed.add(file);
      });
    }
  }

  /** Adds text to a file that was begun. @throws IoError SOMBRA_EXPORT_FILE */
  write(path: string, text: string): void {
    const file = this.files.get(path)!;
    file.pieces.push(text);
    file.size += text.length;
    this.size += text.length;
    if (file.size >= BUFFER_SIZE) this.flush(file);
    else if (this.size >= BUFFERS_SIZE) this.flushAll();
  }

  /** Gives every file its name, when all that was written is on the disk. @throws IoError SOMBRA_EXPORT_FILE */
  finish(): void {
    for (const file of this.files.values()) {
      this.flush(file);
      attempt(file.path, () => {
        const handle = openSync(file.temporary, 'r+');
        try {
          fsyncSync(handle);
        } finally {
          closeSync(handle);
        }
      });
    }
    for (const file of this.files.values()) {
      attempt(file.path, () => renameSync(file.temporary, file.path));
      this.unnamed.delete(file);
      this.named = true;
    }
  }

  /** Removes what has no name of its own yet, and folders that were made for it. */
  discard(): void {
    for (const file of this.unnamed) rmSync(file.temporary, { force: true });
    if (this.named) return;
    for (const folder of this.foldersMade.reverse()) {
      try {
        rmdirSync(folder);
      } catch (error) {
        // Another program has put something into it: it stays.
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
      }
    }
  }

  private makeFolder(folder: string): void {
    if (existsSync(folder)) return;
    this.makeFolder(dirname(join(folder)));
    mkdirSync(folder);
    this.foldersMade.push(folder);
  }

  private flushAll(): void {
    for (const file of this.files.values()) this.flush(file);
  }

  /** Packed files are a row of gzip members, which readers take as one. */
  private flush(file: OutputFile): void {
    if (file.size === 0) return;
    const text = Buffer.from(file.pieces.join(''), 'utf8');
    this.size -= file.size;
    file.pieces = [];
    file.size = 0;
    const bytes = this.gzip ? gzipSync(text) : text;
    attempt(file.path, () => {
      const handle = openSync(file.temporary, 'a');
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      } finally {
        closeSync(handle);
      }
    });
  }
}

function attempt(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new IoError(
      'SOMBRA_EXPORT_FILE',
      `${path} cannot be written (${(error as Error).message}): check path, permission and free space`,
      { details: { file: path }, cause: error },
    );
  }
}

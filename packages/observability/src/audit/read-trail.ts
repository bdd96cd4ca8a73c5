import { DataError } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { isTorn, readLine } from './audit-entry.ts';
import type { AuditEntry } from './audit-entry.ts';
import { openTrail } from './audit-files.ts';
import { linesOf } from './lines.ts';

/** A line of a trail. */
export interface TrailLine {
  /** Path of the file. */
  readonly file: string;
  /** Line of the file, from 1. */
  readonly line: number;
  /** Bytes of the line. */
  readonly length: number;
  /** The entry, or why there is none. */
  readonly entry: AuditEntry | string;
  /** Is it the end of a line that was being written, or that a crash has cut short? */
  readonly torn: boolean;
}

/** What a trail consists of. */
export interface TrailFiles {
  readonly files: number;
  /** Is there a file that is being written? Only somebody who removed it leaves a trail without. */
  readonly live: boolean;
}

/**
 * All lines of a trail, the oldest first.
 * @returns which files there were
 * @throws DataError SOMBRA_AUDIT_NOT_FOUND; IoError SOMBRA_IO, SOMBRA_PERMISSION
 */
export function* readTrail(vfs: Vfs, path: string): Generator<TrailLine, TrailFiles> {
  const { complete, live } = openTrail(vfs, path);
  if (live === undefined && complete.length === 0)
    throw new DataError('SOMBRA_AUDIT_NOT_FOUND', `there is no audit trail at ${path}: check the path`);
  try {
    for (const name of complete) {
      const file = vfs.open(name, { write: false });
      try {
        yield* linesOfFile(file, name, false);
      } finally {
        file.close();
      }
    }
    if (live !== undefined) yield* linesOfFile(live, path, true);
  } finally {
    live?.close();
  }
  return { files: complete.length + (live === undefined ? 0 : 1), live: live !== undefined };
}

function* linesOfFile(file: VfsFile, name: string, isLive: boolean): Generator<TrailLine> {
  for (const { bytes, number, ended } of linesOf(file)) {
    const entry = readLine(bytes);
    const torn = isLive && !ended && isTorn(bytes);
    const problem = ended ? entry : typeof entry === 'string' ? entry : 'the line has no end';
    yield { file: name, line: number, length: bytes.length, entry: problem, torn };
  }
}

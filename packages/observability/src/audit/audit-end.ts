/** Where a trail that is opened again goes on. */
import { CorruptionError } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import { isTorn, readLine } from './audit-entry.ts';
import type { AuditPoint } from './audit-entry.ts';
import { linesOf, startOfLast } from './lines.ts';

/** Lines that are written and synced at once. No more of them can be incomplete after a power loss. */
export const LINES_MAX = 1000;

/**
 * Where the entries of a file end, and the last of them; undefined for none. Behind it there may be what a crash has left of the lines
 * that were being written: the beginning of them, or after a power loss any part, with zeros in place of the others.
 * @throws CorruptionError SOMBRA_AUDIT_DAMAGED when something else stands there
 */
export function endOf(file: VfsFile, path: string): { readonly end: number; readonly point: AuditPoint | undefined } {
  const start = startOfLast(file, LINES_MAX + 1);
  let end = start;
  let last: Uint8Array | undefined;
  for (const line of linesOf(file, start)) {
    if (!line.ended && !isTorn(line.bytes)) throw damaged(path, 'the last line does not end with its hash');
    if (!line.ended || line.bytes.includes(0)) break;
    last = line.bytes.slice();
    end = line.end;
  }
  if (last === undefined && start > 0) throw damaged(path, 'more lines are incomplete than a crash can leave');
  const entry = last === undefined ? undefined : readLine(last);
  if (typeof entry === 'string') throw damaged(path, entry);
  return { end, point: entry === undefined ? undefined : { seq: entry.seq, hash: entry.hash } };
}

/** The error of a trail that cannot be gone on with. */
export function damaged(path: string, what: string): CorruptionError {
  const message = `${path}: ${what}: keep all files of the trail for examination, and begin a new one`;
  return new CorruptionError('SOMBRA_AUDIT_DAMAGED', message, { details: { file: path } });
}

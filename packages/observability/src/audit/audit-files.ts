/**
 * The files of an audit trail: `audit.jsonl`, which is written, and `audit.jsonl.1`, `audit.jsonl.2` and so on, which are complete, the oldest
 * first.
 */
import { directoryOf, sameFile } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';

/** Name of the complete file with a number. */
export function completePath(path: string, number: number): string {
  return `${path}.${number}`;
}

/** Numbers of the complete files, ascending. */
export function completeNumbers(vfs: Vfs, path: string): number[] {
  const start = `${path.slice(path.lastIndexOf('/') + 1)}.`;
  return vfs
    .list(directoryOf(path))
    .filter((name) => name.startsWith(start) && /^[1-9]\d{0,14}$/.test(name.slice(start.length)))
    .map((name) => Number(name.slice(start.length)))
    .sort((a, b) => a - b);
}

/** A trail that was opened to be read. */
export interface OpenTrail {
  /** Complete files, the oldest first. */
  readonly complete: readonly string[];
  /** The file that is written; undefined when there is none. */
  readonly live: VfsFile | undefined;
}

/**
 * Opens a trail, which may be written to meanwhile. The live file is opened before the others are looked up: when it becomes a complete
 * one in between, it is not read twice, and later files are left out.
 */
export function openTrail(vfs: Vfs, path: string): OpenTrail {
  const live = vfs.stat(path) === null ? undefined : vfs.open(path, { write: false });
  try {
    const complete = completeNumbers(vfs, path).map((number) => completePath(path, number));
    if (live === undefined) return { complete, live };
    const id = live.stat();
    const same = complete.findIndex((name) => sameFile(vfs.stat(name), id));
    return { complete: same < 0 ? complete : complete.slice(0, same), live };
  } catch (error) {
    live?.close();
    throw error;
  }
}

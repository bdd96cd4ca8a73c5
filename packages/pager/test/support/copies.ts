// Copies of databases in tests: read to their end, opened, compared.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { Pager } from '../../src/index.ts';
import type { DatabaseCopy } from '../../src/index.ts';
import { PATH, TINY } from './life.ts';
import type { ModelState } from './model.ts';
import { compare } from './model.ts';

/** Reads a copy to its end. @param step  bytes at a time @param between  what happens after each step */
export function bytesOfCopy(copy: DatabaseCopy, step: number, between: () => void = () => undefined): Uint8Array {
  const bytes = new Uint8Array(copy.size);
  const into = new Uint8Array(step);
  for (let at = 0; ; ) {
    const count = copy.read(into);
    if (count === 0) {
      if (at !== copy.size) throw new Error(`a copy of ${copy.size} bytes ended after ${at}`);
      return bytes;
    }
    bytes.set(into.subarray(0, count), at);
    at += count;
    between();
  }
}

/** A file system with these bytes as the database. */
export function fileOf(bytes: Uint8Array): Vfs {
  const vfs = new MemoryVfs();
  const file = vfs.open(PATH, { write: true, create: true });
  file.pwrite([bytes], 0);
  file.close();
  return vfs;
}

/** Opens the database on a file system, and what of it is not as the state says. */
export function examineFile(vfs: Vfs, lsn: number, state: ModelState): string[] {
  const pager = Pager.open({ vfs, path: PATH, ...TINY, pageSize: undefined, createIfMissing: false });
  try {
    const wrong = compare(pager.view, state);
    if (pager.view.lsn !== lsn) wrong.push(`commit ${pager.view.lsn}, expected ${lsn}`);
    wrong.push(...pager.warnings.map(({ code }) => code), ...pager.check().map(({ code }) => code));
    return wrong;
  } finally {
    pager.close();
  }
}

// Goal: what is not a database, or a damaged one, gives a typed error or the right answer, and is not changed. Method: whole
// files in memory with planted damage: wrong kinds of files, headers, cut ends, one flipped bit at many places.
import { Random } from '@sombra/vfs/testing';
import { describe, expect, it } from 'vitest';
import { GraphDB, MemoryVfs } from '../src/index.ts';
import type { ErrorCode, Warning } from '../src/index.ts';
import { codeOf, thrownBy } from './support/codes.ts';
import { contentOf } from './support/content.ts';
import { expectSound } from './support/open.ts';

const PATH = 'graph.db';
const SLOTS = [0, 4096];
const VERSION_OFFSET = 8;
const SEQUENCE_OFFSET = 40;
/** Little memory, so that many databases can be opened quickly. */
const SMALL = { cacheSize: 32, maxTransactionPages: 400 };

/** A disk with one file. */
function diskWith(bytes: Uint8Array, path = PATH): MemoryVfs {
  const vfs = new MemoryVfs();
  const file = vfs.open(path, { write: true, create: true });
  file.pwrite([bytes], 0);
  file.close();
  return vfs;
}

function bytesOf(vfs: MemoryVfs, path = PATH): Uint8Array {
  const bytes = new Uint8Array(vfs.stat(path)!.size);
  const file = vfs.open(path, { write: false });
  file.pread(bytes, 0);
  file.close();
  return bytes;
}

/** A database with a bit of everything: labels, edges, large values, free pages. */
function write(db: GraphDB): void {
  db.transaction((tx) => {
    for (let i = 0; i < 120; i += 1) {
      const id = tx.addNode(i % 3 === 0 ? ['A', 'B'] : 'A', { number: i, text: 'x'.repeat(i * 10) });
      for (let j = 1; j < 4 && id - j > 0; j += 1) tx.addEdge(id, id - j, j === 1 ? 'NEXT' : 'FAR', { j });
    }
    tx.addNode('Large', { bytes: new Uint8Array(60_000).fill(7) });
  });
  db.transaction((tx) => {
    for (let id = 10; id < 30; id += 1) tx.deleteNode(id, { cascade: true });
  });
}

function closedFile(): { bytes: Uint8Array; content: string; pageSize: number } {
  const vfs = new MemoryVfs();
  const db = GraphDB.open(PATH, { vfs, ...SMALL });
  write(db);
  const content = JSON.stringify(contentOf(db));
  db.close();
  return { bytes: bytesOf(vfs), content, pageSize: db.pageSize };
}

const { bytes: WHOLE, content: EXPECTED, pageSize: PAGE_SIZE } = closedFile();

function changed(change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = WHOLE.slice();
  change(bytes);
  return bytes;
}

describe('what is refused at open', () => {
  const text = new TextEncoder().encode('id,name\n1,Ada\n'.repeat(1000));
  const random = new Random(1);
  it.each<[string, ErrorCode, Uint8Array]>([
    ['a text', 'SOMBRA_NOT_A_DATABASE', text],
    ['an empty file', 'SOMBRA_NOT_A_DATABASE', new Uint8Array(0)],
    ['a file of zeros', 'SOMBRA_NOT_A_DATABASE', new Uint8Array(100_000)],
    ['a file of random bytes', 'SOMBRA_NOT_A_DATABASE', random.bytes(100_000)],
    ['a file of five bytes', 'SOMBRA_NOT_A_DATABASE', text.subarray(0, 5)],
    ['the first 100 bytes of a database', 'SOMBRA_NOT_A_DATABASE', WHOLE.subarray(0, 100)],
    [
      'a newer format',
      'SOMBRA_FORMAT_VERSION',
      changed((bytes) => SLOTS.forEach((at) => (bytes[at + VERSION_OFFSET] = 2))),
    ],
    ['a damaged header', 'SOMBRA_SUPERBLOCK', changed((bytes) => SLOTS.forEach((at) => (bytes[at + 20]! ^= 1)))],
    [
      'a header without its name',
      'SOMBRA_NOT_A_DATABASE',
      changed((bytes) => SLOTS.forEach((at) => (bytes[at]! ^= 1))),
    ],
    ['a cut end', 'SOMBRA_FILE_TRUNCATED', WHOLE.subarray(0, WHOLE.length - 1)],
    ['half of it', 'SOMBRA_FILE_TRUNCATED', WHOLE.subarray(0, WHOLE.length / 2)],
    ['only the header', 'SOMBRA_FILE_TRUNCATED', WHOLE.subarray(0, 8192)],
    ['a damaged roots page', 'SOMBRA_PAGE_CHECKSUM', changed((bytes) => (bytes[8192 + 100]! ^= 1))],
  ])('%s: %s', (_name, code, bytes) => {
    for (const config of [{}, { readOnly: true }, { enableWal: false }, { createIfMissing: false }]) {
      const vfs = diskWith(bytes);
      const error = thrownBy(() => GraphDB.open(PATH, { vfs, ...SMALL, ...config, onWarning: () => undefined }));
      expect([error.code, error.message.includes(PATH) || error.message.includes('page 1')]).toEqual([code, true]);
      expect(vfs.list('.')).toEqual([PATH]);
      expect(Buffer.from(bytesOf(vfs)).equals(bytes), 'the file is as it was').toBe(true);
      expect(codeOf(() => GraphDB.open(PATH, { vfs, ...SMALL, ...config }))).toBe(code);
    }
  });

  it('the page size of another file', () => {
    const error = thrownBy(() => GraphDB.open(PATH, { vfs: diskWith(WHOLE), pageSize: 16_384 }));
    expect([error.code, error.details]).toEqual(['SOMBRA_PAGE_SIZE', { found: 8192, wanted: 16_384 }]);
  });
});

describe('one damaged superblock slot', () => {
  it.each(SLOTS)(
    'at %i: the other one is used, with a warning, or the file is refused when it is the newer one',
    (slot) => {
      const sequence = (at: number): number => new DataView(WHOLE.buffer).getUint32(at + SEQUENCE_OFFSET, true);
      const newest = sequence(slot) === Math.max(...SLOTS.map(sequence));
      const vfs = diskWith(changed((bytes) => (bytes[slot + 30]! ^= 4)));
      const warnings: Warning[] = [];
      const open = (): GraphDB => GraphDB.open(PATH, { vfs, ...SMALL, onWarning: (warning) => warnings.push(warning) });
      if (newest) {
        expect(thrownBy(open).name).toBe('CorruptionError');
        return;
      }
      const db = open();
      expect(warnings.map(({ code }) => code)).toEqual(['SOMBRA_SUPERBLOCK_SLOT']);
      expect(JSON.stringify(contentOf(db))).toBe(EXPECTED);
      expectSound(db);
      db.close();
    },
  );
});

describe('one flipped bit in the file', () => {
  it('gives a CorruptionError that names the page, or the right answer', () => {
    const random = new Random(7);
    const pages = WHOLE.length / PAGE_SIZE;
    let refused = 0;
    let right = 0;
    for (let page = 1; page < pages; page += 1) {
      const at = page * PAGE_SIZE + random.below(PAGE_SIZE);
      const vfs = diskWith(changed((bytes) => (bytes[at]! ^= 1 << random.below(8))));
      const error = thrownByOrUndefined(() => {
        const db = GraphDB.open(PATH, { vfs, readOnly: true, ...SMALL });
        try {
          const { errors, isClean } = db.verifyIntegrity();
          expect([isClean, errors.length > 0]).toEqual([isClean, !isClean]);
          const found = JSON.stringify(contentOf(db));
          expect([page, found === EXPECTED]).toEqual([page, true]);
          expect([page, isClean]).toEqual([page, true]); // what was not read cannot be used: a free page
        } finally {
          db.close();
        }
      });
      if (error === undefined) right += 1;
      else {
        expect([page, error.name, error.details?.['pageNumber']]).toEqual([page, 'CorruptionError', page]);
        refused += 1;
      }
    }
    expect(refused + right).toBe(pages - 1);
    expect(refused).toBeGreaterThan(right);
  });
});

function thrownByOrUndefined(call: () => unknown): (Error & { details?: Record<string, unknown> }) | undefined {
  try {
    call();
  } catch (error) {
    return error as Error & { details?: Record<string, unknown> };
  }
  return undefined;
}

describe('a log without its file, a file without its log', () => {
  /** What is on the disk of a process that died with the database open. */
  function crashed(): { main: Uint8Array; log: Uint8Array } {
    const vfs = new MemoryVfs();
    const db = GraphDB.open(PATH, { vfs });
    write(db);
    db.checkpoint();
    db.transaction((tx) => tx.addNode('Late', { late: true }));
    return { main: bytesOf(vfs), log: bytesOf(vfs, `${PATH}-wal`) };
  }

  function opened(main: Uint8Array, log: Uint8Array | undefined): { db: GraphDB; vfs: MemoryVfs; warnings: string[] } {
    const vfs = diskWith(main);
    if (log !== undefined) {
      const file = vfs.open(`${PATH}-wal`, { write: true, create: true });
      file.pwrite([log], 0);
      file.close();
    }
    const warnings: string[] = [];
    return { db: GraphDB.open(PATH, { vfs, onWarning: ({ code }) => warnings.push(code) }), vfs, warnings };
  }

  it('together they give every commit', () => {
    const { main, log } = crashed();
    expect(codeOf(() => GraphDB.open(PATH, { vfs: diskWith(main), readOnly: true }))).toBe('SOMBRA_RECOVERY_REQUIRED');
    const { db, warnings } = opened(main, log);
    expect([db.nodeCount('Late'), warnings]).toEqual([1, []]);
    expectSound(db);
    db.close();
  });

  it('without the log the last checkpoint counts, with a warning', () => {
    const { main } = crashed();
    const { db, warnings } = opened(main, undefined);
    expect([db.nodeCount('Late'), db.nodeCount('Large'), warnings]).toEqual([0, 1, ['SOMBRA_WAL_MISSING']]);
    expectSound(db);
    db.close();
  });

  it('the log of another database is set aside, not replayed and not lost', () => {
    const { log } = crashed();
    const { db, vfs, warnings } = opened(WHOLE, log);
    expect([db.nodeCount('Late'), warnings]).toEqual([0, ['SOMBRA_WAL_SET_ASIDE']]);
    expectSound(db);
    db.close();
    const [kept] = vfs.list('.').filter((name) => name.includes('set-aside'));
    expect(Buffer.from(bytesOf(vfs, kept)).equals(log)).toBe(true);
  });
});

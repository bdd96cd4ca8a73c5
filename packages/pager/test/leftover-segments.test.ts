// Goal: sealed segments that a restore of an older main file leaves beside it (rule P1) are never written over, never replayed, never
// taken for damage, and stop nothing: each is set aside, with a warning, when its name is needed or when the log is recovered.
// Method: real files. A database is copied, goes on for many segments, and the copy is put back without its log, beside sealed segments
// of the time after it.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeVfs } from '@sombra/vfs';
import { afterAll, describe, expect, test } from 'vitest';
import { Pager } from '../src/index.ts';
import type { PagerWarning } from '../src/index.ts';
import { newPage, valueOf, write } from './support/open.ts';

const folders: string[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sombra-leftover-'));
  folders.push(path);
  return path;
}

afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

interface Restored {
  readonly path: string;
  readonly page: number;
  /** The number in the page, and of the newest commit. */
  readonly value: number;
  /** Bytes of the leftovers, by number. */
  readonly leftovers: ReadonlyMap<number, Buffer>;
}

function open(path: string, warnings: PagerWarning[] = []): Pager {
  const hooks = { warning: (warning: PagerWarning): unknown => warnings.push(warning) };
  const sizes = { pageSize: 4096, cacheSize: 32, maxWalSizeMb: 0.0625 };
  return Pager.open({ vfs: new NodeVfs(), path, ...sizes, syncMode: 'normal', hooks });
}

function put(pager: Pager, page: number, value: number): void {
  write(pager, (tx) => {
    tx.setBytes(tx.edit(page), 100, new Uint8Array(3900).fill(value), 0, 3900);
    tx.setU32(tx.edit(page), 24, value);
  });
}

/** An older copy of a database, beside segments of what came after it; not the first two, which opening looks for. */
async function restored(): Promise<Restored> {
  const directory = folder();
  const path = join(directory, 'g.db');
  const backup = join(folder(), 'g.db');
  let pager = open(path);
  const page = write(pager, (tx) => newPage(tx, 1));
  put(pager, page, 2);
  pager.close();
  copyFileSync(path, backup);
  pager = open(path);
  const snapshot = pager.snapshot(); // keeps all segments
  for (let value = 3; value < 50; value += 1) put(pager, page, value);
  const kept = folder();
  const sealed = readdirSync(directory).filter((name) => /-\d+-wal$/.test(name));
  for (const name of sealed) copyFileSync(join(directory, name), join(kept, name));
  snapshot.release();
  pager.close();
  copyFileSync(backup, path);
  const leftovers = new Map<number, Buffer>();
  const numbers = sealed.map((name) => Number(/-(\d+)-wal$/.exec(name)![1])).sort((a, b) => a - b);
  for (const number of numbers.filter((_, at) => at > 1 && at !== 4)) {
    const name = `g.db-${number}-wal`;
    copyFileSync(join(kept, name), join(directory, name));
    leftovers.set(number, readFileSync(join(kept, name)));
  }
  expect(leftovers.size).toBeGreaterThan(3);
  await new Promise((resolve) => setTimeout(resolve, 5)); // the clock goes on between a crash and a restore
  return { path, page, value: 2, leftovers };
}

/** Contents of what was set aside. */
function setAside(path: string): Buffer[] {
  const directory = join(path, '..');
  return readdirSync(directory)
    .filter((name) => name.includes('.set-aside-'))
    .map((name) => readFileSync(join(directory, name)));
}

/** @param more  whether segments of the log itself, which waited for an archive, are kept beside them (rule P6) */
function expectKept(path: string, expected: Iterable<Buffer>, more = false): void {
  const order = (buffers: Iterable<Buffer>): string[] => [...buffers].map((bytes) => bytes.toString('base64')).sort();
  const wanted = order(expected);
  expect(order(setAside(path))).toEqual(more ? expect.arrayContaining(wanted) : wanted);
}

describe.each([false, true])('with an archive: %s', (archive) => {
  test('the log goes past them, and each is kept', async () => {
    const { path, page, value, leftovers } = await restored();
    const warnings: PagerWarning[] = [];
    const pager = open(path, warnings);
    if (archive) pager.markArchived(0);
    expect(valueOf(pager.view, page)).toBe(value);
    for (let i = 1; i <= 60; i += 1) put(pager, page, value + i);
    expect(pager.check()).toEqual([]);
    expect(warnings.map(({ code }) => code)).toEqual([...leftovers].map(() => 'SOMBRA_WAL_SET_ASIDE'));
    expectKept(path, leftovers.values());
    pager.close();
    const again = open(path, warnings);
    expect([valueOf(again.view, page), again.view.lsn, again.warnings]).toEqual([value + 60, value + 60, []]);
    again.close();
    expectKept(path, leftovers.values());
  });

  test.each([1, 5, 9, 14, 20])(
    'a crash after %i commits loses none of them, and is not called damage',
    async (commits) => {
      const { path, page, value, leftovers } = await restored();
      const pager = open(path);
      if (archive) pager.markArchived(0);
      for (let i = 1; i <= commits; i += 1) put(pager, page, value + i);
      const crashed = folder();
      mkdirSync(crashed, { recursive: true });
      for (const name of readdirSync(join(path, '..'))) {
        if (!name.endsWith('-shm')) copyFileSync(join(path, '..', name), join(crashed, name));
      }
      pager.close();
      const image = join(crashed, 'g.db');
      const warnings: PagerWarning[] = [];
      const found = open(image, warnings);
      expect([valueOf(found.view, page), found.view.lsn]).toEqual([value + commits, value + commits]);
      expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['SOMBRA_WAL_SET_ASIDE']));
      for (let i = 1; i <= 60; i += 1) put(found, page, value + commits + i);
      expect(found.check()).toEqual([]);
      found.close();
      expectKept(image, leftovers.values(), archive);
    },
  );
});

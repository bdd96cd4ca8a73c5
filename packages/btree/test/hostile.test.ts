// Goal: a damaged file gives the right answer or a CorruptionError, never another exception, a hang or a memory explosion.
// Method: (1) bits of the closed file are flipped: pages carry checksums, so every answer must be right or refused. (2) fields
// and bytes of tree pages are changed through the pager, so that checksums are right and every decoder is reached: answers
// may then differ, but nothing else is thrown and every loop ends; and where check() finds nothing, all ways of reading
// agree with each other. (3) pages lead in circles. SOMBRA_RUNS=n makes n files of each kind, SOMBRA_SEED=n others.
import { Pager, type WriteTransaction } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { Random } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { BTree, KeyValueStore } from '../src/index.ts';
import * as layout from '../src/page/layout.ts';
import { bytes, digits, entriesOf, put, remove, sorted, text } from './support/entries.ts';
import { isDamage } from './support/errors.ts';
import { OpenTree, problemsOf, SMALL } from './support/open.ts';
import { shapeOf } from './support/shape.ts';
import { suiteRuns, suiteSeed } from './support/suite.ts';

/** Milliseconds; for long runs and loaded machines. */
const PATIENCE = 300_000;

/** Steps that a walk over a specimen may take: more than it can have entries. */
const STEPS_MAX = 20_000;

interface Specimen {
  /** The closed file. */
  readonly image: Uint8Array;
  readonly model: ReadonlyMap<string, string>;
}

/** A file with a tree of three levels, prefixes, slack, holes, overflow values, and a second tree. */
function specimen(): Specimen {
  const random = new Random(77);
  const db = new OpenTree({ cacheSize: 64 });
  const model = new Map<string, string>();
  db.write((tx) => {
    for (let i = 0; i < 700; i += 1) {
      const key =
        (random.chance(0.9) ? 'x'.repeat(random.below(400)) : 'key-') +
        digits(random.below(99_999), 1 + random.below(100));
      const value = 'v'.repeat(random.chance(0.02) ? 3000 + random.below(9000) : random.below(80));
      put(tx, db.tree, key, value, random.below(100));
      model.set(key, value);
    }
    for (const [key] of [...model].slice(0, 60)) {
      remove(tx, db.tree, key);
      model.delete(key);
    }
    const other = BTree.create(tx, 'other');
    for (let id = 1; id < 300; id += 1) other.putU48(tx, id, bytes('value'), 0, 5);
  });
  expect(shapeOf(db.tree, db.view)[0]!.level).toBeGreaterThanOrEqual(2);
  db.pager.close();
  const file = db.vfs.open(SMALL.path, { write: false });
  const image = new Uint8Array(file.stat().size);
  file.pread(image, 0);
  return { image, model };
}

function fileOf(image: Uint8Array): MemoryVfs {
  const vfs = new MemoryVfs();
  vfs.open(SMALL.path, { write: true, create: true }).pwrite([image], 0);
  return vfs;
}

function open(image: Uint8Array): Pager {
  return Pager.open({ vfs: fileOf(image), path: SMALL.path, cacheSize: 64, maxTransactionPages: 500 });
}

/** Counts of what happened, so that a suite that reaches nothing fails. */
interface Seen {
  answers: number;
  refused: number;
}

function attempt(seen: Seen, query: () => unknown): void {
  try {
    query();
    seen.answers += 1;
  } catch (error) {
    if (!isDamage(error)) throw error;
    seen.refused += 1;
  }
}

/** Walks over a tree, never endlessly. @returns the keys */
function walk(tree: BTree, pager: Pager, forward: boolean): string[] {
  const cursor = tree.cursor(pager.view);
  const keys: string[] = [];
  try {
    for (let on = forward ? cursor.first() : cursor.last(); on; on = forward ? cursor.next() : cursor.previous()) {
      keys.push(text(cursor.key()));
      // A forged length must not make anybody allocate more than the file can hold.
      if (cursor.value().length > pager.view.pageCount * SMALL.pageSize)
        throw new Error('a value is larger than the file');
      if (keys.length > STEPS_MAX) throw new Error('a walk does not end');
    }
  } finally {
    cursor.close();
  }
  return keys;
}

/** Reads everything in every way. */
function readAll(pager: Pager, keys: readonly string[], seen: Seen): void {
  for (const name of ['data', 'other']) {
    const tree = BTree.open(pager.view, name);
    if (tree === undefined) continue;
    for (const key of keys) attempt(seen, () => tree.get(pager.view, bytes(key)));
    for (let id = 1; id < 320; id += 40) {
      attempt(seen, () => tree.findU48(pager.view, id));
      for (let page = 3; page < 8; page += 1) {
        attempt(seen, () => tree.findInLeafU48(pager.view, page, id));
        attempt(seen, () => tree.findAtU48(pager.view, page, id, id));
      }
    }
    for (const forward of [true, false]) attempt(seen, () => walk(tree, pager, forward));
    const cursor = tree.cursor(pager.view);
    for (const key of keys.slice(0, 10)) {
      attempt(seen, () => cursor.seek(bytes(key), key.length) && cursor.previous() && cursor.value());
      attempt(seen, () => cursor.seekBefore(bytes(key), key.length) && cursor.next() && cursor.value());
    }
    cursor.close();
  }
}

/** Writes in every way, each time in a transaction that is taken back. */
function writeAll(pager: Pager, keys: readonly string[], random: Random, seen: Seen): void {
  const writes: ((tx: WriteTransaction, tree: BTree) => void)[] = [
    (tx, tree) => keys.forEach((key) => put(tx, tree, key, 'w'.repeat(random.below(200)), random.below(100))),
    (tx, tree) =>
      keys.forEach((key) => put(tx, tree, `${key}+`, 'w'.repeat(random.chance(0.1) ? 6000 : random.below(900)))),
    (tx, tree) => keys.forEach((key) => remove(tx, tree, key)),
    (tx, tree) => [...entriesOfAny(tree, tx)].forEach((key) => tree.delete(tx, key, key.length)),
    (tx, tree) => tree.drop(tx),
  ];
  for (const name of ['data', 'other']) {
    for (const write of writes) {
      const tree = BTree.open(pager.view, name);
      if (tree === undefined) continue;
      const tx = pager.begin();
      attempt(seen, () => write(tx, tree));
      tx.rollback();
    }
  }
}

function entriesOfAny(tree: BTree, tx: WriteTransaction): Uint8Array[] {
  const cursor = tree.cursor(tx.view);
  const keys: Uint8Array[] = [];
  try {
    for (let on = cursor.first(); on && keys.length < STEPS_MAX; on = cursor.next()) keys.push(cursor.key());
  } finally {
    cursor.close();
  }
  return keys;
}

test(
  'flipped bits of a file: every answer is right or refused',
  () => {
    const { image, model } = specimen();
    const random = new Random(suiteSeed(41));
    const expected = sorted(model);
    let refused = 0;
    let right = 0;
    for (let run = suiteRuns(80); run > 0; run -= 1) {
      const damaged = image.slice();
      for (let i = random.below(3); i >= 0; i -= 1) {
        const at = SMALL.pageSize * 2 + random.below(image.length - SMALL.pageSize * 2);
        damaged[at]! ^= 1 << random.below(8);
      }
      let store: KeyValueStore | undefined;
      try {
        store = KeyValueStore.open({ vfs: fileOf(damaged), path: SMALL.path, cacheSize: 64, maxTransactionPages: 8 });
        const tree = store.tree('data');
        const found = store.check();
        for (const [key, value] of expected.slice(0, 30)) expect(text(tree.get(bytes(key))!) === value).toBe(true);
        const entries = Array.from(tree.entries(), ({ key, value }) => [text(key), text(value)]);
        expect(JSON.stringify(entries) === JSON.stringify(expected)).toBe(true);
        expect(tree.count()).toBe(expected.length);
        right += 1;
        // Every page of the file is in use, so one of them must be reported, even where the answers come from the others.
        expect(found.length).toBeGreaterThan(0);
      } catch (error) {
        expect(isDamage(error) ? 'damage' : error).toBe('damage');
        refused += 1;
      }
      store?.close();
    }
    expect(refused).toBeGreaterThan(0);
    expect(right + refused).toBe(suiteRuns(80));
  },
  PATIENCE,
);

/** Offset and value that hurt: fields of the header, slots and cells more often than the rest. */
function mutate(tx: WriteTransaction, random: Random, pages: readonly number[]): void {
  const page = random.pick(pages);
  const base = tx.edit(page);
  const { halves, bytes: all } = tx.view.cache;
  const count = halves[(base + layout.SLOT_COUNT_OFFSET) >> 1]!;
  const prefix = layout.align4(halves[(base + layout.PREFIX_LENGTH_OFFSET) >> 1]!);
  const slots = layout.PREFIX_OFFSET + prefix;
  let offset: number;
  const kind = random.below(10);
  if (kind < 4) offset = layout.KIND_OFFSET + random.below(24);
  else if (kind < 7) offset = slots + random.below(count + 1) * layout.SLOT_SIZE + random.below(8);
  else if (kind < 9)
    offset = halves[(base + slots + random.below(count + 1) * layout.SLOT_SIZE) >> 1]! + random.below(12);
  else offset = layout.KIND_OFFSET + random.below(SMALL.pageSize - layout.KIND_OFFSET);
  if (!(offset >= layout.KIND_OFFSET && offset + 4 <= SMALL.pageSize))
    offset = layout.KIND_OFFSET + random.below(SMALL.pageSize - 32);
  const width = random.below(4);
  const old = all[base + offset]!;
  if (width === 0) tx.setU8(base, offset, old ^ (1 << random.below(8)));
  else if (width === 1)
    tx.setU8(base, offset, random.pick([0, 1, 0x7f, 0x80, 0xff, old + 1, old - 1, random.below(256)]) & 0xff);
  else if (width === 2)
    tx.setU16(
      base,
      offset,
      random.pick([0, 1, 4, 0x8000, 0x8008, 0xffff, SMALL.pageSize, SMALL.pageSize - 4, random.below(65_536)]),
    );
  else tx.setU32(base, offset, random.pick([0, page, random.pick(pages), 2 ** 32 - 1, random.below(2 ** 32)]));
}

test(
  'changed tree pages with right checksums: nothing but CorruptionError is thrown, and what check() passes is consistent',
  () => {
    const { image, model } = specimen();
    const random = new Random(suiteSeed(42));
    const seen = { answers: 0, refused: 0 };
    const keys = [...model.keys()];
    let sound = 0;
    for (let run = suiteRuns(100); run > 0; run -= 1) {
      const pager = open(image);
      const pages = Array.from({ length: pager.view.pageCount - 3 }, (_, i) => i + 3);
      const tx = pager.begin();
      for (let i = random.below(4); i >= 0; i -= 1) mutate(tx, random, pages);
      tx.commit();
      const sample = Array.from({ length: 25 }, () => random.pick(keys));
      readAll(pager, sample, seen);
      const found = problemsOf(pager);
      if (found.length === 0) {
        sound += 1;
        for (const name of ['data', 'other']) {
          const tree = BTree.open(pager.view, name)!;
          const forward = walk(tree, pager, true);
          expect(walk(tree, pager, false).reverse()).toEqual(forward);
          expect(forward).toEqual([...forward].sort());
          expect(tree.count(pager.view)).toBe(forward.length);
          for (const key of forward) expect(tree.has(pager.view, bytes(key))).toBe(true);
        }
      }
      writeAll(pager, sample, random, seen);
      expect(problemsOf(pager)).toEqual(found);
      pager.close();
    }
    expect(seen.refused).toBeGreaterThan(suiteRuns(100));
    expect(seen.answers).toBeGreaterThan(suiteRuns(100) * 50);
    expect(sound).toBeGreaterThan(0);
  },
  PATIENCE,
);

test(
  'branches, leaves and chains that lead in circles: every walk ends',
  () => {
    const { image, model } = specimen();
    const random = new Random(suiteSeed(43));
    const seen = { answers: 0, refused: 0 };
    const keys = [...model.keys()].slice(0, 20);
    for (let run = suiteRuns(40); run > 0; run -= 1) {
      const pager = open(image);
      const tree = BTree.open(pager.view, 'data')!;
      const pages = shapeOf(tree, pager.view);
      const tx = pager.begin();
      for (let i = random.below(3); i >= 0; i -= 1) {
        // A child of a branch becomes another page of the same level: identities are right, the way is not.
        const branch = random.pick(pages.filter(({ level }) => level > 0));
        const target = random.pick(pages.filter(({ level }) => level === branch.level - 1)).page;
        const base = tx.edit(branch.page);
        if (random.chance(0.3) || branch.slots === 0) tx.setU32(base, layout.FIRST_CHILD_OFFSET, target);
        else {
          const slots = layout.PREFIX_OFFSET + layout.align4(branch.prefixLength);
          tx.setU32(
            base,
            tx.view.cache.halves[(base + slots + random.below(branch.slots) * layout.SLOT_SIZE) >> 1]!,
            target,
          );
        }
      }
      tx.commit();
      readAll(pager, keys, seen);
      writeAll(pager, keys, random, seen);
      problemsOf(pager);
      pager.close();
    }
    expect(seen.refused).toBeGreaterThan(suiteRuns(40));
  },
  PATIENCE,
);

test('the catalogue counts fewer entries than there are: a delete says so', () => {
  const { image } = specimen();
  const pager = open(image);
  const tree = BTree.open(pager.view, 'data')!;
  let tx = pager.begin();
  tx.addTreeCount(tree.slot, -tree.count(pager.view));
  tx.commit();
  tx = pager.begin();
  const [key] = entriesOfAny(tree, tx);
  expect(() => tree.delete(tx, key!, key!.length)).toThrow(
    expect.objectContaining({ code: 'SOMBRA_TREE_COUNT', name: 'CorruptionError' }),
  );
  expect(tx.state).toBe('rolled-back');
  expect(entriesOf(tree, pager.view).length).toBeGreaterThan(0);
  pager.close();
});

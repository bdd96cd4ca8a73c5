// Goal: the noted operations, applied to the old page, give the new page; merging and going back never change that.
// Method: random writes on a page, noted as a transaction notes them, replayed by the log's own applyOps; marks at random.
import { applyOps } from '@sombra/wal';
import { expect, test } from 'vitest';
import type { OpMark } from '../src/pages/op-log.ts';
import { NO_OP, OpLog } from '../src/pages/op-log.ts';
import { firstDifference } from './support/bytes.ts';
import { Random, seeds } from './support/random.ts';

const PAGE = 4096;

/** Applies the list of page d to a copy of `before`. */
function replay(log: OpLog, d: number, before: Uint8Array): Uint8Array {
  const page = before.slice();
  let ops = 0;
  let bytes = 0;
  for (let chunk = log.firstChunk(d); chunk !== NO_OP; chunk = log.nextChunk(chunk)) {
    applyOps(page, 0, PAGE, log.bytes, log.chunkFrom(chunk), log.chunkTo(chunk));
    ops += log.chunkOperations(chunk);
    bytes += log.chunkTo(chunk) - log.chunkFrom(chunk);
  }
  expect(ops).toBe(log.operations(d));
  expect(bytes).toBe(log.byteLength(d));
  return page;
}

/** One random change, made and noted. */
function change(log: OpLog, d: number, page: Uint8Array, random: Random): void {
  const at = 16 + random.below(PAGE - 16 - 300);
  const length = 1 + random.below(random.chance(0.1) ? 300 : 12);
  switch (random.below(10)) {
    case 0: {
      const to = 16 + random.below(PAGE - 16 - 300);
      page.copyWithin(to, at, at + length);
      return log.move(d, to, at, length);
    }
    case 1: {
      page.fill(0x55, at, at + length);
      return log.fill(d, at, length, 0x55);
    }
    default: {
      page.set(random.bytes(length), at);
      log.set(d, page, 0, at, length);
      // Often go on right behind, or near by: the case for merging.
      for (let next = at + length; random.chance(0.5) && next < PAGE - 40; ) {
        const from = next + random.below(9) - 2;
        const more = 1 + random.below(20);
        page.set(random.bytes(more), from);
        log.set(d, page, 0, from, more);
        next = from + more;
      }
    }
  }
}

test.each(seeds(40))('seed %i: replay gives the page, also after going back', (seed) => {
  const random = new Random(seed);
  const log = new OpLog();
  for (let round = 0; round < 5; round += 1) {
    log.reset();
    const count = 1 + random.below(200);
    const before = Array.from({ length: count }, () => random.bytes(PAGE));
    const now: Uint8Array[] = before.map((page) => page.slice());
    for (let d = 0; d < count; d += 1) log.begin(d);
    const marks: { d: number; mark: OpMark; page: Uint8Array }[] = [];
    for (let step = 0; step < 300; step += 1) {
      const d = random.below(count);
      if (random.chance(0.05)) {
        const mark: OpMark = { head: 0, tail: 0, used: 0, chunkOps: 0, words: 0, ops: 0 };
        log.mark(d, mark);
        marks.push({ d, mark, page: now[d]!.slice() });
      } else if (marks.length > 0 && random.chance(0.03)) {
        const back = random.below(marks.length);
        for (const { d: page, mark, page: bytes } of marks.splice(back).reverse()) {
          log.rewind(page, mark);
          now[page] = bytes;
        }
      } else change(log, d, now[d]!, random);
    }
    for (let d = 0; d < count; d += 1) expect(firstDifference(replay(log, d, before[d]!), now[d]!)).toBe(-1);
  }
});

test('neighbouring, overlapping and repeated writes become one operation', () => {
  const log = new OpLog();
  const page = new Random(1).bytes(PAGE);
  log.begin(0);
  log.set(0, page, 0, 100, 2);
  log.set(0, page, 0, 102, 3); // right behind
  log.set(0, page, 0, 101, 2); // within
  log.set(0, page, 0, 104, 8); // over the end
  log.set(0, page, 0, 116, 4); // behind a gap smaller than an operation's header
  expect(log.operations(0)).toBe(1);
  expect(log.byteLength(0)).toBe(6 + 20);
  log.set(0, page, 0, 200, 4); // too far
  log.set(0, page, 0, 190, 4); // before
  expect(log.operations(0)).toBe(3);
});

test('what a mark has seen is not merged into', () => {
  const log = new OpLog();
  const page = new Random(1).bytes(PAGE);
  log.begin(0);
  log.set(0, page, 0, 100, 2);
  const mark: OpMark = { head: 0, tail: 0, used: 0, chunkOps: 0, words: 0, ops: 0 };
  log.mark(0, mark);
  const kept = replay(log, 0, new Uint8Array(PAGE));
  page.fill(0xab, 100, 104);
  log.set(0, page, 0, 100, 4);
  expect(log.operations(0)).toBe(2);
  log.rewind(0, mark);
  expect(replay(log, 0, new Uint8Array(PAGE))).toEqual(kept);
});

test('what a savepoint took of the arena is given back, and the list before it is whole', () => {
  const log = new OpLog();
  const page = new Uint8Array(PAGE);
  const before = page.slice();
  log.begin(0);
  page.fill(1, 100, 110);
  log.set(0, page, 0, 100, 10);
  const kept = page.slice();
  const { length } = log.words;
  for (let round = 0; round < 500; round += 1) {
    const mark: OpMark = { head: 0, tail: 0, used: 0, chunkOps: 0, words: 0, ops: 0 };
    const { used } = log;
    log.mark(0, mark);
    log.begin(1);
    for (let at = 200; at < 3000; at += 20) {
      log.set(0, page, 0, at, 4);
      log.set(1, page, 0, at, 4);
    }
    log.rewind(0, mark);
    log.giveBack(used);
  }
  expect(log.words.length).toBe(length);
  expect(firstDifference(replay(log, 0, before), kept)).toBe(-1);
});

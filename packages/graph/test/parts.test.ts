// Goal: the small parts that traversal and writing stand on do what their comments say.
// Method: each against the plainest JavaScript that gives the same answer.
import { describe, expect, test } from 'vitest';
import { textSize, ByteWriter } from '../src/values/byte-writer.ts';
import { EdgeColumns } from '../src/adjacency/edge-columns.ts';
import { HintTable } from '../src/ids/hint-table.ts';
import { NodeMarks } from '../src/traversal/node-marks.ts';
import { sameValue } from '../src/values/same-value.ts';
import { valueHash } from '../src/values/value-hash.ts';
import { codeOf } from './support/errors.ts';
import { Random } from './support/random.ts';

describe('byte writer', () => {
  test('text becomes the UTF-8 that the platform makes, and its size is known before', () => {
    const random = new Random(1);
    const ranges = [[0, 0x80], [0x80, 0x800], [0x800, 0xd800], [0xe000, 0x10000], [0x10000, 0x110000]] as const; // prettier-ignore
    for (let run = 0; run < 2000; run += 1) {
      const text = Array.from({ length: random.below(12) }, () => {
        const [from, to] = random.pick(ranges);
        return String.fromCodePoint(from + random.below(to - from));
      }).join('');
      const expected = new TextEncoder().encode(text);
      const writer = new ByteWriter();
      writer.utf8(text, textSize(text));
      const same =
        textSize(text) === expected.length && Buffer.compare(writer.bytes.subarray(0, writer.length), expected) === 0;
      expect([text, same]).toEqual([text, true]);
    }
  });

  test('exactly the texts that toWellFormed would change are refused', () => {
    const random = new Random(2);
    const units = [0x41, 0xe9, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xffff];
    for (let run = 0; run < 5000; run += 1) {
      const text = String.fromCharCode(...Array.from({ length: random.below(5) }, () => random.pick(units)));
      const wellFormed =
        Buffer.from(text, 'utf16le').toString('utf16le') === text &&
        new TextDecoder().decode(new TextEncoder().encode(text)) === text;
      expect(codeOf(() => textSize(text))).toBe(wellFormed ? 'no error' : 'SOMBRA_TEXT_SURROGATE');
    }
  });

  test('it grows without losing what it holds', () => {
    const writer = new ByteWriter();
    const expected: number[] = [];
    for (let i = 0; i < 3000; i += 1) {
      writer.u8(i);
      writer.raw(Uint8Array.of(1, 2, 3), 1, 3);
      expected.push(i & 255, 2, 3);
    }
    expect(Buffer.compare(writer.bytes.subarray(0, writer.length), Uint8Array.from(expected))).toBe(0);
  });
});

describe('node marks', () => {
  test.each([
    ['a place per id', 1 << 24],
    ['a hash table', 0],
  ])('%s: a set in the order of adding, over many uses', (_name, denseMax) => {
    const random = new Random(3);
    const marks = new NodeMarks();
    for (let use = 0; use < 60; use += 1) {
      const limit = random.pick([10, 1000, 20_000]);
      marks.begin(limit, denseMax);
      expect(marks.dense).toBe(denseMax > 0);
      const model = new Map<number, number>();
      const wrong: number[] = [];
      for (let i = random.below(3000); i > 0; i -= 1) {
        const id = 1 + random.below(limit - 1);
        if (marks.add(id) === model.has(id)) wrong.push(id);
        if (!model.has(id)) model.set(id, model.size);
      }
      for (let id = 1; id < limit; id += 1) if (marks.indexOf(id) !== (model.get(id) ?? -1)) wrong.push(id);
      expect([marks.count, wrong]).toEqual([model.size, []]);
    }
  });

  test('ids of 48 bits in the hash table', () => {
    const marks = new NodeMarks();
    marks.begin(2 ** 48);
    expect(marks.dense).toBe(false);
    const ids = Array.from({ length: 5000 }, (_, i) => 2 ** 47 + i * 2 ** 20 + (i % 3));
    ids.forEach((id) => expect(marks.add(id)).toBe(true));
    ids.forEach((id, i) => expect([marks.add(id), marks.indexOf(id)]).toEqual([false, i]));
    expect(marks.indexOf(1)).toBe(-1);
  });

  test('marks of earlier uses never shine through, also when the numbers run out', () => {
    const marks = new NodeMarks();
    marks.begin(100);
    marks.base = 0xffff_ff00; // as after four billion nodes
    marks.add(5);
    marks.begin(100);
    expect(marks.indexOf(5)).toBe(-1);
    for (let id = 1; id < 100; id += 1) expect(marks.add(id)).toBe(true);
    marks.begin(100);
    expect(marks.add(99)).toBe(true);
  });

  test.each([1 << 24, 0])('a neighbour that was never given out is damage (places up to %i)', (denseMax) => {
    const marks = new NodeMarks();
    marks.begin(50, denseMax);
    expect(codeOf(() => marks.add(50))).toBe('SOMBRA_ADJACENCY');
    expect(codeOf(() => marks.add(2 ** 40))).toBe('SOMBRA_ADJACENCY');
    expect(codeOf(() => marks.add(49))).toBe('no error');
  });
});

describe('edge columns', () => {
  test('growing, removing and sorting keep the columns together', () => {
    const random = new Random(4);
    const columns = new EdgeColumns();
    let model: [number, number, number][] = [];
    for (let i = 0; i < 500; i += 1) {
      const row: [number, number, number] = [random.below(2 ** 32) * 2 ** 16, i + 1, random.below(5)];
      columns.push(...row);
      model.push(row);
      if (!random.chance(0.3)) continue;
      const at = random.below(columns.length);
      columns.removeAt(at);
      model.splice(at, 1);
    }
    const rows = (): unknown[] =>
      Array.from({ length: columns.length }, (_, i) => [columns.neighbours[i], columns.edges[i], columns.types[i]]);
    expect(rows()).toEqual(model);
    columns.sort(true);
    expect(rows()).toEqual((model = model.toSorted((a, b) => a[2] - b[2] || a[1] - b[1])));
    columns.sort(false);
    expect(rows()).toEqual(model.toSorted((a, b) => a[1] - b[1]));
  });
});

describe('hint table', () => {
  test('it grows with the ids up to its memory, keeps what it holds, and then shares places', () => {
    const hints = new HintTable(6 * 4096);
    hints.note(hints.place(1000), 77, 3);
    hints.fit(3000);
    expect([hints.memory, hints.place(1000), hints.pages[1000], hints.slots[1000]]).toEqual([6 * 4096, 1000, 77, 3]);
    hints.fit(2 ** 40);
    expect(hints.memory).toBe(6 * 4096);
    for (const id of [4096, 2 ** 33 + 5, 2 ** 48 - 1]) expect(hints.place(id)).toBe(id % 4096);
    expect(new HintTable(0).memory).toBe(6 * 1024);
  });
});

test('values are the same by value, whatever their kind of number; NaN never is', () => {
  const same: [unknown, unknown][] = [[1, 1], [1, 1n], [2n ** 60n, 2n ** 60n], [2 ** 60, 2n ** 60n], [0, -0], ['a', 'a'], [new Date(5), new Date(5)], [Uint8Array.of(1), Uint8Array.of(1)], [[1, ['a']], [1n, ['a']]], [{ a: 1, b: [2] }, { b: [2], a: 1 }], [true, true]]; // prettier-ignore
  const different: [unknown, unknown][] = [[NaN, NaN], [1, '1'], [1n, '1'], [1, true], [0, false], [2 ** 53, 2n ** 53n + 1n], [new Date(1), 1], [new Date(1), {}], [[1], [1, 2]], [[1], Uint8Array.of(1)], [{ a: 1 }, { a: 1, b: 1 }], [{ a: 1 }, { b: 1 }], [{ a: 1 }, null], [{}, []], [{ toString: 1 }, {}], [{}, new Date(0)]]; // prettier-ignore
  for (const [a, b] of same)
    expect([a, b, sameValue(a as never, b as never), sameValue(b as never, a as never), valueHash(a as never)]).toEqual([a, b, true, true, valueHash(b as never)]); // prettier-ignore
  for (const [a, b] of different)
    expect([a, b, sameValue(a as never, b as never), sameValue(b as never, a as never)]).toEqual([a, b, false, false]);
});

// Goal: durations are counted in the right bucket, added up, and quantiles of the newest ones are exact.
// Method: cases with known durations, and random ones against a sorted list.
import { expect, test } from 'vitest';
import { Latency, LATENCY_BOUNDS, quantileOf } from '../src/index.ts';
import { Random } from '../src/testing/index.ts';

test('without durations everything is 0, and no quantile exists', () => {
  const snapshot = new Latency(10).snapshot();
  expect(snapshot).toEqual({
    bounds: LATENCY_BOUNDS,
    counts: LATENCY_BOUNDS.map(() => 0).concat(0),
    count: 0,
    sum: 0,
    newest: [],
  });
  expect(quantileOf(snapshot, 0.95)).toBe(undefined);
});

test('a duration on a bound belongs to the bucket below it, one above all bounds to the last', () => {
  const latency = new Latency(100);
  for (const seconds of LATENCY_BOUNDS) latency.record(seconds * 1000);
  latency.record(10_001);
  latency.record(-5);
  const { counts, count, sum } = latency.snapshot();
  expect(counts).toEqual([2, ...LATENCY_BOUNDS.slice(1).map(() => 1), 1]);
  expect(count).toBe(LATENCY_BOUNDS.length + 2);
  expect(sum).toBeCloseTo(LATENCY_BOUNDS.reduce((a, b) => a + b, 0) + 10.001, 9);
});

test('quantiles are those of the newest durations', () => {
  const latency = new Latency(100);
  for (let ms = 1; ms <= 250; ms += 1) latency.record(ms);
  const snapshot = latency.snapshot();
  expect([snapshot.count, snapshot.newest.length]).toEqual([250, 100]);
  expect([0, 0.5, 0.95, 0.99, 1].map((q) => quantileOf(snapshot, q))).toEqual([0.151, 0.2, 0.245, 0.249, 0.25]);
});

test('a snapshot does not change any more', () => {
  const latency = new Latency(4);
  latency.record(1);
  const before = latency.snapshot();
  latency.record(2);
  expect([before.count, before.newest]).toEqual([1, [0.001]]);
});

test('random durations agree with a sorted list', () => {
  const random = new Random(7);
  const latency = new Latency(5000);
  const all = Array.from({ length: 3000 }, () => 10 ** ((random.below(1_000_000) / 1_000_000) * 8 - 4));
  for (const ms of all) latency.record(ms);
  const sorted = all.map((ms) => ms / 1000).sort((a, b) => a - b);
  const snapshot = latency.snapshot();
  expect(snapshot.newest).toEqual(sorted);
  for (const q of [0.01, 0.5, 0.9, 0.999]) expect(quantileOf(snapshot, q)).toBe(sorted[Math.ceil(q * 3000) - 1]);
  snapshot.bounds.forEach((bound, at) => {
    const below = snapshot.counts.slice(0, at + 1).reduce((a, b) => a + b, 0);
    expect(below).toBe(all.filter((ms) => ms <= bound * 1000).length);
  });
});

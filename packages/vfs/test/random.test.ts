// Goal: one seed, one run. Method: fixed values, ranges, and the environment variables.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Random, seeds } from '../src/testing/index.ts';

afterEach(() => vi.unstubAllEnvs());

describe('Random', () => {
  test('the same seed gives the same numbers, for good', () => {
    const random = new Random(1000);
    expect(Array.from({ length: 4 }, () => random.next())).toEqual([19773483, 114222581, 831840507, 2356654335]);
    expect(new Random(1000).bytes(9)).toEqual(new Random(1000).bytes(9));
    expect(new Random(1000).next()).not.toBe(new Random(1001).next());
    expect(new Random(1).next()).not.toBe(new Random(1 + 2 ** 32).next());
  });

  test('a fork depends on seed and name, not on what was drawn, and shifts nothing', () => {
    const one = new Random(5);
    const two = new Random(5);
    one.next();
    expect(one.fork('disk').next()).toBe(two.fork('disk').next());
    expect(one.fork('disk').next()).not.toBe(one.fork('load').next());
    two.next();
    expect(one.next()).toBe(two.next());
    expect(new Random(1).fork('a').next()).not.toBe(new Random(1 + 2 ** 32).fork('a').next());
    expect(one.fork('a').fork('b').next()).not.toBe(one.fork('b').fork('a').next());
  });

  test.each([1, 2, 7, 256, 2 ** 32, 2 ** 40, 2 ** 53])('below %i stays below, and gets around', (limit) => {
    const random = new Random(3);
    const drawn = Array.from({ length: 500 }, () => random.below(limit));
    expect(drawn.every((value) => Number.isSafeInteger(value) && value >= 0 && value < limit)).toBe(true);
    expect(Math.max(...drawn)).toBeGreaterThanOrEqual(Math.floor(limit * 0.9) - 1);
    expect(Math.min(...drawn)).toBeLessThanOrEqual(limit * 0.1);
  });

  test('chance, pick, bytes', () => {
    const random = new Random(4);
    const hits = Array.from({ length: 1000 }, () => random.chance(0.25)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(190);
    expect(hits).toBeLessThan(310);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
    expect(new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c']))).size).toBe(3);
    expect(() => random.pick([])).toThrow(RangeError);
    expect([0, 1, 3, 4, 5].map((length) => random.bytes(length).length)).toEqual([0, 1, 3, 4, 5]);
    expect(new Set(random.bytes(5000)).size).toBe(256);
  });

  test.each([-1, 0.5, NaN, 2 ** 53])('a seed of %d is refused', (seed) => {
    expect(() => new Random(seed)).toThrow(RangeError);
  });
});

describe('seeds', () => {
  test('as many as asked for', () => {
    vi.stubEnv('SOMBRA_SEED', undefined);
    vi.stubEnv('SOMBRA_RUNS', undefined);
    expect(seeds(3)).toEqual([1000, 1001, 1002]);
    expect(seeds(2, 7)).toEqual([7, 8]);
  });

  test('SOMBRA_RUNS and SOMBRA_SEED', () => {
    vi.stubEnv('SOMBRA_SEED', '');
    vi.stubEnv('SOMBRA_RUNS', '2');
    expect(seeds(100)).toEqual([1000, 1001]);
    vi.stubEnv('SOMBRA_SEED', '77');
    expect(seeds(100)).toEqual([77]);
    vi.stubEnv('SOMBRA_SEED', 'abc');
    expect(() => seeds(100)).toThrow('SOMBRA_SEED=abc');
  });
});

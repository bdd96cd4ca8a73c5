// Goal: what observes every database is one list, whichever copy of the package added to it.
import { expect, test } from 'vitest';
import { addDefaultObserver, defaultObservers } from '../src/index.ts';

test('factories are kept in order, and each addition is ended by itself', () => {
  const before = defaultObservers().length;
  const make = (path: string): object => ({ path });
  const endFirst = addDefaultObserver(make);
  const endSecond = addDefaultObserver(make);
  const added = defaultObservers().slice(before);
  expect(added.map((each) => each('a.db'))).toEqual([{ path: 'a.db' }, { path: 'a.db' }]);
  endFirst();
  endFirst();
  expect(defaultObservers().length).toBe(before + 1);
  endSecond();
  expect(defaultObservers().length).toBe(before);
});

test('the list belongs to the process, not to this copy of the package', () => {
  const end = addDefaultObserver(() => ({ mine: true }));
  const shared = (globalThis as Record<symbol, unknown>)[Symbol.for('sombra.default-observers')] as Set<unknown>;
  expect(shared.size).toBe(defaultObservers().length);
  end();
  expect(shared.size).toBe(defaultObservers().length);
});

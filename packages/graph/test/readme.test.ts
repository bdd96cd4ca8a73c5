// Goal: the example of algorithms in the README runs and gives what it says (the first one is run from the packed package).
// Method: the example is a file beside this one; it must stand in the README as it is, and is imported.
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';

const EXAMPLE = new URL('./examples/algorithms.js', import.meta.url);

test('the example of traversal and algorithms runs as it stands in the README', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map((found) => found[1]);
  expect(blocks).toContain(readFileSync(EXAMPLE, 'utf8'));
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(EXAMPLE.href);
  expect(log.mock.calls).toEqual([['From Basel to Davos in 215 minutes']]);
  log.mockRestore();
});

// Goal: the page that says which function and which test keeps each rule of the protocol names what exists, and every rule.
// Method: read its tables; look for the files and functions; look for the steps in the model's sources.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

const RULES = { F: 6, L: 9, C: 7, R: 4, K: 8, O: 7, E: 5, P: 6 };
const rows = read('docs/internals/protocol.md')
  .split('\n')
  .filter((line) => /^\| [A-Z]\d /.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, rule, , steps, functions, tests]) => ({ rule: rule!, steps: steps!, functions: functions!, tests: tests! }));
const model = readdirSync(new URL('tooling/protocol-model/', ROOT))
  .filter((name) => name.endsWith('.mjs'))
  .map((name) => read(`tooling/protocol-model/${name}`))
  .join('\n');

test('every rule has its row', () => {
  const all = Object.entries(RULES).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, at) => `${letter}${at + 1}`),
  );
  expect(rows.map(({ rule }) => rule)).toEqual(all);
});

test.each(rows)('$rule: what is named exists', ({ steps, functions, tests }) => {
  for (const [, step] of steps.matchAll(/`([^`]+)`/g)) expect(model).toContain(step);
  for (const [, path, name] of functions.matchAll(/`([^`]+)` (\w+)/g)) {
    expect(read(`packages/${path}`)).toMatch(new RegExp(`(function|static|async|private|^ +|#)\\s*${name}[(<]`, 'm'));
  }
  for (const [, path] of tests.matchAll(/`([^`]+)`/g)) expect(read(`packages/${path}`).length).toBeGreaterThan(0);
  if (functions !== '-') expect(functions).toMatch(/`[^`]+` \w+/);
});

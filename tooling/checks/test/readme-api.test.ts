// Goal: what a package gives can be found in its README. Method: the entry points are read by the compiler; every exported class, function
// and constant, and every public method of exported classes and interfaces, has to stand in the README, in a code span or block.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codeWords, publicApis } from './public-api.ts';
import { publishedPackages, ROOT } from './repository.ts';

it('reads code and nothing else as a name', () => {
  const words = codeWords('see open\n\n```js\nGraphDB.open(path)\n```\n\nand `tx.addNode(…)`');
  expect([...words].sort()).toEqual(['GraphDB', 'addNode', 'js', 'open', 'path', 'tx']);
  expect(codeWords('open it').size).toBe(0);
});

const packages = publishedPackages();
const apis = publicApis(packages);

it.each(packages.map((entry) => [entry.json.name, entry] as const))(
  '%s: every export and method is named',
  (name, entry) => {
    const { exports, methods } = apis.get(name)!;
    if (entry.json.exports?.['.'] !== undefined) expect(exports.length).toBeGreaterThan(1);
    const words = codeWords(readFileSync(join(ROOT, entry.folder, 'README.md'), 'utf8'));
    const missing = [...new Set([...exports, ...methods])].filter((each) => !words.has(each));
    expect(missing, `not in ${entry.folder}/README.md`).toEqual([]);
  },
);

// The entry points of a package: what its package.json exports and starts, and what its build script names besides.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} folder  of the package
 * @returns {Record<string, string>} source file, relative to the folder, by the name of its bundle in dist/, without `.js`
 */
export function entryPoints(folder) {
  const { exports = {}, bin = {}, scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const built = Object.values(exports).flatMap((target) => (target.default === undefined ? [] : [target.default]));
  const names = [...built, ...Object.values(bin)].map((file) => file.replace(/^\.\/dist\/|\.js$/g, ''));
  const own = names.map((name) => [name, `src/${name}.ts`]);
  // Threads and what the tests start: in dist/ itself, so that a bundle finds them beside it, in whatever folder their source lies.
  const more = scripts.build
    .split('build-package.js')[1]
    .trim()
    .split(/\s+/)
    .filter((name) => name !== '' && !name.startsWith('--'));
  return Object.fromEntries([...own, ...more.map((name) => [name.split('/').at(-1), `src/${name}.ts`])]);
}

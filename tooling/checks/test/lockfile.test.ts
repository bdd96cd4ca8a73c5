// Goal: a clean checkout installs on every platform: an install without optional packages must not have left them out of the lockfile.
// Method: what esbuild names as optional in its package is in the lockfile.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './repository.ts';

test('the lockfile has the optional packages of every platform', () => {
  const lockfile = readFileSync(join(ROOT, 'pnpm-lock.yaml'), 'utf8');
  const require = createRequire(join(ROOT, 'package.json'));
  const { optionalDependencies } = require('esbuild/package.json') as { optionalDependencies: Record<string, string> };
  const names = Object.entries(optionalDependencies).map(([name, version]) => `'${name}@${version}':`);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !lockfile.includes(name))).toEqual([]);
});

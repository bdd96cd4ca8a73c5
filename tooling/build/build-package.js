// Builds the package in the current folder into dist/: a bundle for each entry point, so that a program that starts reads a handful
// of files instead of hundreds, and the declarations of every source file. Nothing from outside the package is bundled, nothing is
// minified, and the source maps lead to src/, which is published as well.
//
//   node build-package.js [source of a further entry point…] [--no-check]
//
// With --no-check the declarations are written without checking types.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { entryPoints } from './entry-points.js';

const folder = process.cwd();
rmSync(join(folder, 'dist'), { recursive: true, force: true });

const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const args = [TSC, '-p', 'tsconfig.build.json', ...(process.argv.includes('--no-check') ? ['--noCheck'] : [])];
const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

await build({
  absWorkingDir: folder,
  entryPoints: entryPoints(folder),
  outdir: 'dist',
  bundle: true,
  // What two entry points share is one module, with one state, in a file of its own.
  splitting: true,
  // So is what is loaded later, by import(). One pattern for both: prune-dist.js knows them by it.
  chunkNames: 'chunk-[hash]',
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  tsconfig: fileURLToPath(new URL('../tsconfig/base.json', import.meta.url)),
  logLevel: 'warning',
});

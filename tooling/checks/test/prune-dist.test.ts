// Goal: dist/ holds what the sources of today give, and nothing of a file that was moved. Method: a folder with stale output, and the
// built packages themselves.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { prune, staleFiles } from '../../build/prune-dist.js';
import { publishedPackages, ROOT } from './repository.ts';

it('removes the output of sources that are gone, and their folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sombra-prune-'));
  const touch = (file: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  };
  try {
    const manifest = {
      exports: { '.': { default: './dist/index.js' }, './package.json': './package.json' },
      bin: { tool: './dist/tool.js' },
      scripts: { build: 'node ../build-package.js room/worker' },
    };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    ['src/index.ts', 'src/tool.ts', 'src/room/worker.ts'].forEach(touch);
    const kept = ['index.js', 'index.js.map', 'tool.js', 'worker.js', 'chunk-AAAAAAA1.js', 'chunk-AAAAAAA2.js.map'];
    const declarations = ['index.d.ts', 'index.d.ts.map', 'room/worker.d.ts'];
    const stale = [
      'b.d.ts.map',
      'b.js',
      'chunk-AAAAAAA3.js',
      'chunk-AAAAAAA3.js.map',
      'old/deep/c.d.ts',
      'room/worker.js',
    ];
    [...kept, ...declarations, ...stale].forEach((file) => touch(`dist/${file}`));
    writeFileSync(join(folder, 'dist/index.js'), 'import { a } from "./chunk-AAAAAAA1.js";');
    writeFileSync(join(folder, 'dist/chunk-AAAAAAA1.js'), 'import "./chunk-AAAAAAA2.js";');
    expect(staleFiles(folder).sort()).toEqual(stale);
    prune(folder);
    const left = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' });
    expect(left.sort()).toEqual([...kept, ...declarations, 'room'].sort());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it.each(publishedPackages().map(({ folder }) => folder))('%s has no stale output', (folder) => {
  expect(existsSync(join(ROOT, folder, 'dist')), 'run `pnpm build` first').toBe(true);
  expect(staleFiles(join(ROOT, folder))).toEqual([]);
});

// Goal: dist/ holds what the sources of today give, and nothing of a file that was moved. Method: a folder with stale output, and the
// built packages themselves.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { prune, staleFiles } from '../../prune-dist.js';
import { publishedPackages, ROOT } from './repository.ts';

it('removes the output of sources that are gone, and their folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sombra-prune-'));
  const touch = (file: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  };
  try {
    ['src/a.ts', 'src/room/b.ts'].forEach(touch);
    ['dist/a.js', 'dist/a.js.map', 'dist/a.d.ts', 'dist/a.d.ts.map', 'dist/room/b.js'].forEach(touch);
    ['dist/b.js', 'dist/b.d.ts.map', 'dist/old/deep/c.js'].forEach(touch);
    expect(staleFiles(folder).sort()).toEqual(['b.d.ts.map', 'b.js', 'old/deep/c.js']);
    prune(folder);
    const left = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' }).sort();
    expect(left).toEqual(['a.d.ts', 'a.d.ts.map', 'a.js', 'a.js.map', 'room', join('room', 'b.js')]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it.each(publishedPackages().map(({ folder }) => folder))('%s has no stale output', (folder) => {
  expect(existsSync(join(ROOT, folder, 'dist')), 'run `pnpm build` first').toBe(true);
  expect(staleFiles(join(ROOT, folder))).toEqual([]);
});

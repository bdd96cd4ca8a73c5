// Goal: the picture of layers in docs/ARCHITECTURE.md is the truth. Method: every published package's dependencies are
// held against the list that the lint rule uses, and that list against the table in the document.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LAYERS } from '../layers.js';
import { publishedPackages, ROOT } from './repository.ts';

const layers: Record<string, string[]> = LAYERS;
const packages = publishedPackages();

describe('layers', () => {
  it('knows every published package', () => {
    expect(packages.map(({ folder }) => folder).sort()).toEqual(Object.keys(layers).sort());
  });

  it.each(packages.map((entry) => [entry.json.name, entry] as const))(
    '%s depends on lower layers only',
    (_name, entry) => {
      const own = Object.keys(entry.json.dependencies ?? {}).filter((name) => name.startsWith('@sombra/'));
      const allowed = layers[entry.folder] ?? [];
      expect(own.filter((name) => !allowed.includes(name))).toEqual([]);
    },
  );

  it('keeps the storage stack free of outside dependencies, the lock package apart', () => {
    const outside = (of: (folder: string) => boolean): string[] =>
      packages
        .filter(({ folder }) => of(folder))
        .flatMap(({ json }) => Object.keys(json.dependencies ?? {}))
        .filter((name) => !name.startsWith('@sombra/'));
    const above = ['packages/observability', 'packages/ops'];
    expect(outside((folder) => folder.startsWith('packages/') && !above.includes(folder))).toEqual([
      'fs-native-extensions',
    ]);
    expect(outside((folder) => folder === 'packages/ops')).toEqual(['better-queue']);
  });

  it('is drawn in docs/ARCHITECTURE.md', () => {
    const text = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8');
    for (const { json, folder } of packages) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${json.name}\``));
      expect(row, `${json.name} has no row in the table of packages`).toBeDefined();
      const imports = [...(row?.split('|')[3] ?? '').matchAll(/`(@sombra\/[a-z]+)`/g)].map((match) => match[1]);
      expect(imports.sort(), `imports of ${json.name}`).toEqual([...(layers[folder] ?? [])].sort());
    }
  });

  it('publishes ESM with types, sources, a licence and the lowest Node version', () => {
    for (const { json } of packages) {
      expect(json.type).toBe('module');
      expect(json.license).toBe('MIT');
      expect(json.private).toBeUndefined();
      expect(json.files).toEqual(expect.arrayContaining(['dist', 'src']));
      expect(json.engines?.['node']).toBe('>=20.19');
    }
  });
});

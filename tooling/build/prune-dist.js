// Removes from dist/ what no source of today produces: turbo restores a build from its cache over what is there. Without arguments:
// of every package; with folders: of those.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entryPoints } from './entry-points.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const every = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(root, group, name)),
);

/** Names of chunks that a bundle imports. */
const CHUNK = /\bchunk-[A-Z0-9]{8}\.js\b/g;

/** The bundles of the entry points, and the chunks that they import, relative to dist/. */
function bundles(folder) {
  const found = new Set(Object.keys(entryPoints(folder)).map((name) => `${name}.js`));
  for (const file of found) {
    const path = join(folder, 'dist', file);
    if (existsSync(path)) for (const [chunk] of readFileSync(path, 'utf8').matchAll(CHUNK)) found.add(chunk);
  }
  return found;
}

/** Files of dist/ that today's sources do not produce, relative to dist/. */
export function staleFiles(folder) {
  const dist = join(folder, 'dist');
  if (!existsSync(dist)) return [];
  const javascript = bundles(folder);
  const isStale = (file) =>
    /\.d\.ts(\.map)?$/.test(file)
      ? !existsSync(join(folder, 'src', file.replace(/\.d\.ts(\.map)?$/, '.ts')))
      : !javascript.has(file.replace(/\.map$/, ''));
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'))
    .filter(isStale);
}

/** Removes them, and the folders that they leave empty. */
export function prune(folder) {
  const dist = join(folder, 'dist');
  for (const file of staleFiles(folder)) {
    rmSync(join(dist, file));
    for (
      let above = dirname(join(dist, file));
      above !== dist && readdirSync(above).length === 0;
      above = dirname(above)
    )
      rmdirSync(above);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.argv.slice(2);
  for (const folder of given.length > 0 ? given : every) prune(folder);
}

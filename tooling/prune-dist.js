// Removes from dist/ what no source of today produces: tsc leaves the output of a moved file behind, and turbo restores a build
// from its cache over what is there. Without arguments: of every package; with folders: of those.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const every = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(root, group, name)),
);

/** Files of dist/ whose source is gone, relative to dist/. */
export function staleFiles(folder) {
  const dist = join(folder, 'dist');
  if (!existsSync(dist)) return [];
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath ?? entry.path, entry.name)))
    .filter((file) => !existsSync(join(folder, 'src', file.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts'))))
    .map((file) => file.replaceAll(sep, '/'));
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

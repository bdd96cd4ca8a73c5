// The tests that run the command line run what is shipped, dist/: an import has a thread of its own, which Node starts without
// a compiler. This builds the packages of which a source is newer than what was built, without checking types; after
// `turbo run build` that is none.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
/** In the order of their layers. */
const PACKAGES = [
  'packages/vfs',
  'packages/wal',
  'packages/pager',
  'packages/btree',
  'packages/graph',
  'apps/library',
  'packages/observability',
  'packages/ops',
  'apps/cli',
];

/** Called by vitest before the first test file. */
export function setup(): void {
  for (const folder of PACKAGES) {
    const path = join(ROOT, folder);
    if (newest(join(path, 'src')) <= newest(join(path, 'dist'))) continue;
    const { scripts } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { scripts: { build: string } };
    const { status, stdout, stderr } = spawnSync(`${scripts.build} --no-check`, {
      cwd: path,
      encoding: 'utf8',
      shell: true,
    });
    if (status !== 0) throw new Error(`${folder} does not build:\n${stdout}${stderr}`);
  }
}

function times(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs);
}

/** When a file of a folder was last written; -Infinity when there is none. A build writes all of its files. */
function newest(folder: string): number {
  return Math.max(-Infinity, ...times(folder));
}

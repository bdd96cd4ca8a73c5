// Child processes run the built packages, for Node 20 does not run TypeScript.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PACKAGES = ['vfs', 'wal', 'pager'];

/** @throws Error that says what to do when the build is missing, or older than the sources */
export function requireBuild(): void {
  for (const name of PACKAGES) {
    const folder = fileURLToPath(new URL(`../../../${name}`, import.meta.url));
    const built = `${folder}/dist/index.js`;
    if (!existsSync(built)) throw new Error(`packages/${name} is not built: run pnpm build`);
    const { mtimeMs } = statSync(built);
    const newer = readdirSync(`${folder}/src`, { recursive: true }).filter(
      (file) => statSync(`${folder}/src/${String(file)}`).mtimeMs > mtimeMs + 1000,
    );
    if (newer.length > 0)
      throw new Error(`packages/${name}/dist is older than src (${newer.slice(0, 3).join(', ')}): run pnpm build`);
  }
}

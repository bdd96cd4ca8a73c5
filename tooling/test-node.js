// Runs the push suites on another version of Node: pnpm test:node 22 [folder ...], such as pnpm test:node 24 packages/wal.
// The version comes from npm's package `node`, which holds the binary of the platform. Packages are built once, with the Node that
// runs this; tests and the processes that they start run on the other one.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [version, ...folders] = process.argv.slice(2);
if (version === undefined || !/^\d+(\.\d+)*$/.test(version)) {
  console.error(
    `usage: pnpm test:node <version> [folder ...]; for example pnpm test:node 22 packages/wal (got ${version})`,
  );
  process.exit(2);
}
const shell = process.platform === 'win32';

/** Folders whose push suite is run by vitest. */
function suites() {
  return ['packages', 'apps', 'tooling']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
    .filter((folder) => {
      const file = join(root, folder, 'package.json');
      return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).scripts?.test === 'vitest run';
    });
}

// Without what pnpm sets for npm: its settings are not meant for a folder outside the workspace.
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
const found = execFileSync('npx', ['-y', '-p', `node@${version}`, 'node', '-p', 'process.execPath'], {
  cwd: tmpdir(), // not inside the workspace, whose settings npm would warn about
  env: plain,
  encoding: 'utf8',
  shell,
});
const node = found.trim().split('\n').at(-1);
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
const onIt = (args, cwd) => spawnSync(node, args, { cwd, env, stdio: 'inherit' }).status === 0;

const running = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
console.log(`Node ${running} at ${node}`);
if (!`${running}.`.startsWith(`v${version}.`)) {
  console.error(
    `this is not Node ${version}: npx -p node@${version} did not bring its binary (see whether npm runs install scripts)`,
  );
  process.exit(1);
}
const loads =
  "import('fs-native-extensions').then(({ default: { tryLock } }) => process.exit(typeof tryLock === 'function' ? 0 : 1))";
if (!onIt(['--input-type=module', '-e', loads], join(root, 'packages/vfs'))) {
  console.error('fs-native-extensions does not load on it: no shared locks, so the suites would not prove anything');
  process.exit(1);
}
if (spawnSync('pnpm', ['run', 'build'], { cwd: root, stdio: 'inherit', shell }).status !== 0) process.exit(1);

const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const results = (folders.length > 0 ? folders : suites()).map((folder) => {
  const start = Date.now();
  const ok = onIt([vitest, 'run'], join(root, folder));
  return { folder, ok, seconds: Math.round((Date.now() - start) / 1000) };
});
for (const { folder, ok, seconds } of results) console.log(`${ok ? 'ok    ' : 'FAILED'} ${folder} (${seconds} s)`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;

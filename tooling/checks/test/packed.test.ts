// Goal: each package works when it is the only one installed. Method: pack every package as it is published, install the
// tarball (with those of what its README installs beside it and of their @sombra dependencies, and nothing else of this repository) into
// an empty folder, run every block of
// JavaScript and TypeScript of its README there (of @sombra/db that of the repository's README as well); and compile a file that uses the types of all that @sombra/db brings. Needs dist/ of all
// packages: the test task builds first. What is not of this repository comes from npm's cache or the registry.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pnpm } from './pnpm.ts';
import { blocks, publishedPackages, ROOT, type PackageFile } from './repository.ts';

const packages = publishedPackages();
const work = mkdtempSync(join(tmpdir(), 'sombra-packed-'));
const tarballs = new Map<string, string>();
const STRICT = '--strict --target es2023 --lib es2023,esnext.disposable,dom --module nodenext'.split(' '); // dom: console
const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

/** Runs a command; its output. @throws Error with all that it printed */
async function run(command: string, args: string[], cwd: string): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd, encoding: 'utf8' })).stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as { message: string; stdout?: string; stderr?: string };
    throw new Error(`${message}\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** The package and its @sombra dependencies, all levels. */
function closure(entry: PackageFile, into = new Set<string>()): Set<string> {
  into.add(entry.json.name);
  for (const name of Object.keys(entry.json.dependencies ?? {})) {
    const next = packages.find(({ json }) => json.name === name);
    if (next && !into.has(name)) closure(next, into);
  }
  return into;
}

/** What the README of a package tells to install, of this repository. */
function named(entry: PackageFile): string[] {
  const [, names] =
    /\bnpm install (?:-g )?([^`\n]+)/.exec(readFileSync(join(ROOT, entry.folder, 'README.md'), 'utf8')) ?? [];
  const own = (names ?? '').split(' ').filter((name) => name.startsWith('@sombra/'));
  if (!own.includes(entry.json.name)) throw new Error(`README of ${entry.json.name} does not tell how to install it`);
  return own;
}

function folderOf(name: string): string {
  return join(work, name.replace('/', '-'));
}

beforeAll(() => {
  const missing = packages.filter(({ folder }) => !existsSync(join(ROOT, folder, 'dist')));
  if (missing.length > 0)
    throw new Error(`${missing.map(({ folder }) => folder).join(', ')}: not built, run \`pnpm build\` first`);
  const out = join(work, 'tarballs');
  mkdirSync(out);
  pnpm('--recursive', ...packages.flatMap(({ json }) => ['--filter', json.name]), 'pack', '--pack-destination', out);
  for (const { json } of packages) {
    tarballs.set(json.name, join(out, `${json.name.slice(1).replace('/', '-')}-${json.version}.tgz`));
  }
}, 180_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('a tarball', () => {
  it.each(packages.map(({ json }) => [json.name, json] as const))(
    '%s has what a package needs, and nothing else',
    (name, json) => {
      const files = execFileSync('tar', ['tzf', tarballs.get(name)!], { encoding: 'utf8' })
        .trim()
        .split('\n');
      const inside = files.map((file) => file.replace(/^package\//, ''));
      expect(inside).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE']));
      const allowed =
        /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.ts|scripts\/.+\.sh|operators\/.+\.(yml|json))$/;
      expect(inside.filter((file) => !allowed.test(file))).toEqual([]);
      const manifest = execFileSync('tar', ['xzOf', tarballs.get(name)!, 'package/package.json'], { encoding: 'utf8' });
      expect(manifest).not.toContain('workspace:');
      const targets = [...Object.values(json.exports ?? {}), json.bin ?? {}].flatMap((target) =>
        typeof target === 'string' ? [target] : Object.values(target as Record<string, string>),
      );
      expect(targets.map((target) => target.slice(2)).filter((target) => !inside.includes(target))).toEqual([]);
    },
  );
});

describe.concurrent('an empty folder', () => {
  it.each(packages.map((entry) => [entry.json.name, entry] as const))(
    '%s is installed alone and runs the examples of its README',
    async (name, entry) => {
      const folder = folderOf(name);
      const beside = named(entry);
      const installed = await install(folder, beside);
      const readme = readFileSync(join(folder, 'node_modules', name, 'README.md'), 'utf8');
      expect(await runExamples(readme, entry.json, folder, beside)).not.toBe('');
      if (name === '@sombra/db')
        await runExamples(readFileSync(join(ROOT, 'README.md'), 'utf8'), entry.json, folder, beside);
      if (name === '@sombra/db') await compileTypes(installed, folder);
    },
    600_000,
  );
});

describe.concurrent('@sombra/observability without the graph', () => {
  it('is installed with the package of errors and files alone, and loads', async () => {
    const folder = join(work, 'observability-alone');
    await install(folder, ['@sombra/observability']);
    const program = `
      import { initLogging, processMetrics } from '@sombra/observability';
      initLogging({ level: 'info' }).info('alone');
      if (!(await processMetrics().text()).includes('process_cpu_user_seconds_total')) throw new Error('no metrics');
    `;
    writeFileSync(join(folder, 'program.mjs'), program);
    expect(JSON.parse(await run(process.execPath, ['program.mjs'], folder))).toMatchObject({ msg: 'alone' });
  }, 600_000);

  it('watches a plain pager and a plain append log: events, metrics of both', async () => {
    const folder = join(work, 'observability-storage');
    const installed = await install(folder, ['@sombra/observability', '@sombra/pager', '@sombra/wal']);
    expect(installed.filter((name) => /graph|btree|db/.test(name))).toEqual([]);
    const program = `
      import { logEvents, logMetricsOf, mergedMetrics, metricsOf } from '@sombra/observability';
      import { Pager } from '@sombra/pager';
      import { NodeVfs } from '@sombra/vfs';
      import { AppendLog } from '@sombra/wal';

      const events = [];
      const logger = Object.fromEntries(
        ['error', 'warn', 'info', 'debug', 'trace'].map((level) => [level, ({ event }) => void events.push(event)]),
      );
      const vfs = new NodeVfs();
      const pager = Pager.open({ vfs, path: 'pages.db', hooks: logEvents(logger, { database: 'pages' }) });
      const log = AppendLog.open({ vfs, path: 'append.log' });
      const metrics = mergedMetrics([metricsOf(pager), logMetricsOf(log, { database: 'append' })]);
      const tx = pager.begin();
      tx.allocate(16, 0);
      tx.commit();
      log.append(new Uint8Array(10));
      const lines = (await metrics.text()).split('\\n').filter((line) => /_up|committed|sombra_log_records/.test(line));
      pager.checkpoint();
      log.close();
      pager.close();
      console.log(JSON.stringify({ events, lines: lines.filter((line) => !line.startsWith('#')) }));
    `;
    writeFileSync(join(folder, 'program.mjs'), program);
    const { events, lines } = JSON.parse(await run(process.execPath, ['program.mjs'], folder)) as {
      events: string[];
      lines: string[];
    };
    expect(events).toEqual(expect.arrayContaining(['commit.logged', 'checkpoint.completed']));
    expect(lines).toEqual(
      expect.arrayContaining([
        'sombra_up{database="pages.db"} 1',
        'sombra_up{database="append"} 1',
        'sombra_transactions_committed_total{database="pages.db"} 1',
      ]),
    );
  }, 600_000);
});

/** Installs tarballs of these packages, and of what they need of this repository, in a new folder. @returns what of it is there */
async function install(folder: string, names: readonly string[]): Promise<string[]> {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true, "type": "module" }\n');
  const whole = new Set(names.flatMap((each) => [...closure(packages.find(({ json }) => json.name === each)!)]));
  const files = [...whole].map((each) => tarballs.get(each)!);
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', ...files], folder);
  const installed = readdirSync(join(folder, 'node_modules', '@sombra')).map((short) => `@sombra/${short}`);
  expect(installed.sort()).toEqual([...whole].sort());
  return installed;
}

/** Runs each example of a README as a program in a folder of its own; what they printed. */
async function runExamples(
  readme: string,
  json: PackageFile['json'],
  folder: string,
  beside: readonly string[],
): Promise<string> {
  if (json.bin !== undefined) {
    const [example] = blocks(readme, ['sh']);
    if (example === undefined) throw new Error(`README of ${json.name} has no example`);
    const script = example.text.replaceAll(/^(npx -y -p @sombra\/cli sombra|sombra) /gm, 'npx sombra ');
    return (await run('bash', ['-euo', 'pipefail', '-c', script], folder)).trim();
  }
  const examples = blocks(readme, ['js', 'ts']);
  if (examples.length === 0) throw new Error(`README of ${json.name} has no example`);
  const own = [...beside, ...Object.keys(json.dependencies ?? {})];
  let printed = '';
  for (const { language, text } of examples) {
    const imported = [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, from]) => from!);
    expect(imported, `a block of ${language} that is no program of its own`).not.toEqual([]);
    const strange = imported.filter(
      (from) => !from.startsWith('node:') && !own.some((each) => from === each || from.startsWith(`${each}/`)),
    );
    expect(strange).toEqual([]);
    const inside = mkdtempSync(join(folder, 'example-'));
    writeFileSync(join(inside, 'package.json'), '{ "type": "module" }\n');
    writeFileSync(join(inside, `example.${language}`), text);
    if (language === 'ts') await run(process.execPath, [compiler, ...STRICT, 'example.ts'], inside);
    printed += await run(process.execPath, ['example.js'], inside);
  }
  return printed.trim();
}

/** Compiles a file that imports everything of some packages, with their declarations checked as well. */
async function compileTypes(names: readonly string[], folder: string): Promise<void> {
  const lines = names.map((name, i) => `import * as all${i} from '${name}';`);
  const used = names.map((_, i) => `all${i}`).join(', ');
  writeFileSync(join(folder, 'uses.ts'), `${lines.join('\n')}\nexport const packages: object[] = [${used}];\n`);
  await run(process.execPath, [compiler, '--noEmit', ...STRICT, 'uses.ts'], folder);
}

// `pnpm bench [--quick] [--size medium,large,xl] [--runs 3] [--json]`: Sombra beside SQLite and LMDB, each engine in a process of its
// own, in turn, on the same seeded graph, held to the same answers. Prints medians and ratios; ends with 1 when the answers
// differ or an engine fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SEED, SIZES } from './src/graph-data.js';
import { WORKLOADS } from './src/workloads.js';

const HELP = `pnpm bench [--quick] [--size ${Object.keys(SIZES).join(',')}] [--runs 3] [--only ${Object.keys(WORKLOADS)[0]},…] [--json] [--folder DIR]`;
const ENGINES = ['sombra', 'sqlite', 'lmdb'];

const here = fileURLToPath(new URL('.', import.meta.url));
const options = readOptions();
installPeers();
const results = {};
const abouts = {};
for (const size of options.sizes) {
  for (let run = 1; run <= options.runs; run += 1) {
    for (const engine of ENGINES) {
      console.error(`${size}, run ${run} of ${options.runs}: ${engine} …`);
      for (const line of measure(engine, size)) collect(engine, size, line);
    }
  }
}
checkAnswers();
report();

function readOptions() {
  const { values } = parseArgs({
    // pnpm hands on the -- of `pnpm bench -- --quick`.
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    options: {
      quick: { type: 'boolean', default: false },
      size: { type: 'string' },
      runs: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      folder: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const sizes = (values.size ?? (values.quick ? 'quick' : 'medium,large,xl')).split(',');
  const runs = Number(values.runs ?? (values.quick ? 1 : 3));
  const wrong = [
    ...sizes.filter((size) => !Object.hasOwn(SIZES, size)),
    ...(values.only?.split(',') ?? []).filter((name) => !Object.hasOwn(WORKLOADS, name)),
  ];
  if (wrong.length > 0 || !Number.isInteger(runs) || runs < 1) {
    console.error(`invalid ${wrong.join(', ') || '--runs'}: ${HELP}`);
    process.exit(1);
  }
  return {
    sizes,
    runs,
    budgetMs: values.quick ? 800 : 2000,
    only: values.only,
    json: values.json,
    folder: values.folder,
  };
}

/** Peers have a lockfile of their own and may compile native code; only the benchmark installs them. */
function installPeers() {
  const folder = join(here, 'peers');
  const marker = join(folder, 'node_modules', '.package-lock.json');
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs) return;
  console.error('installing the peers (where there is no prebuilt better-sqlite3 it is compiled, a minute or two) …');
  const { status, error } = spawnSync('npm', ['ci', '--no-fund', '--no-audit'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...nodeHeaders() },
  });
  if (status !== 0) fail(`npm ci in ${folder} ended with ${error?.message ?? status}`);
}

/** node-gyp downloads Node's headers unless it is told where they are; most installations of Node have them. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node_version.h')) ? { npm_config_nodedir: prefix } : {};
}

/** Runs one engine. @returns its lines */
function measure(engine, size) {
  const folder = mkdtempSync(join(options.folder, 'sombra-bench-'));
  try {
    const args = [
      join(here, 'src', 'child.js'),
      engine,
      folder,
      size,
      String(options.budgetMs),
      ...(options.only === undefined ? [] : [options.only]),
    ];
    const { status, signal, stdout } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 1 << 24,
    });
    if (status !== 0) fail(`${engine} at ${size} ended with ${signal ?? status}`);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function collect(engine, size, { about, workload, value, answer }) {
  if (about !== undefined) {
    abouts[engine] = about;
    return;
  }
  const figures = (((results[size] ??= {})[workload] ??= {})[engine] ??= { values: [], answers: new Set() });
  figures.values.push(value);
  figures.answers.add(JSON.stringify(answer));
}

/** One answer for every run and engine, or the figures mean nothing. */
function checkAnswers() {
  for (const [size, workloads] of Object.entries(results)) {
    for (const [workload, engines] of Object.entries(workloads)) {
      const answers = new Set(Object.values(engines).flatMap(({ answers: found }) => [...found]));
      if (engines.sombra === undefined) fail(`${size}, ${workload}: Sombra has no figure`);
      if (answers.size > 1) fail(`${size}, ${workload}: the answers differ: ${[...answers].join(' | ').slice(0, 400)}`);
    }
    if ('intact' in workloads && !workloads.intact.sombra.answers.has('true'))
      fail(`${size}: a database is not intact afterwards`);
  }
}

function report() {
  const rows = [];
  for (const [size, workloads] of Object.entries(results)) {
    for (const [workload, engines] of Object.entries(workloads)) {
      const { title, hidden, smaller, floor, goal, floors } = WORKLOADS[workload];
      if (hidden) continue;
      const [sombra, sqlite, lmdb] = ENGINES.map((engine) => median(engines[engine]?.values ?? []));
      const misses = (ratio, wanted) => wanted !== undefined && (smaller === true ? ratio > wanted : ratio < wanted);
      const [ratio, lmdbRatio] = [sombra / sqlite, sombra / lmdb];
      rows.push({
        size,
        workload,
        title,
        sombra,
        sqlite,
        lmdb,
        ratio,
        lmdbRatio,
        floor,
        goal,
        lmdbFloor: floors?.lmdb,
        belowFloor: misses(ratio, floor) || misses(lmdbRatio, floors?.lmdb),
      });
    }
  }
  const facts = {
    commit: commit(),
    node: process.version,
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    engines: ENGINES.map((engine) => abouts[engine]),
    runs: options.runs,
    budgetMs: options.budgetMs,
    seed: SEED,
  };
  if (options.json) {
    console.log(
      JSON.stringify(
        { ...facts, sizes: Object.fromEntries(options.sizes.map((size) => [size, SIZES[size]])), rows },
        undefined,
        2,
      ),
    );
    return;
  }
  console.log(`commit ${facts.commit}, Node ${facts.node}, ${facts.machine}`);
  console.log(facts.engines.join('; '));
  console.log(
    `median of ${facts.runs} ${facts.runs === 1 ? 'run' : 'runs'}, ${facts.budgetMs} ms a row, seed ${facts.seed}; answers are equal; x: Sombra to the engine before it`,
  );
  for (const size of options.sizes) {
    console.log(
      `\n${size}: ${SIZES[size].nodes.toLocaleString('en-US')} nodes, ${SIZES[size].edges.toLocaleString('en-US')} edges`,
    );
    console.log(
      `  ${''.padEnd(50)}${['Sombra', 'SQLite', 'x', 'floor', 'goal', 'LMDB', 'x', 'floor'].map((name) => name.padStart(9)).join('')}`,
    );
    for (const row of rows.filter((entry) => entry.size === size)) {
      const figures = [
        format(row.sombra),
        format(row.sqlite),
        times(row.ratio),
        times(row.floor),
        times(row.goal),
        format(row.lmdb),
        times(row.lmdbRatio),
        times(row.lmdbFloor),
      ].map((figure) => figure.padStart(9));
      console.log(`  ${row.title.padEnd(50)}${figures.join('')}${row.belowFloor ? '  misses the floor' : ''}`);
    }
  }
  console.log(
    '\nfloor and goal: what the design wants at the sizes large and xl; in lines with MiB or ms less is better',
  );
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function format(value) {
  if (value === undefined) return '-';
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)}k`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(2)}k`;
  return value.toFixed(value < 10 ? 2 : 1);
}

function times(ratio) {
  return ratio === undefined || Number.isNaN(ratio) ? '-' : `${ratio.toFixed(ratio < 10 ? 2 : 1)}x`;
}

/** The commit that is measured; + when something is not committed. */
function commit() {
  const git = (...args) => spawnSync('git', args, { cwd: here, encoding: 'utf8' });
  const head = git('rev-parse', '--short', 'HEAD');
  if (head.status !== 0) return 'unknown';
  return head.stdout.trim() + (git('status', '--porcelain').stdout.trim() === '' ? '' : '+');
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

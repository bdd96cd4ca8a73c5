// `pnpm bench [--quick] [--size medium,large,xl] [--runs 3]`: Sombra beside its peers, each engine in a process of
// its own, in turn, on the same seeded graph, with the same answers. Prints medians and ratios.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SIZES } from './src/graph-data.js';
import { WORKLOADS } from './src/workloads.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    quick: { type: 'boolean', default: false },
    size: { type: 'string' },
    runs: { type: 'string' },
    json: { type: 'boolean', default: false },
    folder: { type: 'string' },
  },
});
const sizes = (options.size ?? (options.quick ? 'large' : 'medium,large,xl')).split(',');
const runs = Number(options.runs ?? (options.quick ? 1 : 3));
const budgetMs = options.quick ? 800 : 2000;
const ENGINES = ['sombra', 'sqlite'];
const unknown = sizes.find((size) => !(size in SIZES));
if (unknown !== undefined || !(runs >= 1)) {
  console.error(`unknown size ${unknown}; sizes are ${Object.keys(SIZES).join(', ')}`);
  process.exit(1);
}

installPeers();
const results = {};
for (const size of sizes) {
  for (let run = 0; run < runs; run += 1) {
    for (const engine of ENGINES) {
      for (const row of measure(engine, size)) ((results[size] ??= {})[row.workload] ??= {})[engine] = merge(results[size][row.workload][engine], row);
    }
  }
}
report();

/** Peers have a lockfile of their own and may compile native code; only the benchmark installs them. */
function installPeers() {
  const folder = join(here, 'peers');
  const marker = join(folder, 'node_modules', '.package-lock.json');
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs) return;
  console.error('installing the peers (better-sqlite3 may be compiled, about a minute) ...');
  const { status } = spawnSync('npm', ['ci', '--no-fund', '--no-audit'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`npm ci in ${folder} ended with ${status}`);
}

function measure(engine, size) {
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'sombra-bench-'));
  try {
    const child = spawnSync(process.execPath, [join(here, 'src', 'child.js'), engine, folder, size, String(budgetMs)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 1 << 24,
    });
    if (child.status !== 0) throw new Error(`${engine} on ${size} ended with ${child.status}`);
    return child.stdout.trim().split('\n').map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function merge(before, row) {
  if (before && before.answer !== row.answer) throw new Error(`${row.workload}: the answer changed from run to run`);
  return { answer: row.answer, rates: [...(before?.rates ?? []), row.rate] };
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function format(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)}k`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(2)}k`;
  return value.toFixed(1);
}

function report() {
  const rows = [];
  for (const [size, workloads] of Object.entries(results)) {
    for (const [workload, engines] of Object.entries(workloads)) {
      const answers = new Set(ENGINES.map((engine) => String(engines[engine].answer)));
      if (answers.size > 1) throw new Error(`${size} ${workload}: the engines disagree: ${[...answers].join(' | ')}`);
      const [sombra, sqlite] = ENGINES.map((engine) => median(engines[engine].rates));
      rows.push({ size, workload, sombra, sqlite, ratio: sombra / sqlite });
    }
  }
  if (options.json) return console.log(JSON.stringify({ node: process.version, runs, rows }, null, 2));
  const version = JSON.parse(readFileSync(join(here, 'peers', 'node_modules', 'better-sqlite3', 'package.json'), 'utf8')).version;
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB; better-sqlite3 ${version}; ${runs} run(s), median; same answers checked.`);
  for (const size of sizes) {
    console.log(`\n${size}: ${SIZES[size].nodes.toLocaleString('en')} nodes, ${SIZES[size].edges.toLocaleString('en')} edges`);
    for (const row of rows.filter((r) => r.size === size)) {
      const title = WORKLOADS[row.workload]?.title ?? row.workload;
      console.log(`  ${title.padEnd(44)} sombra ${format(row.sombra).padStart(8)}   sqlite ${format(row.sqlite).padStart(8)}   ${row.ratio.toFixed(2)}x`);
    }
  }
  return undefined;
}

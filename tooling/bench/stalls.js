// `node tooling/bench/stalls.js [--size large] [--seconds 5] [--wal-mb 16] [--durability relaxed] [--folder DIR]`: how long the event
// loop stands still while checkpoints run beside a load of small transactions. The same load runs twice: with a log that never
// needs a checkpoint, and with one of --wal-mb. Prints the delays of perf_hooks.monitorEventLoopDelay; ends with 1 when nodes are
// missing, the database is not intact, or no checkpoint ran.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { GraphDB } from '@sombra/db';
import { nodeRows, edgeRows } from './src/engine-sombra.js';
import { makeGraph, random, SIZES } from './src/graph-data.js';

/** One turn of the event loop is given so much work. */
const TURN_MS = 1;
/** A log that no run fills. */
const NO_CHECKPOINT_MB = 65_536;
/** Sampling interval of the monitor: delays below it are not seen. */
const RESOLUTION_MS = 1;

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'large' },
    seconds: { type: 'string', default: '5' },
    'wal-mb': { type: 'string', default: '16' },
    durability: { type: 'string', default: 'relaxed' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const seconds = Number(options.seconds);
const walMb = Number(options['wal-mb']);
if (
  !Object.hasOwn(SIZES, options.size) ||
  !(seconds > 0) ||
  !(walMb > 0) ||
  !['relaxed', 'durable'].includes(options.durability)
) {
  console.error(`sizes are ${Object.keys(SIZES).join(', ')}; durability is relaxed or durable; numbers are above 0`);
  process.exit(1);
}

const graph = makeGraph(SIZES[options.size]);
const folder = mkdtempSync(join(options.folder, 'sombra-stalls-'));
try {
  console.log(
    `${options.size}, ${options.durability}, ${seconds} s each, turns of ${TURN_MS} ms; delays in ms, sampled each ${RESOLUTION_MS} ms`,
  );
  const path = join(folder, 'graph.db');
  load(path);
  await run('without checkpoints', path, NO_CHECKPOINT_MB);
  const { checkpoints } = await run(`log of ${walMb} MiB`, path, walMb);
  if (checkpoints === 0) fail('no checkpoint ran: lower --wal-mb or raise --seconds');
} finally {
  rmSync(folder, { recursive: true });
}

function open(path, maxWalSizeMb) {
  return GraphDB.open(path, {
    cacheSize: 32_768,
    maxWalSizeMb,
    syncMode: options.durability === 'durable' ? 'full' : 'normal',
    onWarning: ({ message }) => fail(message),
  });
}

function load(path) {
  const db = open(path, NO_CHECKPOINT_MB);
  db.bulkLoad({ nodes: nodeRows(graph), edges: edgeRows(graph) });
  db.close();
}

async function run(title, path, maxWalSizeMb) {
  const db = open(path, maxWalSizeMb);
  const next = random(7);
  const write = () =>
    db.transaction((tx) => {
      const node = tx.addNode('Person', { name: 'new', age: 30, score: 0 });
      tx.addEdge(node, 1 + Math.floor(next() * graph.nodes), 'KNOWS', { weight: 1 });
    });
  for (let i = 0; i < 20_000; i += 1) write(); // compiled code, warm caches
  await nextTurn();
  const before = { nodes: db.nodeCount(), checkpoints: db.stats().pager.checkpoints };
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const turns = [];
  let count = 0;
  monitor.enable();
  let used = process.cpuUsage();
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const until = performance.now() + TURN_MS;
    do {
      write();
      count += 1;
    } while (performance.now() < until);
    await nextTurn();
    const { user, system } = process.cpuUsage(used);
    used = process.cpuUsage();
    turns.push((user + system) / 1000);
  }
  monitor.disable();
  const checkpoints = db.stats().pager.checkpoints - before.checkpoints;
  if (db.nodeCount() - before.nodes !== count)
    fail(`${count} nodes were added, ${db.nodeCount() - before.nodes} are there`);
  if (!db.verifyIntegrity().isClean) fail('the database is not intact afterwards');
  db.close();
  const ms = (nanoseconds) => (nanoseconds / 1e6).toFixed(1).padStart(7);
  const figures = [50, 99, 99.9].map((rank) => `p${rank} ${ms(monitor.percentile(rank))}`).join('  ');
  console.log(`  ${title}: ${checkpoints} checkpoints, ${Math.round(count / seconds)} tx/s`);
  console.log(`    delay of the event loop       ${figures}  longest ${ms(monitor.max)}`);
  // Other processes lengthen the delays; they do not count here.
  turns.sort((a, b) => a - b);
  const rank = (part) => turns[Math.min(turns.length - 1, Math.floor(turns.length * part))].toFixed(1).padStart(7);
  console.log(
    `    processor time of one turn    p50 ${rank(0.5)}  p99 ${rank(0.99)}  p99.9 ${rank(0.999)}  longest ${rank(1)}`,
  );
  return { checkpoints };
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

// `node tooling/bench/health.js [--size xl] [--seconds 10] [--folder DIR]` (after a build): how soon `db.healthCheck()` answers while one
// traversal of the whole graph and checkpoints run in the same process. Every 10 ms a timer asks; its answer took as long as the timer was
// late, because the event loop was busy, and as the call lasted. Beside it 400 small transactions a second are committed, and a checkpoint is asked for each second.
// Ends with 1 when the traversal was over sooner, no checkpoint ran, an answer was wrong, or the database is not intact.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { GraphDB } from '@sombra/db';
import { edgeRows, nodeRows } from './src/engine-sombra.js';
import { makeGraph, SIZES } from './src/graph-data.js';

const INTERVAL_MS = 10;

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'xl' },
    seconds: { type: 'string', default: '10' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const seconds = Number(options.seconds);
if (!Object.hasOwn(SIZES, options.size) || !(seconds > 0)) {
  console.error(`sizes are ${Object.keys(SIZES).join(', ')}; --seconds is above 0`);
  process.exit(1);
}

const graph = makeGraph(SIZES[options.size]);
const folder = mkdtempSync(join(options.folder, 'sombra-health-'));
try {
  await measure(join(folder, 'graph.db'));
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(path) {
  const db = GraphDB.open(path, { cacheSize: 32_768, syncMode: 'normal' });
  await db.bulkLoadAsync({ nodes: nodeRows(graph), edges: edgeRows(graph) });
  const before = db.stats().pager.checkpoints;
  const begun = performance.now();
  const end = begun + seconds * 1000;
  // Long enough for the time that is measured, whatever the machine.
  const stop = new AbortController();
  let traversals = 0;
  const traversal = traverse();
  const writes = write();
  const answers = [];
  for (let due = performance.now() + INTERVAL_MS; due < end; due += INTERVAL_MS) {
    while (performance.now() < due) await setTimeout(Math.max(1, due - performance.now()));
    const { status } = db.healthCheck();
    answers.push(performance.now() - due);
    if (status !== 'healthy') fail(`the database is ${status}`);
    due = Math.max(due, performance.now());
  }
  stop.abort();
  await Promise.all([traversal, writes]);
  const checkpoints = db.stats().pager.checkpoints - before;
  const intact = (await db.verifyIntegrityAsync()).isClean;
  db.close();
  if (checkpoints === 0) fail('no checkpoint ran');
  if (!intact) fail('the database is not intact afterwards');
  answers.sort((a, b) => a - b);
  const rank = (part) => answers[Math.min(answers.length - 1, Math.floor(answers.length * part))].toFixed(1);
  console.log(
    `${options.size}, ${seconds} s: ${traversals === 0 ? 'one traversal, not over' : `${traversals} traversals over`}, ${checkpoints} checkpoints; ${answers.length} answers, ms: p50 ${rank(0.5)}  p99 ${rank(0.99)}  p99.9 ${rank(0.999)}  longest ${rank(1)}`,
  );

  async function traverse() {
    try {
      for (;;) {
        await db.pageRankAsync({ maxIterations: 1000, tolerance: 1e-300, signal: stop.signal });
        traversals += 1;
      }
    } catch (error) {
      if (error.code !== 'SOMBRA_ABORTED') throw error;
    }
  }

  async function write() {
    for (let round = 1; !stop.signal.aborted; round += 1) {
      for (let i = 0; i < 20; i += 1)
        db.transaction((tx) => void tx.addNode('Person', { name: 'new', age: 30, score: 0 }));
      if (round % 20 === 0) await db.checkpointAsync();
      await setTimeout(50);
    }
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

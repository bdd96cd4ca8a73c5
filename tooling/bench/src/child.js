// One engine, one size, in a process of its own: `node child.js ENGINE FOLDER SIZE BUDGET_MS`. Prints JSON lines.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { makeGraph, SIZES } from './graph-data.js';
import { WORKLOADS } from './workloads.js';

const [engineName, folder, size, budget] = process.argv.slice(2);
const { open } = await import(`./engine-${engineName}.js`);
const path = join(folder, `${engineName}.db`);
const graph = makeGraph(SIZES[size]);
const engine = open(path);
for (const [workload, { run }] of Object.entries(WORKLOADS)) {
  const result = run({ engine, graph, budgetMs: Number(budget) });
  process.stdout.write(`${JSON.stringify({ workload, ...result })}\n`);
}
engine.close();
process.stdout.write(`${JSON.stringify({ workload: 'fileBytes', rate: statSync(path).size, answer: null })}\n`);
process.stdout.write(`${JSON.stringify({ workload: 'peakRssMb', rate: process.resourceUsage().maxRSS / 1024, answer: null })}\n`);

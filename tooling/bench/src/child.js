// One engine, one size, in a process of its own: `node child.js ENGINE FOLDER SIZE BUDGET_MS [WORKLOAD,…]`. Prints JSON lines:
// what the engine is, then a figure and an answer for each workload. The load always runs.
import { join } from 'node:path';
import { makeGraph, SIZES } from './graph-data.js';
import { WORKLOADS } from './workloads.js';

const [engineName, folder, size, budget, only] = process.argv.slice(2);
const { open, about } = await import(`./engine-${engineName}.js`);
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const path = join(folder, `${engineName}.db`);
const context = { open, path, graph: makeGraph(SIZES[size]), budgetMs: Number(budget), engine: open(path) };

print({ about });
for (const [workload, { run, uses }] of Object.entries(WORKLOADS)) {
  if (uses.some((method) => context.engine[method] === undefined)) continue;
  if (only !== undefined && workload !== 'bulkLoad' && !only.split(',').includes(workload)) continue;
  print({ workload, ...(await run(context)) });
}
await context.engine.close();

// `node tooling/bench/overhead.js [--rounds 9] [--transactions 20000] [--reads 400000] [--only silent,info] [--durable] [--json]
// [--folder DIR]` (after a build): what logging and metrics cost. The same work in each mode, each time in a process of its own, the modes in turn; CPU time of
// the process for each operation, because the clock on the wall counts what else the machine does. What else it does makes CPU time
// longer too, never shorter, so that the least of all rounds says most on a busy machine; the median of the rounds, each against silence in
// the same round, says how sure that is. A second silence shows what the comparison cannot tell apart. Ends with 1 when answers differ.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MODES } from './src/overhead-modes.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    transactions: { type: 'string', default: '20000' },
    reads: { type: 'string', default: '400000' },
    only: { type: 'string', default: ['silent', 'silence again', 'info', 'debug', 'trace', 'metrics'].join(',') },
    durable: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
  },
});
const modes = options.only.split(',');
const rounds = Number(options.rounds);
const unknown = modes.filter((mode) => !Object.hasOwn(MODES, mode));
if (unknown.length > 0 || modes[0] !== 'silent' || !(rounds >= 1)) {
  console.error(`modes are ${Object.keys(MODES).join(', ')}, silent first; --rounds is a number from 1 on`);
  process.exit(1);
}

const WORK = { transactions: 'small transactions', reads: 'point reads' };
const child = fileURLToPath(new URL('./src/overhead-child.js', import.meta.url));
const results = modes.map(() => []);
for (let round = 0; round < rounds; round += 1) {
  // Another mode begins each time: whatever changes during a round meets each of them.
  for (let step = 0; step < modes.length; step += 1) {
    const mode = (round + step) % modes.length;
    results[mode].push(measure(modes[mode]));
    console.error(`round ${round + 1} of ${rounds}: ${modes[mode]}`);
  }
}
const answers = new Set(results.flat().map(({ answer }) => JSON.stringify(answer)));
if (answers.size !== 1) {
  console.error(`answers differ: ${[...answers].join(' and ')}`);
  process.exit(1);
}
report();

function measure(mode) {
  const folder = mkdtempSync(join(options.folder, 'sombra-overhead-'));
  try {
    const args = [child, mode, folder, options.transactions, options.reads, options.durable ? 'durable' : ''];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) {
      console.error(stderr);
      process.exit(1);
    }
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report() {
  const least = (index, work) => Math.min(...results[index].map(({ micros }) => micros[work]));
  const rows = modes.flatMap((mode, index) =>
    Object.keys(WORK).map((work) => {
      const over = results[index].map(({ micros }, round) => percent(micros[work], results[0][round].micros[work]));
      return {
        mode,
        work,
        least: least(index, work),
        overLeast: percent(least(index, work), least(0, work)),
        median: quantile(over, 0.5),
        from: quantile(over, 0.25),
        to: quantile(over, 0.75),
      };
    }),
  );
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.versions.node}`;
  const scrape = Math.min(...results.flat().flatMap((result) => result.scrape ?? []));
  if (options.json) return console.log(JSON.stringify({ machine, load: loadavg()[0], rounds, scrape, rows }));
  console.log(`${machine}, load ${loadavg()[0].toFixed(1)}`);
  console.log(`${rounds} rounds of ${options.transactions} transactions and ${options.reads} reads`);
  console.log(
    `least ${options.durable ? 'time on the wall' : 'CPU time'} of an operation, over that of silence; median over silence of the same round [middle half]`,
  );
  for (const { mode, work, least: micros, overLeast, median, from, to } of rows) {
    const figures = `${signed(overLeast)}; ${signed(median)} [${signed(from)} to ${signed(to)}]`;
    const name = `${mode.padEnd(14)} ${WORK[work].padEnd(18)} ${micros.toFixed(2).padStart(8)} us`;
    console.log(mode === 'silent' ? name : `${name}  ${figures}`);
  }
  if (scrape < Infinity)
    console.log(`a scrape takes ${scrape.toFixed(0)} us: ${(scrape / 10_000).toFixed(2)} % of a core at one a second`);
}

function percent(value, of) {
  return (value / of - 1) * 100;
}

function signed(value) {
  return `${value < 0 ? '' : '+'}${value.toFixed(1)} %`;
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}

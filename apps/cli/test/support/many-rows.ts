import { createWriteStream, readFileSync, readdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'vitest';
import { json, start } from './cli.ts';

/** MiB for each command, from the table in the documentation. */
const bounds = new Map(
  [
    ...readFileSync(new URL('../../../../docs/reference/cli.md', import.meta.url), 'utf8').matchAll(
      /^\| `sombra (import|export)[^|]*\| *([\d,]+) MiB/gm,
    ),
  ].map(([, command, size]) => [command!, Number(size!.replaceAll(',', ''))]),
);

const tell =
  "data:text/javascript,import { isMainThread } from 'node:worker_threads';" +
  "if (isMainThread) process.on('exit', () => process.stderr.write(String(process.resourceUsage().maxRSS)));";

/** Runs a command, and holds its peak memory to the bound of its kind. @returns its JSON */
async function measured(args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await start([...args, '--json'], { SOMBRA_VERIFY: '0' }, [`--import=${tell}`])
    .outcome;
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^\d+$/)]);
  const bound = bounds.get(args[0]!);
  expect(bound, `a bound of ${args[0]} in docs/reference/cli.md`).toBeGreaterThan(0);
  console.log(`sombra ${args[0]}: ${Math.round(Number(stderr) / 1024)} MiB at most`);
  expect(Number(stderr) / 1024).toBeLessThan(bound!);
  return JSON.parse(stdout);
}

async function writeLines(path: string, head: string, count: number, line: (i: number) => string): Promise<void> {
  const file = createWriteStream(path);
  file.write(head);
  for (let i = 0; i < count; i += 1) if (!file.write(line(i))) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
}

/**
 * Imports so many rows, half nodes and half edges, exports them in each format, and imports them again. No command may
 * need more memory than docs/reference/cli.md says.
 */
export async function thereAndBack(folder: string, rows: number): Promise<void> {
  const nodeCount = rows / 2;
  const nodes = join(folder, 'nodes.csv');
  const edges = join(folder, 'edges.csv');
  await writeLines(nodes, 'id:ID,name,n:int,w:float\n', nodeCount, (i) => `id-${i},name of ${i},${i},${i / 7}\n`);
  await writeLines(
    edges,
    ':START_ID,:END_ID,:TYPE,w:float\n',
    nodeCount,
    (i) => `id-${i},id-${(i * 7919) % nodeCount},E,0.5\n`,
  );
  const database = join(folder, 'a.db');
  const counts = { nodes: nodeCount, edges: nodeCount };
  expect(await measured(['import', database, '--nodes', `N=${nodes}`, '--edges', edges])).toMatchObject(counts);
  rmSync(nodes);
  rmSync(edges);
  const tables = join(folder, 'tables');
  expect(await measured(['export', database, '--to', tables])).toMatchObject(counts);
  expect(readdirSync(tables).sort()).toEqual(['edges-E.csv', 'nodes-N.csv']);
  const lines = join(folder, 'graph.jsonl.gz');
  expect(await measured(['export', database, '--to', lines])).toMatchObject(counts);
  const again = join(folder, 'b.db');
  const files = ['--nodes', join(tables, 'nodes-N.csv'), '--edges', join(tables, 'edges-E.csv')];
  expect(await measured(['import', again, ...files])).toMatchObject(counts);
  const third = join(folder, 'c.db');
  expect(await measured(['import', third, '--jsonl', lines])).toMatchObject(counts);
  const copies: string[] = [];
  for (const format of ['graphml', 'gexf', 'graphology']) {
    const document = join(folder, `graph.${format}`);
    expect(await measured(['export', database, '--to', document, '--format', format])).toMatchObject(counts);
    const copy = join(folder, `${format}.db`);
    expect(await measured(['import', copy, `--${format}`, document])).toMatchObject(counts);
    rmSync(document);
    copies.push(copy);
  }
  for (const path of [again, third, ...copies])
    expect(await json('find', path, '--where', `n=${nodeCount - 1}`)).toMatchObject({
      nodes: [{ labels: ['N'], properties: { id: `id-${nodeCount - 1}`, name: `name of ${nodeCount - 1}` } }],
    });
}

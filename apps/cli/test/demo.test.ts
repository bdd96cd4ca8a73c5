// Goal: the demo tells the truth about the air routes, and can be run again. Method: run it twice into a folder of its own,
// compare what it prints with the ground truth, and with what is counted here from the CSV files.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { json } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

const example = new URL('../../../examples/air-routes/', import.meta.url);
const folder = join(temporaryFolder(), 'made by the demo');
const database = join(folder, 'air-routes.db');

interface Item {
  readonly id: string;
  readonly answer: unknown;
}
const { items } = JSON.parse(
  readFileSync(new URL('../../../tooling/datasets/truth/air-routes.json', import.meta.url), 'utf8'),
) as { items: Item[] };
const truth = (id: string): unknown => items.find((item) => item.id === id)?.answer;

function demo(): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [fileURLToPath(new URL('demo.js', example)), folder], { encoding: 'utf8' });
}

function rows(file: string): string[][] {
  const text = gunzipSync(readFileSync(new URL(`data/${file}`, example))).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
}

/** Code and number of routes, those that leave and those that arrive, of the ten busiest airports. */
function busiest(): [string, number][] {
  const code = new Map(rows('airports.csv.gz').map(([id, , name]) => [id!, name!]));
  const counts = new Map<string, number>();
  for (const [, from, to] of rows('route.csv.gz'))
    for (const id of [from!, to!]) counts.set(id, (counts.get(id) ?? 0) + 1);
  const ranked = [...counts].sort((a, b) => b[1] - a[1] || Number(a[0]) - Number(b[0]));
  return ranked.slice(0, 10).map(([id, count]) => [code.get(id)!, count]);
}

// Sixteen processes.
vi.setConfig({ testTimeout: 240_000 });

describe('the demo', () => {
  it('prints the right numbers, twice', () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'air-routes.db.mine'), 'not of the demo');
    for (let run = 0; run < 2; run += 1) {
      const { status, stdout, stderr } = demo();
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/3,749 nodes and 57,645 edges imported/);
      expect(stdout).toMatch(new RegExp(`Airport +${(truth('count/nodes') as number).toLocaleString('en-US')}\\n`));
      expect(stdout).toMatch(new RegExp(`ROUTE +${(truth('count/edges') as number).toLocaleString('en-US')}\\n`));
      const top = busiest().map(([code, count]) => `Airport +${count}  ${code}  .*\\n`);
      expect(stdout).toMatch(
        new RegExp(`id +labels +edges +code +city\\n${top.map((line) => `\\d+ +${line}`).join('')}\\n`),
      );
      const levels = (truth('bfs-out/AUS') as number[]).map(
        (count, hops) => ` +${hops} +${count.toLocaleString('en-US')} +[\\d,]+\\n`,
      );
      expect(stdout).toMatch(new RegExp(`hops +nodes +so far\\n${levels.join('')}\\n`));
      // Two flights by either measure; 1,230 + 7,489 miles over Los Angeles.
      expect(stdout).toMatch(/\n2 edges\n[\s\S]*AUS {3}Austin\n[\s\S]*SYD {3}Sydney\n/);
      expect(stdout).toMatch(/\n2 edges, dist 8,719\n[\s\S]*1230 {2}LAX[\s\S]*7489 {2}SYD/);
      expect(stdout).toContain('desc     Austin Bergstrom International Airport\n');
      expect(stdout).toMatch(/air-routes\.db is clean: \d+ pages, 3,749 nodes, 57,645 edges checked, commit \d+\n/);
      expect(stdout).toContain(`The database is ${database} `);
      expect(stdout).not.toContain('\u001b');
      expect(readdirSync(folder).sort()).toEqual(['air-routes.db', 'air-routes.db.mine']);
    }
  });

  it('leaves a file that answers what it says to try next', async () => {
    const next = (await json('neighbors', database, 'code:WLG', '--type', 'ROUTE')) as { neighbors: unknown[] };
    expect(next.neighbors).toHaveLength((truth('bfs-out/WLG') as number[])[1]!);
    const found = (await json('find', database, '--label', 'Airport', '--where', 'country=NZ')) as { nodes: unknown[] };
    expect(found.nodes).toHaveLength(rows('airports.csv.gz').filter((cells) => cells.includes('NZ')).length);
  });

  it('keeps licence and notice of its data', () => {
    expect(readFileSync(new URL('LICENSE', example), 'utf8')).toContain('Apache License');
    expect(readFileSync(new URL('NOTICE', example), 'utf8')).toContain('Kelvin R. Lawrence');
  });
});

/** One run of the property: what salvage hands out equals what was there, and whatever is missing is in the report. */
import { rootsPage } from '@sombra/pager';
import { expect } from 'vitest';
import { salvageDatabase, verifyDatabase } from '../../src/index.ts';
import type { SalvageReport } from '../../src/index.ts';
import { bytesOf, copyOf, flip, PAGE_SIZE, PATH, withGraph } from './damage.ts';
import { contentOf, numbers, randomDatabase } from './random-graph.ts';

/** Salvages a random graph of which some pages are damaged. @returns the report */
export async function checkSalvage(seed: number, nodes = 120): Promise<SalvageReport> {
  const next = numbers(seed + 1_000_000);
  const vfs = randomDatabase(seed, nodes);
  const model = withGraph(copyOf(vfs), PATH, ({ reader }) => contentOf(reader));
  const pages = bytesOf(vfs).length / PAGE_SIZE;
  const roots = rootsPage(PAGE_SIZE);
  const damaged = new Set<number>();
  // One in four runs loses the catalogue.
  if (next(4) === 0) damaged.add(roots);
  for (let left = 1 + next(5); left > 0; left -= 1) damaged.add(roots + 1 + next(pages - roots - 1));
  for (const page of damaged) flip(vfs, page * PAGE_SIZE + 24 + next(PAGE_SIZE - 24));
  const report = await salvageDatabase(PATH, 'new.db', { vfs });
  expect((await verifyDatabase('new.db', { vfs })).errors).toEqual([]);
  const found = withGraph(vfs, 'new.db', ({ reader }) => contentOf(reader));
  for (const kind of ['nodes', 'edges'] as const) {
    const lost = new Set(report[kind].records.map(({ id }) => id));
    const inRange = (id: number): boolean => report[kind].ranges.some(({ from, to }) => id >= from && id <= to);
    for (const [id, content] of found[kind]) {
      // A name that is lost has a placeholder, which the report lists.
      if (report.names.length > 0) expect(model[kind].has(id), `${kind} ${id} was never there`).toBe(true);
      else expect([kind, id, content]).toEqual([kind, id, model[kind].get(id)]);
      expect(lost.has(id) || inRange(id), `${kind} ${id} is there, and reported as lost`).toBe(false);
    }
    for (const id of model[kind].keys())
      if (!found[kind].has(id))
        expect(lost.has(id) || inRange(id), `${kind} ${id} is missing in the report`).toBe(true);
    for (const id of lost)
      expect(model[kind].has(id), `${kind} ${id} is reported as lost, and was not there`).toBe(true);
    expect(report[kind].found).toBe(found[kind].size);
    if (found[kind].size < model[kind].size) expect(report.isComplete).toBe(false);
  }
  return report;
}

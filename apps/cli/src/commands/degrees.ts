import type { GraphDB } from '@sombra/db';
import type { EdgeOptions } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { addEdgeOptions, addJson, addShow, edgeFilter, parseCount } from '../shell/options.ts';
import { readDatabase } from '../database/open-database.ts';
import type { Pace } from '../shell/pace.ts';
import { nodeTable } from '../shell/tables.ts';
import { nodeToJson } from '../values/plain-json.ts';

interface Options extends EdgeOptions {
  readonly json?: boolean;
  readonly label?: string;
  readonly limit: number;
  readonly show?: string[];
}

/** Nodes beyond the limit that are held before the least of them are dropped. */
const SPARE = 4096;

/** `sombra degrees`: the nodes with the most edges. */
export function addDegrees({ program, shell }: Parts): void {
  addShow(addEdgeOptions(addJson(program.command('degrees'))))
    .description('the nodes with the most edges; among equals the lower id first')
    .argument('<db>', 'path of the database')
    .option('--label <label>', 'only nodes with this label')
    .option('--limit <count>', 'nodes to show; 0 for all', parseCount, 10)
    .action(async (path: string, options: Options) => {
      const out = shell(options.json);
      const rows = await readDatabase(path, out, async (db) => {
        const ranked = await rank(db, options, out.pace());
        return ranked.map(({ id, degree }) => ({ node: db.getNode(id)!, degree }));
      });
      out.result({ nodes: rows.map(({ node, degree }) => ({ ...nodeToJson(node), degree })) }, () =>
        nodeTable(
          out,
          rows.map(({ node }) => node),
          options.show,
          [{ head: 'edges', cell: (_, row) => rows[row]!.degree }],
        ),
      );
    });
}

async function rank(db: GraphDB, options: Options, pace: Pace): Promise<{ id: number; degree: number }[]> {
  const filter = edgeFilter(options);
  const most = options.limit === 0 ? Infinity : options.limit;
  const ranked: { id: number; degree: number }[] = [];
  const cutBack = (): void => {
    ranked.sort((a, b) => b.degree - a.degree || a.id - b.id);
    ranked.length = Math.min(ranked.length, most);
  };
  for (const id of db.nodeIds(options.label)) {
    ranked.push({ id, degree: db.degree(id, filter) });
    if (ranked.length >= most + SPARE) cutBack();
    if (pace.row()) await pace.turn();
  }
  cutBack();
  return ranked;
}

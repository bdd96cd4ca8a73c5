import type { EdgeRecord, GraphDB, NodeRecord } from '@sombra/db';
import { selectNodes } from '../database/node-selector.ts';
import type { EdgeOptions, NodeOptions } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import {
  addEdgeOptions,
  addJson,
  addLimit,
  addNodeOptions,
  addShow,
  cut,
  edgeFilter,
  oneMore,
} from '../shell/options.ts';
import { readDatabase } from '../database/open-database.ts';
import { nodeTable, plural } from '../shell/tables.ts';
import { edgeToJson, nodeToJson } from '../values/plain-json.ts';
import { propertiesToText } from '../values/text.ts';

interface Options extends EdgeOptions, NodeOptions {
  readonly json?: boolean;
  readonly distinct?: boolean;
  readonly limit: number;
  readonly show?: string[];
}

/** A neighbour, and the edge that leads to it unless only distinct neighbours are wanted. */
interface Row {
  readonly node: NodeRecord;
  readonly edge: EdgeRecord | undefined;
}

/** `sombra neighbors`: the nodes at the other ends of a node's edges. */
export function addNeighbors({ program, shell }: Parts): void {
  addLimit(addShow(addNodeOptions(addEdgeOptions(addJson(program.command('neighbors'))))))
    .description('the neighbours of a node, one row for each edge')
    .argument('<db>', 'path of the database')
    .argument('[node]', 'id, or key=value')
    .option('--distinct', 'each neighbour once, without edges')
    .action(async (path: string, node: string | undefined, options: Options) => {
      const out = shell(options.json);
      const { start, found } = await readDatabase(path, out, (db) => {
        const [start] = selectNodes(db, [node], options.key, options.label);
        return { start: start!, found: readRows(db, start!.id, options) };
      });
      const { rows, truncated } = cut(found, options.limit);
      const data = rows.map((row) => ({
        node: nodeToJson(row.node),
        ...(row.edge === undefined ? {} : { edge: edgeToJson(row.edge) }),
      }));
      out.result({ node: nodeToJson(start), neighbors: data, truncated }, () => {
        if (rows.length === 0) return 'no neighbour';
        const edge = { head: 'edge', cell: (_: NodeRecord, row: number) => edgeText(rows[row]!.edge, start.id) };
        const nodes = rows.map((row) => row.node);
        return nodeTable(out, nodes, options.show, options.distinct === true ? [] : [edge]);
      });
      if (truncated) out.note(`only the first ${plural(options.limit, 'neighbour')}; --limit 0 shows all`);
    });
}

function readRows(db: GraphDB, id: number, options: Options): Row[] {
  const filter = edgeFilter(options);
  const limit = oneMore(options.limit);
  if (options.distinct === true) {
    return db
      .neighbors(id, { ...filter, distinct: true, limit })
      .map((other) => ({ node: db.getNode(other)!, edge: undefined }));
  }
  return db
    .edgesOf(id, { ...filter, limit })
    .map((edge) => ({ node: db.getNode(edge.source === id ? edge.target : edge.source)!, edge }));
}

function edgeText(edge: EdgeRecord | undefined, start: number): string {
  if (edge === undefined) return '';
  const properties = propertiesToText(edge.properties);
  return `${edge.source === start ? '→' : '←'} ${edge.type}${properties === '' ? '' : `  ${properties}`}`;
}

import type { EdgeRecord, NodeRecord, Path } from '@sombra/db';
import { selectNodes } from '../database/node-selector.ts';
import type { EdgeOptions, NodeOptions } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { addEdgeOptions, addJson, addNodeOptions, addShow, edgeFilter, parseCount } from '../shell/options.ts';
import { readDatabase } from '../database/open-database.ts';
import type { Shell } from '../shell/shell.ts';
import { count, nodeTable, plural } from '../shell/tables.ts';
import { edgeToJson, nodeToJson } from '../values/plain-json.ts';
import { toText } from '../values/text.ts';

interface Options extends EdgeOptions, NodeOptions {
  readonly json?: boolean;
  readonly weight?: string;
  readonly maxDepth?: number;
  readonly show?: string[];
}

interface Found {
  readonly path: Path;
  readonly nodes: NodeRecord[];
  readonly edges: EdgeRecord[];
}

/** `sombra path`: a shortest path between two nodes. */
export function addPath({ program, shell }: Parts): void {
  addShow(addNodeOptions(addEdgeOptions(addJson(program.command('path')))))
    .description('a shortest path: with the fewest edges, or with the least sum of an edge property')
    .argument('<db>', 'path of the database')
    .argument('[from]', 'id, or key=value')
    .argument('[to]', 'id, or key=value')
    .option('--weight <key>', 'edge property to add up, instead of counting edges')
    .option('--max-depth <edges>', 'no path with more edges', parseCount)
    .action(async (file: string, from: string | undefined, to: string | undefined, options: Options) => {
      const out = shell(options.json);
      const found = await readDatabase(file, out, async (db): Promise<Found | undefined> => {
        const [start, end] = selectNodes(db, [from, to], options.key, options.label);
        const { weight, maxDepth } = options;
        const path = await db.shortestPathAsync(start!.id, end!.id, {
          ...edgeFilter(options),
          signal: out.signals.first,
          ...(weight === undefined ? {} : { weight }),
          ...(maxDepth === undefined ? {} : { maxDepth }),
        });
        if (path === undefined) return undefined;
        return { path, nodes: path.nodes.map((id) => db.getNode(id)!), edges: path.edges.map((id) => db.getEdge(id)!) };
      });
      out.result(asJson(found), () => asText(out, found, options));
    });
}

function asJson(found: Found | undefined): unknown {
  if (found === undefined) return { found: false };
  const { length, weight } = found.path;
  return {
    found: true,
    length,
    ...(weight === undefined ? {} : { weight }),
    nodes: found.nodes.map(nodeToJson),
    edges: found.edges.map(edgeToJson),
  };
}

function asText(out: Shell, found: Found | undefined, { weight, show }: Options): string {
  if (found === undefined) return 'no path';
  const { length, weight: sum } = found.path;
  const edgeInto = (row: number): EdgeRecord | undefined => found.edges[row - 1];
  const by = { head: 'by', cell: (_: NodeRecord, row: number) => edgeInto(row)?.type ?? '' };
  const cost = {
    head: weight ?? '',
    cell: (_: NodeRecord, row: number) => {
      const value = edgeInto(row)?.properties[weight!];
      return value === undefined ? '' : toText(value);
    },
  };
  const title = plural(length, 'edge') + (sum === undefined ? '' : `, ${weight!} ${count(sum)}`);
  return `${title}\n\n${nodeTable(out, found.nodes, show, weight === undefined ? [by] : [by, cost])}`;
}

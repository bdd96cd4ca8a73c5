import { selectNodes } from '../database/node-selector.ts';
import type { EdgeOptions, NodeOptions } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { addEdgeOptions, addJson, addNodeOptions, edgeFilter, parseCount } from '../shell/options.ts';
import { readDatabase } from '../database/open-database.ts';
import { count, table } from '../shell/tables.ts';
import { nodeToJson } from '../values/plain-json.ts';

interface Options extends EdgeOptions, NodeOptions {
  readonly json?: boolean;
  readonly maxDepth?: number;
  readonly nodes?: boolean;
}

/** `sombra bfs`: how far the other nodes are from one. */
export function addBfs({ program, shell }: Parts): void {
  addNodeOptions(addEdgeOptions(addJson(program.command('bfs'))))
    .description('breadth-first search: how many nodes lie at each distance from a node')
    .argument('<db>', 'path of the database')
    .argument('[node]', 'id, or key=value')
    .option('--max-depth <hops>', 'stop at this distance', parseCount)
    .option('--nodes', 'also list the nodes with their distance')
    .action(async (path: string, node: string | undefined, options: Options) => {
      const out = shell(options.json);
      const { start, levels, nodes } = await readDatabase(path, out, async (db) => {
        const [start] = selectNodes(db, [node], options.key, options.label);
        const bfs = {
          ...edgeFilter(options),
          signal: out.signals.first,
          ...(options.maxDepth === undefined ? {} : { maxDepth: options.maxDepth }),
        };
        const nodes = options.nodes === true ? await db.bfsAsync(start!.id, bfs) : undefined;
        return { start: start!, levels: await db.bfsLevelsAsync(start!.id, bfs), nodes };
      });
      const reached = levels.reduce((sum, level) => sum + level, 0);
      const data = { start: nodeToJson(start), reached, levels, ...(nodes === undefined ? {} : { nodes }) };
      out.result(data, () => {
        let total = 0;
        const rows = levels.map((level, depth) => [depth, level, (total += level)]);
        const parts = [
          `${count(reached)} nodes reached from node ${start.id}, itself included`,
          '',
          table(out, ['hops', 'nodes', 'so far'], rows),
        ];
        if (nodes !== undefined)
          parts.push(
            '',
            table(
              out,
              ['hops', 'node'],
              nodes.map(({ id, depth }) => [depth, String(id)]),
            ),
          );
        return parts.join('\n');
      });
    });
}

import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { AlgorithmOptions, NodeRecord, Snapshot } from '@sombra/db';
import { readDatabase } from '../database/open-database.ts';
import { addJson, addShow, collect, parseCount } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import type { Shell } from '../shell/shell.ts';
import { count, nodeTable, plural, table } from '../shell/tables.ts';
import { nodeToJson } from '../values/plain-json.ts';

/** Rows that are shown unless told otherwise. */
const TOP_DEFAULT = 10;

interface GraphOptions {
  readonly json?: boolean;
  readonly label?: string;
  readonly type?: string[];
  readonly top: number;
  readonly show?: string[];
}

/** `--label`, `--type` and `--top`: the part of the graph that an algorithm runs over, and what is shown of the result. */
function addGraphOptions(command: Command, top: string): Command {
  return addJson(command)
    .argument('<db>', 'path of the database')
    .option('--label <label>', 'only nodes with this label, and edges between them')
    .option('--type <type>', 'only edges of this type; repeat it for several', collect)
    .option('--top <count>', top, parseCount, TOP_DEFAULT);
}

function partOf({ label, type }: GraphOptions, signal: AbortSignal): AlgorithmOptions {
  return { signal, ...(label === undefined ? {} : { label }), ...(type === undefined ? {} : { type }) };
}

/** Runs an algorithm on one commit until it is done, or a signal comes. */
function overSnapshot<T>(
  path: string,
  out: Shell,
  work: (graph: Snapshot, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return readDatabase(path, out, async (db) => {
    const snapshot = db.snapshot();
    try {
      return await work(snapshot, out.signals.first);
    } finally {
      snapshot.release();
    }
  });
}

/** Nodes with a number each. */
function ranking(
  graph: Snapshot,
  top: readonly { id: number; value: number }[],
): { node: NodeRecord; value: number }[] {
  return top.map(({ id, value }) => ({ node: graph.getNode(id)!, value }));
}

function most({ top }: GraphOptions): number {
  return top === 0 ? Infinity : top;
}

/** `sombra components`: connected components. */
export function addComponents({ program, shell }: Parts): void {
  addGraphOptions(program.command('components'), 'components to show, the largest first; 0 for all')
    .description('connected components, the largest first')
    .option('--strong', 'every node reaches every other one along the edges, instead of in any direction')
    .option('--nodes', 'with --json: ids of the nodes of each component that is shown')
    .action(async (path: string, options: GraphOptions & { strong?: boolean; nodes?: boolean }) => {
      const out = shell(options.json);
      const kind = options.strong === true ? 'strong' : 'weak';
      const found = await overSnapshot(path, out, (graph, signal) =>
        graph.componentsAsync({ ...partOf(options, signal), kind }),
      );
      const sizes = [...found.sizes.subarray(0, Math.min(most(options), found.count))];
      const components = sizes.map((nodes, number) =>
        options.nodes === true ? { nodes, ids: found.members(number) } : { nodes },
      );
      const nodes = found.of.size;
      out.result({ path, kind, count: found.count, nodes, components, truncated: sizes.length < found.count }, () =>
        [
          `${plural(found.count, `${kind}ly connected component`)} of ${plural(nodes, 'node')}`,
          '',
          table(
            out,
            ['component', 'nodes'],
            sizes.map((size, number) => [number + 1, size]),
          ),
        ].join('\n'),
      );
    });
}

/** `sombra pagerank`: the nodes that matter. */
export function addPageRank({ program, shell }: Parts): void {
  addShow(addGraphOptions(program.command('pagerank'), 'nodes to show, the highest rank first; 0 for all'))
    .description('nodes by the ranks of the nodes that lead to them')
    .option('--damping <number>', 'part of the rank that follows edges, 0 to 1', parsePart, 0.85)
    .option('--iterations <count>', 'iterations at most', parseCount, 100)
    .option('--tolerance <number>', 'ends when the ranks change by less than this in sum', parsePart, 1e-6)
    .action(
      async (path: string, options: GraphOptions & { damping: number; iterations: number; tolerance: number }) => {
        const out = shell(options.json);
        const { damping, iterations, tolerance } = options;
        const found = await overSnapshot(path, out, async (graph, signal) => {
          const part = partOf(options, signal);
          const result = await graph.pageRankAsync({ ...part, damping, maxIterations: iterations, tolerance });
          return { ...result, rows: ranking(graph, result.perNode.top(most(options))) };
        });
        const { rows, converged, perNode } = found;
        const data = {
          path,
          nodes: rows.map(({ node, value }) => ({ ...nodeToJson(node), rank: value })),
          count: perNode.size,
          iterations: found.iterations,
          converged,
        };
        out.result(data, () =>
          nodeTable(
            out,
            rows.map(({ node }) => node),
            options.show,
            [{ head: 'rank', cell: (_, row) => rows[row]!.value.toPrecision(6) }],
          ),
        );
        if (!converged) out.note(`not converged after ${plural(found.iterations, 'iteration')}: raise --iterations`);
      },
    );
}

/** `sombra triangles`: how closely nodes are knit. */
export function addTriangles({ program, shell }: Parts): void {
  addShow(addGraphOptions(program.command('triangles'), 'nodes to show, those in the most triangles; 0 for all'))
    .description('triangles of the graph, whatever the directions of its edges')
    .action(async (path: string, options: GraphOptions) => {
      const out = shell(options.json);
      const found = await overSnapshot(path, out, async (graph, signal) => {
        const { total, perNode } = await graph.trianglesAsync(partOf(options, signal));
        const top = perNode.top(most(options)).filter(({ value }) => value > 0);
        return { total, rows: ranking(graph, top) };
      });
      const { total, rows } = found;
      out.result(
        { path, total, nodes: rows.map(({ node, value }) => ({ ...nodeToJson(node), triangles: value })) },
        () => {
          const head = `${count(total)} ${total === 1 ? 'triangle' : 'triangles'}`;
          if (rows.length === 0) return head;
          const nodes = rows.map(({ node }) => node);
          const extra = [{ head: 'triangles', cell: (_: NodeRecord, row: number) => rows[row]!.value }];
          return [head, '', nodeTable(out, nodes, options.show, extra)].join('\n');
        },
      );
    });
}

/** A number of 0 to 1. */
function parsePart(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It is a number of 0 to 1.');
  return value;
}

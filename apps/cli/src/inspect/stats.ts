/** `stats`: `info`, and what the graph holds, as far as it can be read. */
import { Graph } from '@sombra/graph';
import type { GraphReader } from '@sombra/graph';
import { NodeVfs, SombraError } from '@sombra/vfs';
import { EXIT } from '../shell/shell.ts';
import { count } from '../shell/tables.ts';
import { Examination, findingOf } from '@sombra/ops';
import type { Finding } from '@sombra/ops';
import { infoOf, infoRows } from './info.ts';
import { connectionLines, connectionsOf } from './connections.ts';
import { findingLines, moment, rowsToText, section } from './report.ts';
import type { Parts } from '../shell/program.ts';
import { addVerbOptions } from './verb-options.ts';
import type { VerbOptions } from './verb-options.ts';

/** What the graph holds. null: it could not be read. */
interface GraphFigures {
  readonly nodes: number | null;
  readonly edges: number | null;
  readonly labels: readonly { readonly label: string; readonly nodes: number }[] | null;
  readonly edgeTypes: readonly { readonly type: string; readonly edges: number }[] | null;
  readonly propertyKeys: readonly string[] | null;
}

/** Adds the verb. */
export function addStats({ program, shell, exit }: Parts): void {
  addVerbOptions(program.command('stats'))
    .description(
      'what the file holds, as far as it can be read: nodes by label, edges by type, trees, readers; and how the processes that use it perform',
    )
    .action(async (path: string, { json, busyTimeout }: VerbOptions) => {
      const out = shell(json);
      const seen = new Examination(new NodeVfs(), path, busyTimeout);
      try {
        const { pager } = seen;
        const more: Finding[] = [];
        const why: Finding[] = [];
        const attempt = <T>(read: () => T): T | null => {
          try {
            return read();
          } catch (error) {
            if (!(error instanceof SombraError)) throw error;
            const finding = findingOf(error);
            const known = [...seen.damage, ...more, ...why].some(({ message }) => message === finding.message);
            // A file that holds no graph is not damaged.
            if (!known) (error.name === 'CorruptionError' ? more : why).push(finding);
            return null;
          }
        };
        const graph = pager === null ? null : attempt(() => Graph.open(pager));
        const figures = figuresOf(graph?.reader ?? null, attempt);
        const trees =
          pager === null
            ? null
            : attempt(() => pager.view.trees().map(({ name, count: entries }) => ({ name, entries })));
        const readers =
          pager?.readers().map(({ pid, since, lsn }) => ({ pid, since: moment(since), commit: lsn })) ?? [];
        const connections = pager === null ? null : attempt(() => connectionsOf(pager));
        const info = infoOf(path, seen);
        const damage = [...info.damage, ...more];
        const warnings = [...info.warnings, ...why];
        await out.signals.turn();
        out.result({ ...info, ...figures, trees, readers, connections, damage, warnings }, () =>
          [
            rowsToText([...infoRows(info), ['nodes', known(figures.nodes)], ['edges', known(figures.edges)]]),
            ...section(
              out,
              'nodes by label',
              ['label', 'nodes'],
              figures.labels?.map(({ label, nodes }) => [label, nodes]),
            ),
            ...section(
              out,
              'edges by type',
              ['type', 'edges'],
              figures.edgeTypes?.map(({ type, edges }) => [type, edges]),
            ),
            ...section(
              out,
              'trees',
              ['tree', 'entries'],
              trees?.map(({ name, entries }) => [name, entries]),
            ),
            ...(readers.length === 0
              ? []
              : section(
                  out,
                  'readers',
                  ['process', 'since', 'commit'],
                  readers.map(({ pid, since, commit }) => [String(pid), since, commit]),
                )),
            ...(connections === null ? [] : connectionLines(out, connections)),
            ...findingLines(out, damage, warnings),
          ].join('\n'),
        );
        if (damage.length > 0) exit(EXIT.damaged);
      } finally {
        seen.close();
      }
    });
}

function figuresOf(reader: GraphReader | null, attempt: <T>(read: () => T) => T | null): GraphFigures {
  if (reader === null) return { nodes: null, edges: null, labels: null, edgeTypes: null, propertyKeys: null };
  return {
    nodes: attempt(() => reader.nodeCount()),
    edges: attempt(() => reader.edgeCount()),
    labels: attempt(() => reader.labels().map((label) => ({ label, nodes: reader.nodeCount(label) }))),
    edgeTypes: attempt(() => reader.edgeTypes().map((type) => ({ type, edges: reader.edgeCount(type) }))),
    propertyKeys: attempt(() => reader.propertyKeys()),
  };
}

function known(value: number | null): string {
  return value === null ? 'unknown' : count(value);
}

import { readDatabase } from '../database/open-database.ts';
import { addJson, parseCount } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { RowProgress } from '../shell/row-progress.ts';
import { observe } from '../schema/observed.ts';
import type { ObservedProperty, ObservedSchema } from '../schema/observed.ts';
import { toTypeScript } from '../schema/to-typescript.ts';
import type { Shell } from '../shell/shell.ts';
import { plural, table } from '../shell/tables.ts';
import { usageError } from '../errors/usage-error.ts';
import { oneLine } from '../values/text.ts';

interface Options {
  readonly json?: boolean;
  readonly sample?: number;
  readonly typescript?: boolean;
}

/** `sombra schema`: which labels, edge types and properties there are. */
export function addSchema({ program, shell }: Parts): void {
  addJson(program.command('schema'))
    .description('labels and edge types with their properties, what edges connect, indexes')
    .argument('<db>', 'path of the database')
    .option('--sample <count>', 'look at so many nodes of each label and edges of each type (default: all)', parseCount)
    .option('--typescript', 'print the source of a schema for @sombra/db')
    .action(async (path: string, { json, sample, typescript }: Options) => {
      const out = shell(json);
      if (json === true && typescript === true) throw usageError('--json and --typescript both say how to print');
      if (sample === 0) throw usageError('--sample looks at 1 row at least; without it all are looked at');
      const observed = await readDatabase(path, out, async (db) => {
        const snapshot = db.snapshot();
        const progress = new RowProgress(snapshot.nodeCount() + snapshot.edgeCount(), out);
        try {
          return await observe(
            snapshot,
            sample,
            out.pace((rows) => progress.at(rows)),
          );
        } finally {
          progress.stop();
          snapshot.release();
        }
      });
      const data = { path, ...observed };
      out.result(data, () => (typescript === true ? toTypeScript(observed) : toText(out, path, observed)));
    });
}

function toText(out: Shell, path: string, schema: ObservedSchema): string {
  const { labels, edgeTypes, indexes, sample } = schema;
  const parts = [`${path}: ${plural(schema.nodes, 'node')}, ${plural(schema.edges, 'edge')}`];
  if (sample !== null) parts[0] += `; ${plural(sample, 'row')} of each label and type were looked at`;
  for (const { label, nodes, scanned, properties } of labels)
    parts.push(section(out, `${oneLine(label)}, ${plural(nodes, 'node')}`, [], properties, scanned));
  for (const { type, edges, scanned, ends, properties } of edgeTypes) {
    const name = (names: readonly string[]): string => (names.length === 0 ? 'no label' : names.map(oneLine).join(':'));
    const connects = ends.map(
      ({ from, to, edges: count }) => `  (${name(from)}) → (${name(to)})  ${plural(count, 'edge')}`,
    );
    parts.push(section(out, `${oneLine(type)}, ${plural(edges, 'edge')}`, connects, properties, scanned));
  }
  const list = indexes.map(({ on, name, keys, unique }) => {
    const place = `${on === 'node' ? 'nodes' : 'edges'} ${oneLine(name)} (${keys.map(oneLine).join(', ')})`;
    return `index on ${place}${unique ? ', unique' : ''}`;
  });
  if (list.length > 0) parts.push(list.join('\n'));
  return parts.join('\n\n');
}

function section(
  out: Shell,
  title: string,
  lines: readonly string[],
  properties: readonly ObservedProperty[],
  scanned: number,
): string {
  const rows = properties.map(({ key, present, kinds }) => [
    key,
    present === scanned ? 'always' : `${((100 * present) / scanned).toFixed(1)} %`,
    kinds.length === 1 ? kinds[0]!.kind : kinds.map(({ kind, count }) => `${kind} ${count}`).join(', '),
  ]);
  const head = [out.colors.bold(title), ...lines];
  return rows.length === 0 ? head.join('\n') : [...head, table(out, ['property', 'present', 'kind'], rows)].join('\n');
}

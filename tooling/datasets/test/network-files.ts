// Reads the social networks (LDBC SNB and LSQB) as rows for a bulk load. Ids are unique per label only, so ends are looked up
// by label and id; the files are read one by one, so that a million edges need no more memory than their largest file.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import type { BulkEdge, BulkNode, GraphDB, PropertyInput, PropertyValue } from '@sombra/db';

interface NetworkFile {
  readonly kind: 'node' | 'edge';
  readonly label?: string;
  readonly type?: string;
  readonly from?: string;
  readonly to?: string;
  readonly file: string;
  readonly rows: number;
  readonly gzSha256: string;
  readonly columns: Record<string, string>;
}

export interface NetworkOptions {
  /** Labels of the nodes of a file; default: its label. */
  readonly labels?: (label: string) => readonly string[];
  /** Columns of milliseconds since 1970 that become dates. */
  readonly dates?: readonly string[];
  /** Only these labels, and the edges among them. */
  readonly only?: readonly string[];
}

/** What `bulkLoad` takes. Nodes have to be gone through before edges. */
export interface NetworkRows {
  readonly nodes: Iterable<BulkNode>;
  readonly edges: Iterable<BulkEdge>;
}

/** @throws when a checksum or a number of rows is wrong, or an edge leads to no node */
export function networkRows(name: string, options: NetworkOptions = {}): NetworkRows {
  const folder = new URL(`../${name}/`, import.meta.url);
  const all = JSON.parse(readFileSync(new URL('dataset.json', folder), 'utf8')) as { files: NetworkFile[] };
  const files = all.files.filter(({ label, from, to }) =>
    [label, from, to].every((name) => name === undefined || (options.only?.includes(name) ?? true)),
  );
  const rowOf = new Map<string, Map<string, number>>();
  let next = 0;

  function* nodes(): Iterable<BulkNode> {
    for (const file of files) {
      if (file.kind !== 'node') continue;
      const label = file.label ?? '';
      const labels = options.labels?.(label) ?? [label];
      const rows = new Map<string, number>();
      rowOf.set(label, rows);
      const [header, ...lines] = read(folder, file);
      const convert = converter(file, header ?? [], options.dates ?? []);
      for (const cells of lines) {
        rows.set(cells[0] ?? '', next);
        next += 1;
        yield { labels, properties: convert(cells) };
      }
    }
  }

  function* edges(): Iterable<BulkEdge> {
    for (const file of files) {
      if (file.kind !== 'edge') continue;
      const [sources, targets] = [rowOf.get(file.from ?? ''), rowOf.get(file.to ?? '')];
      const [header, ...lines] = read(folder, file);
      const convert = converter(file, header ?? [], options.dates ?? []);
      for (const cells of lines) {
        const [source, target] = [sources?.get(cells[0] ?? ''), targets?.get(cells[1] ?? '')];
        if (source === undefined || target === undefined)
          throw new Error(`${file.file}: an end of ${String(cells)} is missing`);
        yield { source, target, type: file.type ?? '', properties: convert(cells) };
      }
    }
  }
  return { nodes: nodes(), edges: edges() };
}

function read(folder: URL, file: NetworkFile): string[][] {
  const packed = readFileSync(new URL(file.file, folder));
  const found = createHash('sha256').update(packed).digest('hex');
  if (found !== file.gzSha256) throw new Error(`${file.file} has changed: its SHA-256 is ${found}`);
  const text = gunzipSync(packed).toString('utf8');
  // Files of numbers have nothing to unquote, and are most of the bytes.
  const rows = text.includes('"')
    ? (parse(text) as string[][])
    : text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(','));
  if (rows.length - 1 !== file.rows) throw new Error(`${file.file}: ${rows.length - 1} rows instead of ${file.rows}`);
  return rows;
}

/** An empty cell stands for an absent property. */
function converter(
  file: NetworkFile,
  header: readonly string[],
  dates: readonly string[],
): (cells: readonly string[]) => PropertyInput | undefined {
  const columns = header.flatMap((key, index) => {
    const kind = file.columns[key] ?? '';
    return kind === 'id' ? [] : [{ key, index, value: valueOf(kind, dates.includes(key)) }];
  });
  if (columns.length === 0) return () => undefined;
  return (cells) => {
    const properties: Record<string, PropertyValue> = {};
    for (const { key, index, value } of columns) {
      const cell = cells[index] ?? '';
      if (cell !== '') properties[key] = value(cell);
    }
    return properties;
  };
}

function valueOf(kind: string, isDate: boolean): (cell: string) => PropertyValue {
  if (isDate) return (cell) => new Date(Number(cell));
  if (kind === 'int') return (cell) => (Number.isSafeInteger(Number(cell)) ? Number(cell) : BigInt(cell));
  if (kind === 'string') return (cell) => cell;
  if (kind.startsWith('string[]')) return (cell) => cell.split(';');
  throw new Error(`a column of ${kind} is not known`);
}

/** Edges by label of the source, type, label of the target. `labels`: those that tell nodes apart. */
export function edgesByEnds(db: Pick<GraphDB, 'nodeIds' | 'edges'>, labels: readonly string[]): Record<string, number> {
  const labelOf = new Map<number, string>();
  for (const label of labels) for (const id of db.nodeIds({ label })) labelOf.set(id, label);
  const counts: Record<string, number> = {};
  for (const { source, type, target } of db.edges()) {
    const ends = `${labelOf.get(source) ?? '?'} ${type} ${labelOf.get(target) ?? '?'}`;
    counts[ends] = (counts[ends] ?? 0) + 1;
  }
  return counts;
}

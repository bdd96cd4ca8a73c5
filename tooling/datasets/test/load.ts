import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';

type Cell = string | number;
export interface Table {
  readonly label: string;
  readonly rows: readonly Record<string, Cell>[];
}
interface DatasetFile {
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
export interface Dataset {
  readonly nodes: readonly Table[];
  readonly edges: readonly Table[];
}
export interface TruthItem {
  readonly id: string;
  readonly what: string;
  readonly params: Record<string, never> | null;
  readonly answer: unknown;
}

const folder = (name: string): URL =>
  name === 'air-routes'
    ? new URL('../../../examples/air-routes/data/', import.meta.url)
    : new URL(`../${name}/`, import.meta.url);

/** Reads every file of a set; numbers as the set's `dataset.json` declares them. Throws when a checksum or a row count is wrong. */
export function readDataset(name: string): Dataset {
  const { files } = JSON.parse(readFileSync(new URL('dataset.json', folder(name)), 'utf8')) as { files: DatasetFile[] };
  const read = (kind: string): Table[] =>
    files
      .filter((file) => file.kind === kind)
      .map((file) => {
        const packed = readFileSync(new URL(file.file, folder(name)));
        const found = createHash('sha256').update(packed).digest('hex');
        if (found !== file.gzSha256) throw new Error(`${file.file} has changed: its SHA-256 is ${found}`);
        const text = gunzipSync(packed).toString('utf8');
        const raw = parse(text, { columns: true }) as Record<string, string>[];
        if (raw.length !== file.rows) throw new Error(`${file.file}: ${raw.length} rows instead of ${file.rows}`);
        const rows = raw.map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([column, value]) => [
              column,
              file.columns[column] === 'string' ? value : Number(value),
            ]),
          ),
        );
        return { label: (file.label ?? file.type) as string, rows };
      });
  return { nodes: read('node'), edges: read('edge') };
}

export function readTruth(name: string): TruthItem[] {
  const text = readFileSync(new URL(`../truth/${name}.json`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { items: TruthItem[] }).items;
}

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphDB } from '@sombra/db';
import { exportCsv } from '../export/csv-export.ts';
import type { ExportedFile } from '../export/csv-export.ts';
import { exportGexf } from '../gexf/gexf-export.ts';
import { exportGraphology } from '../graphology/graphology-export.ts';
import { exportGraphml } from '../graphml/graphml-export.ts';
import { exportNeo4j } from '../neo4j/neo4j-export.ts';
import { exportJsonl } from '../export/jsonl-export.ts';
import { DatabaseFiles } from '../files/database-files.ts';
import { OutputFiles } from '../files/output-files.ts';
import type { Pace } from '../shell/pace.ts';
import { Selected } from '../export/selection.ts';
import type { SelectionOptions } from '../export/selection.ts';
import { readDatabase } from '../database/open-database.ts';
import { addJson, collect, parseNames } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { RowProgress } from '../shell/row-progress.ts';
import type { Shell } from '../shell/shell.ts';
import { Interrupted } from '../shell/signals.ts';
import { plural } from '../shell/tables.ts';
import { usageError } from '../errors/usage-error.ts';

interface Options {
  readonly json?: boolean;
  readonly to: string;
  readonly format?: string;
  readonly gzip?: boolean;
  readonly label?: string[];
  readonly type?: string[];
  readonly properties?: string[];
  readonly force?: boolean;
}

/** What writes a format of one file. */
const WRITERS = Object.freeze({
  jsonl: exportJsonl,
  graphml: exportGraphml,
  gexf: exportGexf,
  graphology: exportGraphology,
});
/** Formats, and how often an export reads every row. */
const READINGS = Object.freeze({ csv: 2, neo4j: 2, jsonl: 1, graphml: 2, gexf: 2, graphology: 1 });
type FileFormat = keyof typeof WRITERS;
type Format = keyof typeof READINGS;
/** Files whose name says the format. */
const NAMED = /\.(jsonl|graphml|gexf)(?:\.gz)?$/i;

/** Where an export goes: a folder, a file, or stdout. */
type Destination =
  | { readonly format: Format; readonly gzip: boolean; readonly path: string }
  | { readonly format: FileFormat; readonly gzip: boolean; readonly path: undefined };

const HELP = `
The whole export shows one commit, whatever is written meanwhile, and reads back by sombra import:
  csv    a folder with a file for each set of labels, nodes-….csv, and for each edge type, edges-….csv
  jsonl  one file, an object a line; --to - writes it to stdout
  neo4j  a folder with files for neo4j-admin database import; what they cannot hold is refused
  graphml, gexf  one file
  graphology  one file, for Graph.from(JSON.parse(text)) of the package graphology
Without --format a name that ends in .jsonl, .graphml or .gexf, packed or not, says the format; - means jsonl, everything else csv.

Examples:
  sombra export air.db --to air-csv
  sombra import copy.db --nodes air-csv/nodes*.csv --edges air-csv/edges*.csv
  sombra export air.db --format neo4j --to air-neo4j
  sombra import copy.db --quoted-empty --nodes air-neo4j/nodes*.csv --edges air-neo4j/edges*.csv
  sombra export air.db --to airports.jsonl.gz --label Airport --properties code,city`;

/** `sombra export`: writes a database, or a part of it, to files. */
export function addExport({ program, shell }: Parts): void {
  addJson(program.command('export'))
    .description('write nodes and edges to files of CSV, JSON Lines, GraphML, GEXF or graphology')
    .argument('<db>', 'path of the database')
    .requiredOption('--to <place>', 'folder (csv, neo4j) or file (the others) to write; - for stdout')
    .option('--format <format>', 'csv, neo4j, jsonl, graphml, gexf or graphology (default: as the name says)')
    .option('--gzip', 'pack the files; a name that ends in .gz says the same')
    .option('--label <label>', 'only nodes with this label, and edges between them; repeat it for several', collect)
    .option('--type <type>', 'only edges of this type; repeat it for several', collect)
    .option('--properties <keys>', 'only these properties, separated by commas', parseNames)
    .option('--force', 'replace files that are there')
    .addHelpText('after', HELP)
    .action(async (path: string, options: Options) => {
      const out = shell(options.json);
      const began = performance.now();
      const destination = destinationOf(options);
      const selection = { labels: options.label, types: options.type, properties: options.properties };
      const database = new DatabaseFiles(path);
      if (destination.path !== undefined) database.refuse(destination.path, 'write');
      const output = new OutputFiles(destination.gzip, options.force ?? false, database);
      const files = await readDatabase(path, out, (db) => exportTo(db, selection, destination, output, out));
      if (destination.path === undefined) return;
      const rows = (kind: string): number => files.reduce((sum, file) => sum + (file.kind === kind ? file.rows : 0), 0);
      const elapsedMs = Math.round(performance.now() - began);
      const { format } = destination;
      const [nodes, edges] = [rows('nodes'), rows('edges')];
      out.result({ path, to: destination.path, format, nodes, edges, files, elapsedMs }, () => {
        const seconds = (elapsedMs / 1000).toFixed(1);
        return `${destination.path!}: ${plural(nodes, 'node')} and ${plural(edges, 'edge')} exported in ${seconds} s`;
      });
    });
}

/** @returns what was written @throws Interrupted, when nothing is left behind */
async function exportTo(
  db: GraphDB,
  selection: SelectionOptions,
  { format, gzip, path }: Destination,
  output: OutputFiles,
  out: Shell,
): Promise<ExportedFile[]> {
  const snapshot = db.snapshot();
  const selected = new Selected(snapshot, selection);
  const progress = new RowProgress(selected.rowsMax * READINGS[format], out);
  const pace = out.pace((rows) => progress.at(rows));
  try {
    if (path === undefined) {
      await WRITERS[format](selected, (text) => out.rows(text), pace);
      return [];
    }
    const files = await write(selected, { format, gzip, path }, output, pace);
    output.finish();
    return files;
  } catch (error) {
    if (path !== undefined && out.signals.caused(error)) throw new Interrupted('interrupted: no file was written');
    throw error;
  } finally {
    progress.stop();
    output.discard();
    snapshot.release();
  }
}

async function write(
  selected: Selected,
  { format, gzip, path }: Destination & { readonly path: string },
  output: OutputFiles,
  pace: Pace,
): Promise<ExportedFile[]> {
  const ending = gzip ? '.csv.gz' : '.csv';
  if (format === 'csv') return exportCsv(selected, path, ending, output, pace);
  if (format === 'neo4j') return exportNeo4j(selected, path, ending, output, pace);
  output.begin([path]);
  const { nodes, edges } = await WRITERS[format](selected, (text) => output.write(path, text), pace);
  return [
    { file: path, kind: 'nodes', rows: nodes },
    { file: path, kind: 'edges', rows: edges },
  ];
}

/** @throws DataError SOMBRA_USAGE */
function destinationOf({ to, format, gzip = false, json = false }: Options): Destination {
  if (to === '') throw usageError('--to is empty: name a folder, a file, or - for stdout');
  if (format !== undefined && !isFormat(format)) throw usageError(`--format is ${Object.keys(READINGS).join(', ')}`);
  const named = (NAMED.exec(to)?.[1]?.toLowerCase() ?? (to === '-' ? 'jsonl' : 'csv')) as Format;
  const chosen = format ?? named;
  if (to === '-') {
    if (!isOfOneFile(chosen))
      throw usageError(`${chosen} takes several files: name a folder by --to, or say --format jsonl`);
    if (gzip) throw usageError('stdout is not packed: leave out --gzip, and pipe the rows into gzip');
    if (json) throw usageError('--json and --to - both write to stdout: leave out one of them');
    return { format: chosen, gzip: false, path: undefined };
  }
  const isFolder = existsSync(to) && statSync(to).isDirectory();
  if (!isOfOneFile(chosen)) {
    if (existsSync(to) && !isFolder) throw usageError(`${to} is a file: ${chosen} files go into a folder`);
    return { format: chosen, gzip, path: to };
  }
  const packed = gzip || to.endsWith('.gz');
  const path = isFolder ? join(to, `graph.${chosen}${packed ? '.gz' : ''}`) : to;
  return { format: chosen, gzip: packed, path };
}

function isFormat(name: string): name is Format {
  return Object.hasOwn(READINGS, name);
}

function isOfOneFile(format: Format): format is FileFormat {
  return Object.hasOwn(WRITERS, format);
}

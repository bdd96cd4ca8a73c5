import { existsSync } from 'node:fs';
import { runImport } from '../import/run-import.ts';
import { parseEdgeSpec, parseNodeSpec } from '../import/file-spec.ts';
import { DatabaseFiles } from '../files/database-files.ts';
import type { ImportOptions } from '../import/plan.ts';
import { fallbacksOf, planImport } from '../import/plan.ts';
import { CsvSource } from '../import/csv-source.ts';
import type { ImportSource } from '../import/import-source.ts';
import type { ReadGraphFile } from '../import/graph-file-source.ts';
import { GraphFileSource } from '../import/graph-file-source.ts';
import { readGexf } from '../gexf/gexf-reader.ts';
import { readGraphology } from '../graphology/graphology-reader.ts';
import { readGraphml } from '../graphml/graphml-reader.ts';
import { inspectFile } from '../files/text-file.ts';
import { jsonlSource } from '../import/jsonl-source.ts';
import { ImportProgress } from '../import/import-progress.ts';
import { addJson, parseCount } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { Interrupted } from '../shell/signals.ts';
import { plural } from '../shell/tables.ts';
import { usageError } from '../errors/usage-error.ts';

const STDOUT = 1;
const STDERR = 2;

interface Options extends ImportOptions {
  readonly json?: boolean;
  readonly jsonl?: string[];
  readonly graphml?: string[];
  readonly gexf?: string[];
  readonly graphology?: string[];
  readonly edgeIdProperty?: string;
  readonly maxTransactionPages?: number;
}

const HELP = `
Headers name the columns and may say what they are, as neo4j-admin import takes them:
  id:ID   id:ID(Group)   :LABEL   name   name:int   tags:string[]
  :START_ID(Group)   :END_ID(Group)   :TYPE   :IGNORE
  :LABELS (a JSON list)   :PROPERTIES (a JSON object of more properties)
Types: string, int (also long), float (also double), boolean, bytes (base64), date, datetime, each also with []; json.
Plain headers work too: the columns id, from and to play those parts, and --columns gives types. A column of ids is also
kept as a property, unless it has no name or --columns says ignore.
An empty cell is an absent property. Either everything is imported or nothing.

JSON Lines hold one object a line; what JSON does not have is tagged, as docs/reference/cli.md says:
  {"node":1,"labels":["Person"],"properties":{"name":"Ada"}}
  {"edge":1,"type":"KNOWS","source":1,"target":2,"properties":{"big":{"$integer":"9007199254740993"}}}

Examples:
  sombra import air.db --nodes Airport=airports.csv.gz --edges ROUTE=routes.csv.gz --columns id:int,dist:int
  sombra import social.db --nodes 'Person(P)=persons.csv' 'City(C)=cities.csv' --edges 'LIVES_IN(P,C)=lives.csv'
  sombra import drawn.db --graphml drawn.graphml --label Person --type KNOWS
  sombra export old.db --to - | sombra import new.db --jsonl -`;

/** Formats whose files hold nodes and edges, by the option that names them. */
const GRAPH_FORMATS: Readonly<Record<'graphml' | 'gexf' | 'graphology', ReadGraphFile>> = Object.freeze({
  graphml: readGraphml,
  gexf: readGexf,
  graphology: readGraphology,
});
const GRAPH_FORMAT_NAMES = Object.keys(GRAPH_FORMATS) as (keyof typeof GRAPH_FORMATS)[];

/** Options that only CSV files have. */
const CSV_OPTIONS = ['idColumn', 'from', 'to', 'columns', 'delimiter', 'quotedEmpty'] as const;

/** `sombra import`: fills a database from files. */
export function addImport({ program, shell }: Parts): void {
  addJson(program.command('import'))
    .description('fill a database from files of CSV, JSON Lines, GraphML, GEXF or graphology, packed by gzip or not')
    .argument('<db>', 'path of the database; it is created if need be')
    .option('--nodes <file...>', 'files of nodes: FILE, Label=FILE or Label(Group)=FILE')
    .option('--edges <file...>', 'files of edges: FILE, TYPE=FILE or TYPE(From,To)=FILE')
    .option('--jsonl <file...>', 'files of JSON Lines as export writes them, nodes and edges; - for standard input')
    .option('--graphml <file...>', 'files of GraphML, nodes and edges')
    .option('--gexf <file...>', 'files of GEXF, nodes and edges')
    .option('--graphology <file...>', 'files with the JSON object of a graphology graph, as its export() gives it')
    .option('--id-property <key[:type]>', 'keep the ids of nodes as a property; the type is for CSV (default: string)')
    .option('--edge-id-property <key>', 'keep the ids of edges as a property; not for CSV, where they have none')
    .option('--label <label>', 'label of nodes that name none, in their file or by themselves; A:B for two')
    .option('--type <type>', 'type of edges that name none, in their file or by themselves')
    .option('--id-column <name>', 'plain headers: column with the ids (default: id)')
    .option('--label-column <name>', 'column, in GraphML, GEXF and graphology attribute, with the labels')
    .option('--from <name>', 'plain headers: column with the id of the start (default: from)')
    .option('--to <name>', 'plain headers: column with the id of the end (default: to)')
    .option('--type-column <name>', 'column, in GraphML, GEXF and graphology attribute, with the type')
    .option('--columns <name:type,...>', 'types of columns (default: as the header says, or string), or ignore')
    .option('--delimiter <character>', 'between cells; tab for a tab (default: comma)')
    .option('--array-delimiter <character>', 'between the values of a list, and between labels', ';')
    .option(
      '--quoted-empty',
      'a quoted empty cell is an empty text or list, as neo4j-admin has it, and not an absent value',
    )
    .option('--max-transaction-pages <count>', 'limit of the transaction, for a database that is not empty', parseCount)
    .addHelpText('after', HELP)
    .action(async (path: string, options: Options) => {
      const out = shell(options.json);
      const began = performance.now();
      if (path === ':memory:') throw usageError('a database in memory would end with the command: name a file');
      const { signals } = out;
      const database = new DatabaseFiles(path);
      for (const file of filesOf(options)) database.refuse(file, 'read');
      database.refuseStream(STDOUT, 'stdout', 'write');
      database.refuseStream(STDERR, 'stderr', 'write');
      const source = await sourceOf(options, (message) => out.note(`warning: ${message}`));
      const progress = new ImportProgress(source.bytes, out);
      try {
        const summary = await runImport(source, path, {
          maxTransactionPages: options.maxTransactionPages,
          signal: signals.first,
          kill: signals.second,
          read: (bytes) => progress.read(bytes),
          progress: (phase, rows) => progress.phase(phase, rows),
          warning: (code, message) => out.note(`warning ${code}: ${message}`),
        });
        progress.stop();
        if (summary === undefined) {
          throw new Interrupted(
            signals.second.aborted && existsSync(path)
              ? `interrupted at once: the next command recovers ${path}, with the whole import or with nothing of it`
              : 'interrupted: nothing was imported',
          );
        }
        const { nodes, edges, method, files } = summary;
        const elapsedMs = Math.round(performance.now() - began);
        out.result({ path, nodes, edges, method, files, elapsedMs }, () => {
          const seconds = (elapsedMs / 1000).toFixed(1);
          return `${path}: ${plural(nodes, 'node')} and ${plural(edges, 'edge')} imported in ${seconds} s`;
        });
      } finally {
        progress.stop();
      }
    });
}

/** Paths of the files that the options name; none for standard input. */
function filesOf(options: Options): string[] {
  const { jsonl = [], nodes = [], edges = [] } = options;
  const graphs = GRAPH_FORMAT_NAMES.flatMap((format) => options[format] ?? []);
  const csv = [...nodes.map(parseNodeSpec), ...edges.map(parseEdgeSpec)];
  return [...csv.map((spec) => spec.path), ...graphs, ...jsonl.filter((path) => path !== '-')];
}

/** What the options name. @throws DataError SOMBRA_USAGE, SOMBRA_IMPORT_…, SOMBRA_CSV_… */
async function sourceOf(options: Options, note: (message: string) => void): Promise<ImportSource> {
  const { jsonl, nodes, edges, idProperty, edgeIdProperty } = options;
  const formats = GRAPH_FORMAT_NAMES.filter((format) => options[format] !== undefined);
  const given = [...formats, ...(jsonl === undefined ? [] : ['jsonl'])];
  if (given.length > 1) throw usageError(`--${given.join(' and --')}: an import reads files of one format`);
  if (given.length === 0) {
    if (edgeIdProperty !== undefined)
      throw usageError(
        '--edge-id-property is for files in which edges have ids; in CSV a column of its own keeps them',
      );
    return new CsvSource(await planImport(options));
  }
  if (nodes !== undefined || edges !== undefined)
    throw usageError(
      `--${given[0]!} has nodes and edges in the same files: import CSV files, --nodes and --edges, by themselves`,
    );
  const unused = CSV_OPTIONS.find((name) => options[name] !== undefined);
  if (unused !== undefined) {
    const option = unused.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw usageError(`--${option} is for CSV files: leave it out with --${given[0]!}`);
  }
  if (idProperty === '') throw usageError('--id-property names an empty property');
  if (edgeIdProperty === '') throw usageError('--edge-id-property names an empty property');
  const ids = { node: idProperty, edge: edgeIdProperty };
  const [format] = formats;
  if (format === undefined) return jsonlSource(jsonl!, ids);
  const graphOptions = {
    ...fallbacksOf(options),
    labelName: options.labelColumn,
    typeName: options.typeColumn,
    ids,
    note,
  };
  return new GraphFileSource(options[format]!.map(inspectFile), GRAPH_FORMATS[format], graphOptions);
}

import type { EdgeQuery, FindPlan, GraphDB, NodeQuery, OrderBy, SelectedRecord } from '@sombra/db';
import { CONDITION_FORMS, parseConditions } from '../database/conditions.ts';
import { addJson, addLimit, addShow, collect, cut, oneMore, parseCount, parseNames } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { readDatabase } from '../database/open-database.ts';
import type { Shell } from '../shell/shell.ts';
import { count, edgeTable, nodeCard, nodeTable, plural, selectedTable } from '../shell/tables.ts';
import { usageError } from '../errors/usage-error.ts';
import { edgeToJson, nodeToJson, propertiesToJson } from '../values/plain-json.ts';

interface Options {
  readonly json?: boolean;
  readonly label?: string;
  readonly edges?: boolean;
  readonly type?: string;
  readonly orderBy?: string[];
  readonly limit: number;
  readonly skip: number;
  readonly select?: string[];
  readonly show?: string[];
  readonly explain?: boolean;
}

const HELP = `
A condition is ${CONDITION_FORMS}.
Values: 30 and 1.5 are numbers, true and false booleans, 2024-01-31 and 2024-01-31T12:00:00Z dates, [1,2] a list, anything else
text; "30" within quotes is text. After = and != a value is read as any type that it can be. Conditions must all hold; --or
begins a new group, and one of the groups must hold.

Examples:
  sombra find air.db --label Airport --where 'longest>=12000' --order-by longest:desc --limit 10
  sombra find air.db --where 'code in:["AUS","ATL"]' --or --where 'city^=San'
  sombra find air.db --edges --type ROUTE --where 'dist>8000' --select dist`;

/** `sombra find`: nodes or edges by label, type and properties. */
export function addFind({ program, shell }: Parts): void {
  const groups: string[][] = [[]];
  addLimit(addShow(addJson(program.command('find'))))
    .description('find nodes or edges by label, type and properties')
    .argument('<db>', 'path of the database')
    .option('--label <label>', 'only nodes with this label')
    .option('--edges', 'find edges instead of nodes')
    .option('--type <type>', 'with --edges: only edges of this type')
    .option('--where <condition>', 'only what fulfils this; repeat it for several', (text) => groups.at(-1)!.push(text))
    .option('--or', 'begins another group of conditions')
    .on('option:or', () => groups.push([]))
    .option('--order-by <key[:desc]>', 'order by this property; repeat it for several', collect)
    .option('--skip <count>', 'rows to leave out at the beginning', parseCount, 0)
    .option('--select <keys>', 'read only these properties, separated by commas', parseNames)
    .option('--explain', 'instead of rows: how they are found, and what that reads')
    .addHelpText('after', HELP)
    .action(async (path: string, options: Options) => {
      const out = shell(options.json);
      if (options.edges !== true && options.type !== undefined)
        throw usageError('--type is for edges: add --edges, or say --label');
      if (options.edges === true && options.label !== undefined)
        throw usageError('--label is for nodes: leave out --edges, or say --type');
      if (groups.length > 1 && groups.some((group) => group.length === 0))
        throw usageError('--or stands between two --where');
      await (options.edges === true ? findEdges : findNodes)(path, out, options, groups);
    });
}

async function findNodes(path: string, out: Shell, options: Options, groups: readonly string[][]): Promise<void> {
  const query: NodeQuery = { ...rowsOf(options), label: options.label, where: parseConditions(groups) };
  const { select, limit, show } = options;
  if (options.explain === true) {
    await explain(path, out, (db) =>
      db.explainNodes(select === undefined ? query : { ...query, select }, { analyze: true }),
    );
    return;
  }
  if (select !== undefined) {
    const { rows, truncated } = await read(path, out, limit, (db) => db.findNodes({ ...query, select }));
    out.result({ nodes: rows.map(selectedToJson), truncated }, () =>
      rows.length === 0 ? 'no node found' : selectedTable(out, rows, select),
    );
    tellLimit(out, truncated, limit, 'node');
    return;
  }
  const { rows, truncated } = await read(path, out, limit, (db) => db.findNodes(query));
  out.result({ nodes: rows.map(nodeToJson), truncated }, () => {
    if (rows.length === 0) return 'no node found';
    return rows.length === 1 && show === undefined ? nodeCard(out, rows[0]!) : nodeTable(out, rows, show);
  });
  tellLimit(out, truncated, limit, 'node');
}

async function findEdges(path: string, out: Shell, options: Options, groups: readonly string[][]): Promise<void> {
  const query: EdgeQuery = { ...rowsOf(options), type: options.type, where: parseConditions(groups) };
  const { select, limit, show } = options;
  if (options.explain === true) {
    await explain(path, out, (db) =>
      db.explainEdges(select === undefined ? query : { ...query, select }, { analyze: true }),
    );
    return;
  }
  if (select !== undefined) {
    const { rows, truncated } = await read(path, out, limit, (db) => db.findEdges({ ...query, select }));
    out.result({ edges: rows.map(selectedToJson), truncated }, () =>
      rows.length === 0 ? 'no edge found' : selectedTable(out, rows, select),
    );
    tellLimit(out, truncated, limit, 'edge');
    return;
  }
  const { rows, truncated } = await read(path, out, limit, (db) => db.findEdges(query));
  out.result({ edges: rows.map(edgeToJson), truncated }, () =>
    rows.length === 0 ? 'no edge found' : edgeTable(out, rows, show),
  );
  tellLimit(out, truncated, limit, 'edge');
}

function rowsOf({ orderBy, limit, skip }: Options): { orderBy: OrderBy[]; limit: number; skip: number } {
  return { orderBy: (orderBy ?? []).map(parseOrder), limit: oneMore(limit), skip };
}

/** `key`, `key:asc` or `key:desc`. */
function parseOrder(text: string): OrderBy {
  const [, key, direction] = /^(.+?)(?::(asc|desc))?$/s.exec(text) ?? [];
  if (key === undefined) throw usageError('--order-by names no property: write key or key:desc');
  return { key, descending: direction === 'desc' };
}

async function read<T>(
  path: string,
  out: Shell,
  limit: number,
  find: (db: GraphDB) => Iterable<T>,
): Promise<{ rows: T[]; truncated: boolean }> {
  const rows = await readDatabase(path, out, async (db) => {
    const found: T[] = [];
    const pace = out.pace();
    for (const row of find(db)) {
      found.push(row);
      if (pace.row()) await pace.turn();
    }
    return found;
  });
  return cut(rows, limit);
}

function selectedToJson({ id, properties }: SelectedRecord): object {
  return { id, properties: propertiesToJson(properties) };
}

function tellLimit(out: Shell, truncated: boolean, limit: number, word: string): void {
  if (truncated) out.note(`only the first ${plural(limit, word)}; --limit 0 shows all`);
}

async function explain(path: string, out: Shell, ask: (db: GraphDB) => FindPlan): Promise<void> {
  const plan = await readDatabase(path, out, ask);
  const { access, index, estimatedRows, filters, sorted, rowsRead = 0, rowsMatched = 0 } = plan;
  out.result({ plan: { access, index: index ?? null, estimatedRows, filters, sorted, rowsRead, rowsMatched } }, () =>
    [
      `access   ${access}`,
      `index    ${index === undefined ? 'none' : `${index.name} (${index.keys.join(', ')})${index.unique ? ', unique' : ''}`}`,
      `filters  ${filters.join('; ') || 'none'}`,
      `sorted   ${sorted ? 'in memory' : 'no'}`,
      `rows     ${count(Math.round(estimatedRows))} estimated, ${count(rowsRead)} read, ${count(rowsMatched)} found`,
    ].join('\n'),
  );
}

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { runImport } from '../import/run-import.ts';
import type { ImportOptions } from '../import/plan.ts';
import { planImport } from '../import/plan.ts';
import { ImportProgress } from '../import-progress.ts';
import { addJson, parseCount } from '../options.ts';
import { EXIT } from '../shell.ts';
import type { Shell } from '../shell.ts';
import { plural } from '../tables.ts';
import { usageError } from '../usage-error.ts';

interface Options extends ImportOptions {
  readonly json?: boolean;
  readonly maxTransactionPages?: number;
}

const HELP = `
Headers name the columns and may say what they are, as neo4j-admin import takes them:
  id:ID   id:ID(Group)   :LABEL   name   name:int   tags:string[]
  :START_ID(Group)   :END_ID(Group)   :TYPE   :IGNORE
Types: string, int (also long), float (also double), boolean, bytes (base64), date, datetime, each also with [].
Plain headers work too: the columns id, from and to play those parts, and --columns gives types. A column of ids is also
kept as a property, unless it has no name or --columns says ignore.
An empty cell is an absent property. Either everything is imported or nothing.

Examples:
  sombra import air.db --nodes Airport=airports.csv.gz --edges ROUTE=routes.csv.gz --columns id:int,dist:int
  sombra import social.db --nodes 'Person(P)=persons.csv' 'City(C)=cities.csv' --edges 'LIVES_IN(P,C)=lives.csv'`;

/** `sombra import`: fills a database from CSV files. */
export function addImport(
  program: Command,
  shell: (json: boolean | undefined) => Shell,
  exit: (code: number) => void,
): void {
  addJson(program.command('import'))
    .description('fill a database from CSV files, packed by gzip or not')
    .argument('<db>', 'path of the database; it is created if need be')
    .option('--nodes <file...>', 'files of nodes: FILE, Label=FILE or Label(Group)=FILE')
    .option('--edges <file...>', 'files of edges: FILE, TYPE=FILE or TYPE(From,To)=FILE')
    .option('--label <label>', 'label of nodes whose file names none; A:B for two')
    .option('--type <type>', 'type of edges whose file names none')
    .option('--id-column <name>', 'plain headers: column with the ids (default: id)')
    .option('--label-column <name>', 'plain headers: column with the labels')
    .option('--from <name>', 'plain headers: column with the id of the start (default: from)')
    .option('--to <name>', 'plain headers: column with the id of the end (default: to)')
    .option('--type-column <name>', 'plain headers: column with the type')
    .option('--columns <name:type,...>', 'types of columns (default: as the header says, or string), or ignore')
    .option('--delimiter <character>', 'between cells', ',')
    .option('--array-delimiter <character>', 'between the values of a list, and between labels', ';')
    .option('--max-transaction-pages <count>', 'limit of the transaction, for a database that is not empty', parseCount)
    .addHelpText('after', HELP)
    .action(async (path: string, options: Options) => {
      const out = shell(options.json);
      const began = performance.now();
      if (path === ':memory:') throw usageError('a database in memory would end with the command: name a file');
      const plan = await planImport(options);
      const signals = listenToSignals();
      const progress = new ImportProgress(plan.bytes, out);
      try {
        const summary = await runImport(plan, path, {
          maxTransactionPages: options.maxTransactionPages,
          signal: signals.first,
          kill: signals.second,
          read: (bytes) => progress.read(bytes),
          progress: (phase, rows) => progress.phase(phase, rows),
          warning: (code, message) => out.note(`warning ${code}: ${message}`),
        });
        progress.stop();
        if (summary === undefined) {
          out.note(
            signals.second.aborted && existsSync(path)
              ? `interrupted at once: the next command recovers ${path}, with the whole import or with nothing of it`
              : 'interrupted: nothing was imported',
          );
          exit(signals.exitCode());
          return;
        }
        const { nodes, edges, method, files } = summary;
        const elapsedMs = Math.round(performance.now() - began);
        out.result({ path, nodes, edges, method, files, elapsedMs }, () => {
          const seconds = (elapsedMs / 1000).toFixed(1);
          return `${path}: ${plural(nodes, 'node')} and ${plural(edges, 'edge')} imported in ${seconds} s`;
        });
      } finally {
        progress.stop();
        signals.stop();
      }
    });
}

/** The first SIGINT or SIGTERM asks for a clean end, the second one for an end. */
function listenToSignals(): { first: AbortSignal; second: AbortSignal; exitCode: () => number; stop: () => void } {
  const first = new AbortController();
  const second = new AbortController();
  let code: number = EXIT.interrupted;
  const handler = (signal: NodeJS.Signals): void => {
    if (first.signal.aborted) second.abort();
    code = signal === 'SIGTERM' ? 143 : EXIT.interrupted;
    first.abort();
  };
  process.on('SIGINT', handler).on('SIGTERM', handler);
  return {
    first: first.signal,
    second: second.signal,
    exitCode: () => code,
    stop: () => void process.off('SIGINT', handler).off('SIGTERM', handler),
  };
}

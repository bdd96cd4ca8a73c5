import type { Command } from 'commander';
import { GraphDB } from '@sombra/db';
import { DataError } from '@sombra/vfs';
import { createIndex } from '../indexes/create.ts';
import { BUSY_TIMEOUT_MS, readDatabase } from '../database/open-database.ts';
import { addJson, parseNames } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { RowProgress } from '../shell/row-progress.ts';
import { Interrupted } from '../shell/signals.ts';
import { plural, table } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';

interface Options {
  readonly json?: boolean;
  readonly edges?: boolean;
  readonly unique?: boolean;
}

const EDGES = 'the index is on edges of a type, instead of nodes with a label';
const PHASES = Object.freeze({ records: 'records read', build: 'entries built', publish: 'entries written' });

/** `sombra index create`, `drop` and `list`: property indexes. */
export function addIndex({ program, shell }: Parts): void {
  const group = program.command('index').description('create, drop and list property indexes');
  addCreate(group, shell);
  addDrop(group, shell);
  addList(group, shell);
}

function addCreate(group: Command, shell: Parts['shell']): void {
  addJson(group.command('create'))
    .description('create an index over all data that there is; from then on every write keeps it')
    .argument('<db>', 'path of the database')
    .argument('<name>', 'label of the nodes, or with --edges type of the edges')
    .argument('<keys>', 'property, or several of them separated by commas, the most important first')
    .option('--edges', EDGES)
    .option('--unique', 'no two of them may have the same values')
    .action(async (path: string, name: string, keyList: string, { json, edges, unique = false }: Options) => {
      const out = shell(json);
      const began = performance.now();
      const keys = parseNames(keyList);
      const on = edges === true ? 'edge' : 'node';
      const rows = await readDatabase(path, out, (db) => (on === 'node' ? db.nodeCount(name) : db.edgeCount(name)));
      const progress = new RowProgress(rows, out);
      try {
        const { created, entries } = await createIndex(
          { database: path, on, name, keys, unique },
          {
            signal: out.signals.first,
            progress: (phase, done) => progress.at(done, PHASES[phase]),
            warning: (code, message) => out.note(`warning ${code}: ${message}`),
          },
        );
        progress.stop();
        const elapsedMs = Math.round(performance.now() - began);
        out.result({ path, on, name, keys, unique, created, entries, elapsedMs }, () => {
          const what = `index on ${oneLine(name)} (${keys.map(oneLine).join(', ')})`;
          if (!created) return `${path}: there is this ${what} already`;
          return `${path}: ${what} created, ${plural(entries, 'entry', 'entries')}, in ${(elapsedMs / 1000).toFixed(1)} s`;
        });
      } catch (error) {
        throw out.signals.caused(error) ? new Interrupted('interrupted: no index was created') : error;
      } finally {
        progress.stop();
      }
    });
}

function addDrop(group: Command, shell: Parts['shell']): void {
  addJson(group.command('drop'))
    .description('drop the index on exactly these properties')
    .argument('<db>', 'path of the database')
    .argument('<name>', 'label of the nodes, or with --edges type of the edges')
    .argument('<keys>', 'property, or several of them separated by commas')
    .option('--edges', EDGES)
    .action((path: string, name: string, keyList: string, { json, edges }: Options) => {
      const out = shell(json);
      const keys = parseNames(keyList);
      const on = edges === true ? 'edge' : 'node';
      const db = GraphDB.open(path, {
        createIfMissing: false,
        busyTimeoutMs: BUSY_TIMEOUT_MS,
        onWarning: ({ code, message }) => out.note(`warning ${code}: ${message}`),
      });
      let dropped: boolean;
      try {
        dropped = on === 'node' ? db.dropPropertyIndex(name, keys) : db.dropEdgePropertyIndex(name, keys);
      } finally {
        db.close();
      }
      const what = `index on ${oneLine(name)} (${keys.map(oneLine).join(', ')})`;
      if (!dropped)
        throw new DataError('SOMBRA_INDEX_NOT_FOUND', `there is no ${what}: sombra index list ${path} names all`);
      out.result({ path, on, name, keys, dropped }, () => `${path}: ${what} dropped`);
    });
}

function addList(group: Command, shell: Parts['shell']): void {
  addJson(group.command('list'))
    .description('list the indexes, with the number of their entries')
    .argument('<db>', 'path of the database')
    .action(async (path: string, { json }: Options) => {
      const out = shell(json);
      const infos = await readDatabase(path, out, (db) => db.propertyIndexes());
      const indexes = infos.map(({ on, name, keys, unique, entries }) => ({ on, name, keys, unique, entries }));
      out.result({ path, indexes }, () =>
        indexes.length === 0
          ? 'no index'
          : table(
              out,
              ['on', 'name', 'keys', 'unique', 'entries'],
              indexes.map(({ on, name, keys, unique, entries }) => [
                on === 'node' ? 'nodes' : 'edges',
                name,
                keys.join(', '),
                unique ? 'yes' : 'no',
                entries,
              ]),
            ),
      );
    });
}

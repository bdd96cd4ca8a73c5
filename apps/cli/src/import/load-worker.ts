/**
 * The loading thread of an import: owns the database, takes rows from the other thread, which reads and checks the files.
 * So both work at once, and the other one is free to hear signals while the engine, which is synchronous, is busy.
 *
 * All or nothing: an empty database is filled by one bulk load, another one gets one transaction.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { GraphDB } from '@sombra/db';
import type { BulkEdge, BulkNode, Config, PropertyInput, PropertyValue } from '@sombra/db';
import type { Feed, LoadResult, LoadTask, Report, Row, RowError, RowPlace } from './messages.ts';
import { GIVE_UP, SENT } from './messages.ts';
import { sentError } from '../errors/sent-error.ts';
import type { SentError } from '../errors/sent-error.ts';
import { RowPlaces } from './row-places.ts';

/** The other thread wants no result any more. */
class GivenUp extends Error {}

const CACHE_PAGES = 5000;
/** The cache's buffer, with the pages of the transaction in it, must stay below this. */
const BUFFER_MAX = 2 ** 31;
const BUFFER_RESERVE_PAGES = 256;

/** What the engine refuses because of the row that it was given last; in a transaction also SOMBRA_UNIQUE. */
const REFUSED_ROW = new Set([
  'SOMBRA_LABEL_EMPTY',
  'SOMBRA_NAME_TOO_LONG',
  'SOMBRA_DICTIONARY_FULL',
  'SOMBRA_VALUE_KIND',
  'SOMBRA_VALUE_TOO_LARGE',
  'SOMBRA_TEXT_SURROGATE',
  'SOMBRA_NESTING',
]);

const task = workerData as LoadTask;
let taken = false;
/** The row that the engine was given last. */
let row: RowPlace | undefined;

/** Places of the rows of a bulk load: the engine finds two equal keys of a unique index only when it has all rows. */
const places = { node: new RowPlaces(), edge: new RowPlaces() };

function report(message: Report): void {
  parentPort!.postMessage(message);
}

function checkGivenUp(): void {
  if (Atomics.load(task.shared, GIVE_UP) === 1) throw new GivenUp();
}

/** Waits for the next message. */
function receive(): Feed {
  taken = true;
  for (;;) {
    checkGivenUp();
    const sent = Atomics.load(task.shared, SENT);
    const received = receiveMessageOnPort(task.port) as { message: Feed } | undefined;
    if (received !== undefined) {
      report({ kind: 'consumed' });
      return received.message;
    }
    Atomics.wait(task.shared, SENT, sent);
  }
}

function toProperties(keys: readonly string[], row: Row): PropertyInput {
  const properties = Object.create(null) as Record<string, PropertyValue>;
  for (let i = 0; i < keys.length; i += 1) {
    const value = row[i];
    if (value !== undefined) properties[keys[i]!] = value;
  }
  for (let i = keys.length; i < row.length; i += 2) properties[row[i] as string] = row[i + 1]!;
  return properties;
}

function* receiveNodes(): Generator<BulkNode> {
  for (;;) {
    const batch = receive();
    if (batch.kind === 'nodes-end') return;
    if (batch.kind !== 'nodes') throw new Error(`${batch.kind} among the nodes`);
    places.node.add(batch.start, batch.records, batch.rows.length);
    for (let i = 0; i < batch.rows.length; i += 1) {
      row = { file: batch.start.file, record: batch.records?.[i] ?? batch.start.record + i };
      yield { labels: batch.rowLabels?.[i] ?? batch.labels, properties: toProperties(batch.keys, batch.rows[i]!) };
    }
  }
}

function* receiveEdges(): Generator<BulkEdge> {
  for (;;) {
    const batch = receive();
    if (batch.kind === 'edges-end') return;
    if (batch.kind !== 'edges') throw new Error(`${batch.kind} among the edges`);
    places.edge.add(batch.start, batch.records, batch.rows.length);
    for (let i = 0; i < batch.rows.length; i += 1) {
      row = { file: batch.start.file, record: batch.records?.[i] ?? batch.start.record + i };
      yield {
        source: batch.sources[i]!,
        target: batch.targets[i]!,
        type: batch.rowTypes?.[i] ?? batch.type,
        properties: toProperties(batch.keys, batch.rows[i]!),
      };
    }
  }
}

function open(maxTransactionPages?: number): GraphDB {
  const config: Config = {
    cacheSize: CACHE_PAGES,
    transactionTimeoutMs: null,
    onWarning: ({ code, message }) => report({ kind: 'warning', code, message }),
  };
  return GraphDB.open(task.database, maxTransactionPages === undefined ? config : { ...config, maxTransactionPages });
}

function loadInBulk(db: GraphDB): LoadResult {
  const { nodes, edges } = db.bulkLoad(
    { nodes: receiveNodes(), edges: receiveEdges() },
    {
      onProgress: ({ phase, rows }) => {
        checkGivenUp();
        report({ kind: 'progress', phase, rows });
      },
    },
  );
  return { nodes, edges, method: 'bulk' };
}

function loadInTransaction(db: GraphDB): LoadResult {
  return db.transaction((tx) => {
    const ids: number[] = [];
    for (const { labels, properties } of receiveNodes()) ids.push(tx.addNode(labels, properties));
    let edges = 0;
    for (const { source, target, type, properties } of receiveEdges()) {
      tx.addEdge(ids[source]!, ids[target]!, type, properties);
      edges += 1;
    }
    return { nodes: ids.length, edges, method: 'transaction' };
  });
}

/** Opens, loads, closes; the database is closed in any case. */
function withDatabase<T>(db: GraphDB, work: (db: GraphDB) => T): T {
  let result: T;
  try {
    result = work(db);
  } catch (error) {
    // What went wrong first is what matters; commits, if any, are in the log.
    try {
      db.close();
    } catch {
      // told by the first error
    }
    throw error;
  }
  db.close();
  return result;
}

function load(): LoadResult {
  let pageSize = 0;
  try {
    return withDatabase(open(), (db) => {
      ({ pageSize } = db);
      report({ kind: 'opened', empty: db.nodeCount() === 0 && db.edgeCount() === 0 });
      return loadInBulk(db);
    });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'SOMBRA_BULK_NOT_EMPTY' || taken) throw error;
  }
  const most = Math.floor(BUFFER_MAX / pageSize) - CACHE_PAGES - BUFFER_RESERVE_PAGES;
  return withDatabase(open(task.maxTransactionPages ?? most), loadInTransaction);
}

/** The row that an error is about. */
function rowOf({ code, details }: SentError): RowPlace | undefined {
  if (REFUSED_ROW.has(String(code))) return row;
  if (code !== 'SOMBRA_UNIQUE') return undefined;
  const { on, row: number } = details as { on: 'node' | 'edge'; row?: number };
  return number === undefined ? row : places[on].at(number);
}

function sendable(error: unknown): RowError {
  const sent = sentError(error);
  const { code } = sent;
  return { ...sent, message: adviceFor(code) + sent.message, row: rowOf(sent) };
}

function adviceFor(code: unknown): string {
  if (code !== 'SOMBRA_TRANSACTION_PAGES') return '';
  return 'too much for one transaction, which is how a database that is not empty is filled: split the files, or import into a new database; ';
}

try {
  report({ kind: 'done', result: load() });
} catch (error) {
  report(error instanceof GivenUp ? { kind: 'given-up' } : { kind: 'failed', error: sendable(error) });
}

/**
 * The thread that creates an index, so that the main thread can handle signals while the synchronous engine is busy.
 * It ends with the database closed: with the index, or unchanged.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { GraphDB } from '@sombra/db';
import type { CreateIndexOptions } from '@sombra/db';
import { sentError } from '../errors/sent-error.ts';
import type { IndexReport, IndexTask } from './messages.ts';

const task = workerData as IndexTask;

function report(message: IndexReport): void {
  parentPort!.postMessage(message);
}

function create(): void {
  const { database, on, name, keys, unique, stop } = task;
  const db = GraphDB.open(database, {
    createIfMissing: false,
    onWarning: ({ code, message }) => report({ kind: 'warning', code, message }),
  });
  try {
    const options: CreateIndexOptions = {
      unique,
      onProgress: ({ phase, rows }) => report({ kind: 'progress', phase, rows }),
      signal: {
        get aborted() {
          return Atomics.load(stop, 0) === 1;
        },
      },
    };
    const created =
      on === 'node' ? db.createPropertyIndex(name, keys, options) : db.createEdgePropertyIndex(name, keys, options);
    const index = db
      .propertyIndexes()
      .find((one) => one.on === on && one.name === name && one.keys.join('\0') === keys.join('\0'));
    report({ kind: 'done', created, entries: index?.entries ?? 0 });
  } finally {
    db.close();
  }
}

try {
  create();
} catch (error) {
  report({ kind: 'failed', error: sentError(error) });
}

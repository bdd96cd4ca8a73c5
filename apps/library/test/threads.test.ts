// Goal: worker threads read a database that the main thread writes, each a consistent and newer state from snapshot to snapshot; one
// that is terminated in the middle holds nothing back. Method: real threads that run the built package, on a real file.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { GraphDB } from '../src/index.ts';
import { expectSound, withDirectory } from './support/open.ts';

interface Answer {
  readonly snapshots: number;
  readonly last: number;
}

const COMMITS = 300;

function startReader(path: string): { worker: Worker; ready: Promise<void>; answer: Promise<Answer> } {
  const worker = new Worker(new URL('children/reading-thread.js', import.meta.url), {
    workerData: path,
    execArgv: [], // the built package, not the sources that the tests run on
  });
  const failed = new Promise<never>((_, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('the thread ended')));
  });
  const said = <T>(isIt: (message: 'ready' | Answer) => boolean): Promise<T> =>
    new Promise((resolve) => worker.on('message', (message) => isIt(message) && resolve(message as T)));
  const ready = Promise.race([failed, said<void>((message) => message === 'ready')]);
  const answer = Promise.race([failed, said<Answer>((message) => message !== 'ready')]);
  for (const promise of [ready, answer]) promise.catch(() => undefined); // one of them is terminated
  return { worker, ready, answer };
}

it('threads read while the main thread writes, and one may be terminated', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'graph.db');
    const db = GraphDB.open(path, { maxWalSizeMb: 0.25 });
    db.addMany({ nodes: [1, 2].map(() => ({ labels: 'Counter', properties: { value: 0 } })) });
    const readers = [startReader(path), startReader(path), startReader(path)];
    await Promise.all(readers.map(({ ready }) => ready));
    for (let value = 1; value <= COMMITS; value += 1) {
      await db.transactionAsync((tx) => {
        tx.setNodeProperty(1, 'value', value);
        tx.addNode('Step', { value, text: 'x'.repeat(500) });
        tx.setNodeProperty(2, 'value', value);
      });
      if (value === COMMITS / 2) await readers[0]!.worker.terminate();
    }
    const rest = readers.slice(1);
    for (const { worker } of rest) worker.postMessage('stop');
    const answers = await Promise.all(rest.map(({ answer }) => answer));
    for (const { snapshots, last } of answers) {
      expect(snapshots).toBeGreaterThan(10);
      expect(last).toBeGreaterThan(0);
      expect(last).toBeLessThanOrEqual(COMMITS);
    }
    // The mark of the thread that was terminated holds nothing back.
    expect(db.checkpoint().lsn).toBe(db.lsn);
    expectSound(db);
    db.close();
    expect(readdirSync(directory)).toEqual(['graph.db']);
  });
}, 120_000);

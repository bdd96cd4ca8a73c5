// A worker thread that reads what the main thread writes: in each snapshot both counters must be equal. Says how many snapshots it
// has read when it is told to stop. workerData: path.
import { parentPort, workerData } from 'node:worker_threads';
import { GraphDB } from '@sombra/db';

const db = GraphDB.open(workerData, { readOnly: true });
let stopped = false;
let snapshots = 0;
let last = -1;
parentPort.once('message', () => (stopped = true));
parentPort.postMessage('ready');
while (!stopped) {
  const snapshot = db.snapshot();
  const [a, b] = [snapshot.getNodeProperty(1, 'value'), snapshot.getNodeProperty(2, 'value')];
  if (a !== b || a < last) throw new Error(`counters are ${a} and ${b} after ${last}`);
  if (snapshot.nodeCount('Step') !== a) throw new Error(`${snapshot.nodeCount('Step')} steps at ${a}`);
  last = a;
  snapshots += 1;
  snapshot.release();
  await new Promise((resolve) => setImmediate(resolve));
}
db.close();
parentPort.postMessage({ snapshots, last });

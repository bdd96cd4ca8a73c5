// The work of overhead.js: small transactions, then point reads, with a turn of the event loop after each slice, as a server has it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { random } from './graph-data.js';

const SLICE = 50;
const WARM_UP = 2000;

/** Microseconds of CPU time of the process. */
export function cpuTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds on the wall. */
export function wallTime() {
  return performance.now() * 1000;
}

/** @returns microseconds of `clock` for each operation, and what was found */
export async function work(db, { transactions, reads, warmUp = WARM_UP, clock = cpuTime }) {
  const ids = [db.addNode('Person', { name: 'first', visits: 0 })];
  const write = (i) =>
    db.transaction((tx) => {
      const id = tx.addNode('Person', { name: `person ${i}`, visits: i });
      tx.addEdge(ids[i % ids.length], id, 'KNOWS', { since: i });
      ids.push(id);
    });
  const next = random(7);
  let sum = 0;
  const read = () => {
    sum += db.getNode(ids[Math.floor(next() * ids.length)]).properties.visits;
  };
  await repeat(warmUp, write);
  const micros = { transactions: await timed(transactions, write, clock) };
  await repeat(warmUp, read);
  micros.reads = await timed(reads, read, clock);
  return { micros, answer: { nodes: db.nodeCount(), edges: db.edgeCount(), sum } };
}

async function timed(count, operation, clock) {
  const before = clock();
  await repeat(count, operation);
  return (clock() - before) / count;
}

async function repeat(count, operation) {
  for (let i = 0; i < count; i += 1) {
    operation(i);
    if (i % SLICE === SLICE - 1) await nextTurn();
  }
}

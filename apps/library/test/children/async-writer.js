// Keeps 64 asynchronous transactions in flight, each adding the next numbered node, and prints a number once it is acknowledged,
// until it is killed. Argument: path.
import { writeSync } from 'node:fs';
import { GraphDB } from '@sombra/db';

const db = GraphDB.open(process.argv[2]);
async function one() {
  for (;;) {
    const number = await db.transactionAsync((tx) => {
      const next = tx.nodeCount('N') + 1;
      tx.addNode('N', { number: next });
      return next;
    });
    writeSync(1, `${number}\n`);
  }
}
await Promise.all(Array.from({ length: 64 }, one));

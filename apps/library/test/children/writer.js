// Adds numbered nodes in a chain, one commit each, and prints a number once its commit has returned, until it is killed.
// Arguments: path, configuration, commits between two openings (0: opened once).
import { writeSync } from 'node:fs';
import { GraphDB } from '@sombra/db';

const [path, config, reopenEvery] = [process.argv[2], JSON.parse(process.argv[3]), Number(process.argv[4])];
let db = GraphDB.open(path, config);
let number = db.nodeCount('Step');
for (;;) {
  number += 1;
  db.transaction((tx) => {
    const step = tx.addNode('Step', { number, text: 'x'.repeat((number * 7919) % 3000) });
    if (number > 1) tx.addEdge(step - 1, step, 'NEXT', { number });
    if (number > 20) tx.setNodeProperty(step - 20, 'passed', number);
  });
  writeSync(1, `${number}\n`);
  if (reopenEvery > 0 && number % reopenEvery === 0) {
    db.close();
    db = GraphDB.open(path, config);
  }
}

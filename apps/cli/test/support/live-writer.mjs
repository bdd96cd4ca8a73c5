// Commits one node after the other until it is killed; says `ready`, then the number of each commit that was acknowledged.
// node live-writer.mjs <database> [<pause, ms>]
import { GraphDB } from '@sombra/db';

const db = GraphDB.open(process.argv[2], { maxWalSizeMb: 1 });
const pause = Number(process.argv[3] ?? 0);
process.stdout.write('ready\n');
for (let n = 1; ; n += 1) {
  const node = db.transaction((tx) => {
    const id = tx.addNode('Tick', { n, text: 'x'.repeat(200) });
    if (n > 1) tx.addEdge(id - 1, id, 'AFTER');
    return id;
  });
  process.stdout.write(`${node}\n`);
  await new Promise((resolve) => setTimeout(resolve, pause));
}

// Opens a database, begins a transaction if told so, says so, and holds both until it is told to commit or is killed.
import { GraphDB } from '@sombra/db';

const db = GraphDB.open(process.argv[2], JSON.parse(process.argv[3]));
const tx = process.argv[4] === 'transaction' ? db.beginTransaction() : undefined;
tx?.addNode('Held', { pid: process.pid });
process.stdout.write('ready\n');
process.stdin.once('data', () => {
  tx?.commit();
  db.close();
  process.exit();
});

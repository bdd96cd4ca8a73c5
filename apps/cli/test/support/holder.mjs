// Commits a node to the database that it is given, then keeps a transaction open until it is killed.
import { GraphDB } from '@sombra/db';

const db = GraphDB.open(process.argv[2], { transactionTimeoutMs: null });
db.addNode('Committed');
const tx = db.beginTransaction();
tx.addNode('Open');
process.stdout.write('ready\n');
setInterval(() => tx.state, 1000);

// Leaves a database open, with every timer running that it has, and comes to its end.
import { GraphDB } from '@sombra/db';

const db = GraphDB.open(process.argv[2], { autoCheckpointIntervalMs: 60_000, transactionTimeoutMs: 60_000 });
db.addNode('Committed');
db.snapshot();
db.nodes().next();
db.beginTransaction().addNode('Open');
process.stdout.write('at its end\n');

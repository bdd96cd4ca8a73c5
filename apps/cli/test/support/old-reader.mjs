// Keeps a snapshot of a database for as long as it is told; says `ready` when it has it.
// node old-reader.mjs <database> [<ms>]
import { GraphDB } from '@sombra/db';

const db = GraphDB.open(process.argv[2], { readOnly: true });
const snapshot = db.snapshot();
process.stdout.write('ready\n');
setTimeout(() => snapshot.release(), Number(process.argv[3] ?? 2 ** 30));
setInterval(() => snapshot.closed, 1000);

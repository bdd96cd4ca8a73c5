// Keeps a database open of which a sync of the log has failed; says `ready` when it has.
// node poisoned-owner.mjs <database>
import { GraphDB, NodeVfs } from '@sombra/db';
import { FaultyVfs } from '@sombra/vfs/testing';

const vfs = new FaultyVfs(new NodeVfs());
const db = GraphDB.open(process.argv[2], { vfs });
db.addNode('Safe', { n: 1 });
vfs.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
try {
  db.addNode('Lost', { n: 2 });
} catch (error) {
  process.stdout.write(`ready ${error.code}\n`);
}
setInterval(() => db.closed, 1000);

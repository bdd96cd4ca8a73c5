// Writes nodes, rolls others back, synchronously and asynchronously, with an audit trail, until it is killed.
// Arguments: path of the database, path of the trail.
import { GraphDB } from '@sombra/db';
import { auditFile, withAudit } from '@sombra/observability';

const [path, trail] = process.argv.slice(2);
const db = GraphDB.open(path, { cacheSize: 200 });
const audited = withAudit(db, auditFile(trail, { maxBytes: 20_000 }), { user: 'child' });
process.send('writing');

for (let round = 0; ; round += 1) {
  const user = audited.as(`user ${round % 3}`);
  user.addNode('Kept', { round });
  try {
    user.transaction((tx) => {
      tx.addNode('Dropped', { round });
      throw new Error('on purpose');
    });
  } catch (error) {
    if (error.message !== 'on purpose') throw error;
  }
  user.transaction((tx) => {
    tx.addNode('Kept', { round });
    const savepoint = tx.savepoint();
    tx.addNode('Dropped', { round });
    tx.rollbackTo(savepoint);
    tx.addNode('Kept', { round });
  });
  if (round % 10 === 0)
    await Promise.all([1, 2, 3].map(() => user.transactionAsync((tx) => tx.addNode('Kept', { round }))));
  await new Promise((resolve) => process.send(round, resolve));
}

// One run of overhead.js: `node overhead-child.js MODE FOLDER TRANSACTIONS READS [durable]` prints JSON.
import { join } from 'node:path';
import { GraphDB } from '@sombra/db';
import { MODES, timeOfScrape } from './overhead-modes.js';
import { cpuTime, wallTime, work } from './overhead-work.js';

const [mode, folder, transactions, reads, durable] = process.argv.slice(2);
// Without syncs, unless they are asked for: their time is the disk's, and what is measured would disappear in it.
const db = GraphDB.open(join(folder, 'graph.db'), { fsyncEnabled: durable === 'durable' });
const end = MODES[mode](db, join(folder, 'events.log'));
const result = await work(db, {
  transactions: Number(transactions),
  reads: Number(reads),
  clock: durable === 'durable' ? wallTime : cpuTime,
});
end();
if (mode === 'metrics') result.scrape = await timeOfScrape(db);
db.close();
console.log(JSON.stringify(result));

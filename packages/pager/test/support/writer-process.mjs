// Writes one commit after the other until it is killed, and says so on its standard output, each after it was acknowledged.
// Runs the built packages: node writer-process.mjs <path>
import { writeSync } from 'node:fs';
import { Pager } from '@sombra/pager';
import { NodeVfs } from '@sombra/vfs';

const PAGES = 24;
const pager = Pager.open({
  vfs: new NodeVfs(),
  path: process.argv[2],
  cacheSize: 32,
  maxWalSizeMb: 0.25,
  checkpointAfterBytes: 48 * 1024,
});
for (let n = pager.view.counter(0) + 1; ; n += 1) {
  const tx = pager.begin();
  const first = 2;
  const page = first + (n % PAGES);
  while (tx.view.pageCount <= page) tx.allocate(17, 1);
  const base = tx.edit(page);
  tx.setU32(base, 24, n);
  if (n % 5 === 0) tx.fill(base, 32, tx.view.cache.pageSize - 32, n & 0xff);
  tx.setCounter(0, n);
  writeSync(1, `${tx.commit()}\n`);
  // Checkpoints in the background need turns of the event loop.
  if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
}

// Backs up, verifies and restores a small database and a large one, and tells how much memory each took at most.
import { Graph } from '@sombra/graph';
import { openBackups } from '@sombra/ops';
import { Pager } from '@sombra/pager';
import { NodeVfs } from '@sombra/vfs';

const [folder, mebibytes] = process.argv.slice(2);
const BLOB = 256 * 1024;
let peak = 0;
const look = () => (peak = Math.max(peak, process.memoryUsage.rss()));
const timer = setInterval(look, 5);

async function roundTrip(name, size) {
  const pager = Pager.open({ vfs: new NodeVfs(), path: `${folder}/${name}.db`, cacheSize: 256, syncMode: 'off' });
  const graph = Graph.open(pager);
  const fill = (count, seed) => {
    for (let at = 0; at < count; at += 1) {
      const tx = graph.begin();
      tx.addNode('Blob', { data: new Uint8Array(BLOB).fill(seed + at) });
      tx.commit();
    }
    pager.checkpoint();
  };
  fill((size << 20) / BLOB, 1);
  const backups = await openBackups(`${folder}/backups-${name}`);
  peak = process.memoryUsage.rss();
  await backups.run(pager, { allowSameFolder: true, onProgress: look });
  fill((size << 20) / BLOB / 4, 7);
  const { kind } = await backups.run(pager, { incremental: true, allowSameFolder: true, onProgress: look });
  const { lsn, size: bytes } = await backups.restore('latest', `${folder}/${name}.restored`, { onProgress: look });
  if (kind !== 'incremental' || lsn !== pager.view.lsn) throw new Error(`${kind} backup of commit ${lsn}`);
  if (bytes < size << 20) throw new Error(`a database of ${bytes} bytes`);
  backups.close();
  pager.close();
  return peak;
}

const small = await roundTrip('small', 8);
const large = await roundTrip('large', Number(mebibytes));
clearInterval(timer);
process.send({ small, large });

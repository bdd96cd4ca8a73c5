/** A run of real databases in which everything happens that is logged. */
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GraphDB } from '@sombra/db';
import type { Config } from '@sombra/db';
import { MemoryVfs, NodeVfs } from '@sombra/vfs';
import { FaultyVfs, SimDisk } from '@sombra/vfs/testing';
import { codeOf } from './codes.ts';

/** @param folder  an empty one @param secret  given to the databases as value, and thrown by callbacks, wherever that is possible */
export async function eventfulRun(folder: string, secret: string): Promise<void> {
  ordinary(folder, secret);
  crashed(folder, secret);
  await asynchronous(secret);
  shared(secret);
  slow(secret);
  failing(secret);
  damaged(folder, secret);
}

/** Nothing depends on the speed of the machine: only the database on a clock of its own has slow operations. */
const quiet: Config = { onWarning: () => undefined, slowOperationMs: null };

function thrown(call: () => unknown): void {
  if (codeOf(call) === 'no error') throw new Error('the run has to fail here');
}

/** A database of files: every write, transactions that end in all ways, checkpoints, rotation, the cache. */
function ordinary(folder: string, secret: string): void {
  const db = GraphDB.open(join(folder, 'ordinary.db'), { ...quiet, maxWalSizeMb: 0.1 });
  db.transaction((tx) => {
    const ada = tx.addNode('Person', { name: secret, list: [secret], map: { secret } });
    const bob = tx.addNode('Person', { name: `${secret} 2` });
    const edge = tx.addEdge(ada, bob, 'KNOWS', { how: secret });
    tx.setNodeProperty(ada, 'nick', secret);
    tx.setEdgeProperty(edge, 'how', `${secret} 2`);
  });
  db.createPropertyIndex('Person', 'name', { unique: true });
  db.upsertNode('Person', { name: secret }, { nick: secret });
  thrown(() => db.addNode('Person', { name: secret })); // SOMBRA_UNIQUE, which shows the value
  thrown(() => db.addNode('Person', { name: Symbol(secret) as unknown as string }));
  thrown(() =>
    db.transaction(() => {
      throw new Error(secret);
    }),
  );
  thrown(() =>
    db.transaction(() => {
      throw Object.assign(new TypeError(secret), { code: secret, name: secret });
    }),
  );
  db.beginTransaction().rollback();
  db.transaction((tx) => tx.findNodes({ label: 'Person', where: { name: secret } }));
  for (let i = 0; i < 3; i += 1) db.addNode('Blob', { bytes: new Uint8Array(30_000), secret });
  db.checkpoint();
  db.setCacheSize(500);
  db.close();
}

/** A database that was not closed is recovered from its log. */
function crashed(folder: string, secret: string): void {
  const db = GraphDB.open(join(folder, 'live.db'), quiet);
  db.addNode('Person', { name: secret });
  for (const name of readdirSync(folder).filter((each) => /^live\.db(-wal)?$/.test(each)))
    copyFileSync(join(folder, name), join(folder, name.replace('live', 'crashed')));
  db.close();
  GraphDB.open(join(folder, 'crashed.db'), quiet).close();
}

async function asynchronous(secret: string): Promise<void> {
  const db = GraphDB.open('asynchronous.db', { ...quiet, vfs: new MemoryVfs() });
  await db.transactionAsync((tx) => tx.addNode('A', { secret }));
  await db
    .transactionAsync(() => {
      throw new Error(secret);
    })
    .catch(() => undefined);
  db.close();
}

/** Two connections: one waits for the other in vain, and sees what it has committed. */
function shared(secret: string): void {
  const vfs = new MemoryVfs();
  const other = GraphDB.open('other.db', { ...quiet, vfs });
  const db = GraphDB.open('other.db', { ...quiet, vfs, busyTimeoutMs: 0 });
  const tx = other.beginTransaction();
  tx.addNode('A', { secret });
  thrown(() => db.addNode('B', { secret }));
  tx.commit();
  db.addNode('C', { secret });
  db.close();
  other.close();
}

/** On a clock of its own: a slow transaction, and one that is forgotten. */
function slow(secret: string): void {
  const vfs = new SimDisk();
  const db = GraphDB.open('slow.db', { ...quiet, vfs, slowOperationMs: 200, transactionTimeoutMs: 5000 });
  db.transaction((tx) => {
    tx.addNode('A', { secret });
    vfs.env.advance(250);
  });
  db.beginTransaction().addNode('A', { secret });
  vfs.env.advance(6000);
  db.close();
}

/** A sync fails: nothing is written any more. */
function failing(secret: string): void {
  const vfs = new FaultyVfs(new MemoryVfs());
  const db = GraphDB.open('failing.db', { ...quiet, vfs });
  db.addNode('A', { secret });
  vfs.add({ op: 'sync', action: 'EIO', sticky: true });
  thrown(() => db.addNode('A', { secret }));
  thrown(() => db.addNode('A', { secret }));
  vfs.heal();
  db.close();
}

/** A page is damaged. */
function damaged(folder: string, secret: string): void {
  const path = join(folder, 'damaged.db');
  const first = GraphDB.open(path, quiet);
  first.addNode('A', { secret: `${secret} ${'.'.repeat(90_000)}` });
  const { pageSize } = first;
  first.close();
  const vfs = new NodeVfs();
  const file = vfs.open(path, { write: true });
  for (let at = 3 * pageSize; at < file.stat().size; at += pageSize) file.pwrite([new Uint8Array(64)], at + 300);
  file.close();
  const db = GraphDB.open(path, quiet);
  thrown(() => [...db.nodes()]);
  db.close();
}

// One of several processes on one database: `node actor-process.mjs role path number pages`. It says what it did, line by line, on
// standard output, and ends with status 3 when it sees what must not be. SIGTERM lets it close.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { NodeVfs } from '../../../vfs/dist/index.js';
import { Pager } from '../../dist/index.js';

/** Where a page holds its number, and the commit that wrote it last. */
const VALUE = 24;
const COMMIT = 28;
const FILLER = 200;

const [role, path, number, pageList] = isMainThread ? process.argv.slice(2) : workerData;
const pages = pageList.split(',').map(Number);
const accounts = pages.slice(4); // the first ones count the commits of each writer
const say = (text) => (isMainThread ? process.stdout.write(`${text}\n`) : parentPort.postMessage(text));
const turn = () => new Promise((resolve) => setImmediate(resolve));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let ending = false;
process.on('SIGTERM', () => (ending = true));

function broken(text) {
  say(`BROKEN ${text}`);
  process.exit(3);
}

function open() {
  return Pager.open({
    vfs: new NodeVfs(),
    path,
    cacheSize: 8,
    maxTransactionPages: 16,
    maxWalSizeMb: 0.25,
    checkpointAfterBytes: 100_000,
    busyTimeoutMs: 20_000,
    createIfMissing: false,
  });
}

const word = (view, page, at) => view.cache.words[(view.page(page) + at) >>> 2];

/** Everything that a view shows: numbers by page, if they are those of one commit. */
function look(view) {
  const values = pages.map((page) => word(view, page, VALUE));
  const newest = Math.max(...pages.map((page) => word(view, page, COMMIT)));
  const sum = values.slice(4).reduce((a, b) => a + b, 0);
  if (sum !== accounts.length * 1000) broken(`the sum is ${sum} at commit ${view.lsn}`);
  if (newest !== view.counter(0) || newest > view.lsn)
    broken(`a page of commit ${newest}, the counter says ${view.counter(0)}, at commit ${view.lsn}`);
  return values.join();
}

async function write(pager) {
  const own = pages[Number(number)];
  const filler = new Uint8Array(3000);
  for (let i = 0; !ending; i += 1) {
    const tx = pager.begin();
    const { view } = tx;
    const put = (page, value) => {
      const base = tx.edit(page);
      tx.setU32(base, VALUE, value);
      tx.setU32(base, COMMIT, tx.lsn);
    };
    const from = accounts[Math.floor(Math.random() * accounts.length)];
    const to = accounts[Math.floor(Math.random() * accounts.length)];
    put(from, word(view, from, VALUE) - 1);
    put(to, word(view, to, VALUE) + 1);
    if (i % 7 === 0) tx.setBytes(tx.edit(from), FILLER, filler.fill(i), 0, filler.length);
    const count = word(view, own, VALUE) + 1;
    put(own, count);
    tx.setCounter(0, tx.lsn);
    if (i % 3 === 0) tx.commitAsync().then(() => say(count));
    else {
      tx.commit();
      say(count);
    }
    if (i % 5 === 0) await turn();
  }
}

async function read(pager) {
  for (let i = 0; !ending; i += 1) {
    const { view } = pager;
    const seen = look(view);
    if (look(view) !== seen) broken('a view moves within a turn');
    if (i % 10 === 0) {
      const snapshot = pager.snapshot();
      const kept = look(snapshot);
      for (let turns = 0; turns < 5; turns += 1) {
        await pause(2);
        look(pager.view);
        if (look(snapshot) !== kept) broken('a snapshot moves');
      }
      snapshot.release();
    }
    say('read');
    await turn();
  }
}

async function checkpoint(pager) {
  while (!ending) {
    pager.checkpoint();
    say('checkpoint');
    await pause(10);
  }
}

/** Keeps a transaction open. */
async function hold(pager) {
  pager.begin();
  setInterval(() => undefined, 60_000); // a promise alone does not keep the process alive
  say('holding');
  await once(process, 'never');
}

if (role === 'thread' && isMainThread) {
  // A reader in a thread of its own, and the process reads beside it.
  const worker = new Worker(new URL(import.meta.url), { argv: [], workerData: ['read', path, number, pageList] });
  worker.on('message', (text) => say(text));
  worker.on('error', (error) => broken(String(error)));
}
try {
  const pager = open();
  await { write, read, checkpoint, hold, thread: read }[role](pager);
  await turn();
  pager.close();
  process.exit(0);
} catch (error) {
  broken(`${role}: ${error.code} ${error.stack}`);
}

// One of several processes that share a database whose log has limits: `node log-limit-process.mjs role path number pages options`.
// It says on standard output, line by line, what it did, and ends with status 3 when it sees what must not be. SIGTERM lets it close.
//
//   commit N B  its Nth commit was acknowledged, and the log had B bytes then
//   full        a commit was refused with SOMBRA_LOG_FULL
//   record N    a record of N bytes, its longest yet  warn CODE   a warning
//   pinned      it keeps a snapshot                   too-old     the snapshot was ended
//   read        it read at a snapshot                 checkpoint  it opened, made a checkpoint, and closed
import { NodeVfs } from '../../../vfs/dist/index.js';
import { Pager } from '../../dist/index.js';

const VALUE = 24;
const FILLER = 200;
const FILLER_BYTES = 3000;
/** Transactions that share a sync. */
const BURST = 8;

const [role, path, number, pageList, options] = process.argv.slice(2);
const pages = pageList.split(',').map(Number);
const own = pages[Number(number)];
const filled = pages.slice(pages.length / 2);
const say = (text) => process.stdout.write(`${text}\n`);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let ending = false;
process.on('SIGTERM', () => (ending = true));

function broken(text) {
  say(`BROKEN ${text}`);
  process.exit(3);
}

let longest = 0;
const hooks = {
  commit(_lsn, _pages, bytes) {
    if (bytes > longest) say(`record ${(longest = bytes)}`);
  },
  warning: ({ code }) => say(`warn ${code}`),
};

function open(more = JSON.parse(options)) {
  return Pager.open({ vfs: new NodeVfs(), path, createIfMissing: false, busyTimeoutMs: 20_000, hooks, ...more });
}

const word = (view, page) => view.cache.words[(view.page(page) + VALUE) >>> 2];

/** Begins a transaction; waits while the log is full. undefined: the process is to end. */
async function begin(pager) {
  while (!ending) {
    try {
      return pager.begin();
    } catch (error) {
      if (error.code !== 'SOMBRA_LOG_FULL') throw error;
      if (error.name !== 'IoError' || !(error.details.bytes >= error.details.limit))
        broken(`an odd refusal: ${error.stack}`);
      say('full');
      await pause(10);
    }
  }
  return undefined;
}

function acknowledged(pager, count) {
  say(`commit ${count} ${pager.stats().logBytesSinceCheckpoint}`);
}

/** Counts in its own page, and fills another. @returns the count */
function change(tx) {
  const count = word(tx.view, own) + 1;
  tx.setU32(tx.edit(own), VALUE, count);
  const page = filled[count % filled.length];
  tx.setBytes(tx.edit(page), FILLER, new Uint8Array(FILLER_BYTES).fill(count), 0, FILLER_BYTES);
  return count;
}

const roles = {
  /** Each commit with a sync of its own. */
  async write(pager) {
    for (let i = 0; ; i += 1) {
      const tx = await begin(pager);
      if (tx === undefined) return;
      const count = change(tx);
      tx.commit();
      acknowledged(pager, count);
      if (i % 5 === 0) await turn();
    }
  },

  /** Commits that share a sync. */
  async group(pager) {
    for (;;) {
      const waiting = [];
      for (let i = 0; i < BURST; i += 1) {
        const tx = await begin(pager);
        if (tx === undefined) break;
        const count = change(tx);
        waiting.push(tx.commitAsync().then(() => acknowledged(pager, count)));
      }
      await Promise.all(waiting);
      if (ending) return;
      await turn();
    }
  },

  /** Short snapshots. */
  async read(pager) {
    while (!ending) {
      const snapshot = pager.snapshot();
      const seen = pages.map((page) => word(snapshot, page)).join();
      await pause(2);
      if (pages.map((page) => word(snapshot, page)).join() !== seen) broken('a snapshot moves');
      snapshot.release();
      say('read');
      await turn();
    }
  },

  /** A snapshot that is kept until the process ends, or the snapshot is ended. */
  async pin(pager) {
    while (!ending) {
      const snapshot = pager.snapshot();
      const seen = word(snapshot, pages[0]);
      say('pinned');
      try {
        while (!ending) {
          await pause(5);
          if (word(snapshot, pages[0]) !== seen) broken('a snapshot moves');
        }
        snapshot.release();
      } catch (error) {
        if (error.code !== 'SOMBRA_SNAPSHOT_TOO_OLD') throw error;
        say('too-old');
      }
    }
  },
};

/** A tool that knows nothing of the limits of the others. */
async function checkpoint() {
  while (!ending) {
    const pager = open({});
    pager.checkpoint();
    pager.close();
    say('checkpoint');
    await pause(20);
  }
}

try {
  if (role === 'checkpoint') await checkpoint();
  else {
    const pager = open();
    await roles[role](pager);
    await turn();
    pager.close();
  }
  process.exit(0);
} catch (error) {
  broken(`${role}: ${error.code} ${error.stack}`);
}

// Faults of the platform that no engine could survive. A suite that does not notice them would not notice the same faults of the engine.
import type { OpenMode, Vfs, VfsEnv, VfsFile } from '@sombra/vfs';
import type { SimulatedEnv } from '@sombra/vfs/testing';
import { LOCK_BASE, LOCK_READ, LOCK_READ_SLOTS, LOCK_WRITE } from '../../src/sharing/locks.ts';
import { WrappedVfs } from './wrapped-vfs.ts';

/** A file system whose descriptors are spoiled as they are opened. */
class Spoiled extends WrappedVfs {
  private readonly spoil: (file: VfsFile, env: SimulatedEnv) => void;

  constructor(inner: Vfs, spoil: (file: VfsFile, env: SimulatedEnv) => void) {
    super(inner);
    this.spoil = spoil;
  }

  override open(path: string, mode: OpenMode): VfsFile {
    const file = super.open(path, mode);
    this.spoil(file, this.env as SimulatedEnv);
    return file;
  }
}

/** The disk as a process sees it. */
type Seen = (disk: Vfs) => Vfs;

function spoiled(spoil: (file: VfsFile, env: SimulatedEnv) => void): Seen {
  return (disk) => new Spoiled(disk, spoil);
}

/** A process some of whose timers or deferred calls are forgotten. */
class Forgetful extends WrappedVfs {
  private readonly spoilt: VfsEnv;

  constructor(inner: Vfs, forgets: Pick<VfsEnv, 'setTimer'> | Pick<VfsEnv, 'defer'>) {
    super(inner);
    const { env } = inner;
    this.spoilt = {
      pid: env.pid,
      host: env.host,
      identify: (pid) => env.identify(pid),
      wallTimeMs: () => env.wallTimeMs(),
      monotonicMs: () => env.monotonicMs(),
      random: (count) => env.random(count),
      sleep: (ms) => env.sleep(ms),
      setTimer: (fn, ms) => env.setTimer(fn, ms),
      clearTimer: (timer) => env.clearTimer(timer),
      defer: (fn) => env.defer(fn),
      captureContext: () => env.captureContext(),
      warn: (warning) => env.warn(warning),
      ...forgets,
    };
  }

  override get env(): VfsEnv {
    return this.spoilt;
  }
}

const nothing = (): void => undefined;
const isLog = ({ path }: VfsFile): boolean => path.endsWith('-wal');
const isReader = (byte: number): boolean => byte >= LOCK_READ && byte < LOCK_READ + LOCK_READ_SLOTS;

/** True once in so many calls. */
function every(count: number): () => boolean {
  let calls = 0;
  return () => {
    calls += 1;
    return calls % count === 0;
  };
}

export interface Canary {
  readonly name: string;
  /** A new one for each run. */
  readonly breakage: () => Seen;
  /** What is to be noticed. */
  readonly noticed: RegExp;
}

/** Where it shows depends on the moment: a promise is broken, or the engine finds damage that there should not be. */
const ANYTHING_WRONG = /Broken|CorruptionError|InvariantError|StateError/;

export const CANARIES: readonly Canary[] = [
  {
    name: 'an asynchronous sync of the log saves nothing',
    noticed: ANYTHING_WRONG,
    breakage: () =>
      spoiled((file, env) => {
        if (isLog(file)) file.syncAsync = () => env.complete(() => undefined);
      }),
  },
  {
    name: 'an asynchronous sync is reported before it is done',
    noticed: ANYTHING_WRONG,
    breakage: () =>
      spoiled((file) => {
        const sync = file.syncAsync.bind(file);
        file.syncAsync = (kind) => {
          void sync(kind);
          return Promise.resolve();
        };
      }),
  },
  {
    name: 'a sync of the log that blocks saves nothing',
    noticed: ANYTHING_WRONG,
    breakage: () =>
      spoiled((file) => {
        if (isLog(file)) file.sync = () => undefined;
      }),
  },
  {
    name: 'a sync of the main file saves nothing',
    noticed: ANYTHING_WRONG,
    breakage: () =>
      spoiled((file) => {
        if (!file.path.includes('-')) file.sync = () => undefined;
      }),
  },
  {
    name: 'WRITE is not given back, one time in five',
    noticed: /idle processes hold: WRITE|never gets its turn/,
    breakage: () => {
      const fails = every(5);
      return spoiled((file) => {
        const unlock = file.unlock.bind(file);
        file.unlock = (at, length) => {
          if (at !== LOCK_BASE + LOCK_WRITE || !fails()) unlock(at, length);
        };
      });
    },
  },
  {
    name: 'WRITE is granted to two',
    noticed: ANYTHING_WRONG,
    breakage: () =>
      spoiled((file) => {
        const tryLock = file.tryLock.bind(file);
        file.tryLock = (at, length, mode) => tryLock(at, length, mode) || at === LOCK_BASE + LOCK_WRITE;
      }),
  },
  {
    name: 'the lock of a reader is not kept',
    noticed: ANYTHING_WRONG,
    breakage: () =>
      spoiled((file) => {
        const tryLock = file.tryLock.bind(file);
        file.tryLock = (at, length, mode) => {
          const got = tryLock(at, length, mode);
          if (got && length === 1 && isReader(at - LOCK_BASE)) file.unlock(at, length);
          return got;
        };
      }),
  },
  {
    name: 'a descriptor that is closed keeps its locks, one time in four',
    noticed: /idle processes hold|never gets its turn|files that stay/,
    breakage: () => {
      const fails = every(4);
      return spoiled((file) => {
        const close = file.close.bind(file);
        file.close = () => {
          if (!fails()) close();
        };
      });
    },
  },
  {
    name: 'the shared header is read as it was before',
    noticed: ANYTHING_WRONG,
    breakage: () =>
      spoiled((file) => {
        if (!file.path.endsWith('-shm')) return;
        const pread = file.pread.bind(file);
        let before: Uint8Array | undefined;
        file.pread = (into, at) => {
          const count = pread(into, at);
          if (at !== 0) return count;
          const now = into.slice(0, count);
          if (before?.length === count) into.set(before);
          before = now;
          return count;
        };
      }),
  },
  {
    name: 'a write to the log is lost, one time in ten',
    noticed: ANYTHING_WRONG,
    breakage: () => {
      const fails = every(10);
      return spoiled((file) => {
        if (!isLog(file)) return;
        const pwrite = file.pwrite.bind(file);
        file.pwrite = (buffers, at) =>
          fails() ? buffers.reduce((sum, { length }) => sum + length, 0) : pwrite(buffers, at);
      });
    },
  },
  {
    name: 'a timer does not fire, one time in three',
    noticed: /idle processes hold: WRITE|never gets its turn/,
    breakage: () => {
      const fails = every(3);
      return (disk) => {
        const { env } = disk;
        return new Forgetful(disk, { setTimer: (fn, ms) => env.setTimer(fails() ? nothing : fn, ms) });
      };
    },
  },
  {
    name: 'a deferred call does not run, one time in eight',
    noticed: /idle processes hold: READ|never gets its turn|never acknowledged|does not come to its end/,
    breakage: () => {
      const fails = every(8);
      return (disk) => {
        const { env } = disk;
        return new Forgetful(disk, { defer: (fn) => env.defer(fails() ? nothing : fn) });
      };
    },
  },
  {
    name: 'the end of a sync is not reported, one time in eight',
    noticed: /does not end|never gets its turn|never acknowledged|does not come to its end/,
    breakage: () => {
      const fails = every(8);
      return spoiled((file) => {
        const sync = file.syncAsync.bind(file);
        file.syncAsync = (kind) => {
          const done = sync(kind);
          return fails() ? new Promise(nothing) : done;
        };
      });
    },
  },
];

// Crash enumeration: a script runs once; before each of its operations the machine loses power in several ways, and each image
// that this leaves is recovered and examined.
import type { OpenMode, VfsFile } from '@sombra/vfs';
import { CRASH_POLICIES, FaultyVfs, Random, SimCrash, SimDisk } from '@sombra/vfs/testing';
import type { CrashPolicy } from '@sombra/vfs/testing';
import type { WalOptions } from '../../src/index.ts';
import { codeOf } from './files.ts';
import { recover, walOptions } from './log.ts';
import { follow, includes, LogLife } from './log-life.ts';
import type { Attempt, Promised } from './log-life.ts';

/** A way to use a log. */
export interface Script {
  readonly name: string;
  readonly options: Partial<WalOptions>;
  /** @param faults  for making writes fail */
  run(life: LogLife, faults: FaultyVfs): void;
}

/** What a sweep did. */
export interface SweepCount {
  readonly points: number;
  readonly images: number;
  /** Of them, images of a crash within the recovery of another image. */
  readonly nested: number;
}

/** Policies that every point gets; the others take turns. */
const ALWAYS: readonly CrashPolicy[] = [
  { keep: 'none', lost: 'old' },
  { keep: 'random', lost: 'old', names: 'random' },
  { keep: 'tornLast' },
];

export interface SweepOptions {
  readonly seed: number;
  /** Policies of each point beside those that it always gets. */
  readonly more: number;
  /** Share of images whose recovery is crashed at each of its operations. */
  readonly nested: number;
  /** Syncs that only pretend: for canaries. */
  readonly lie?: 'sync' | 'syncDir';
}

/** A file system that may lie about syncs, and fail on demand. */
class LyingVfs extends FaultyVfs {
  lie: SweepOptions['lie'];

  override open(path: string, mode: OpenMode): VfsFile {
    const file = super.open(path, mode);
    if (this.lie === 'sync') file.sync = () => undefined;
    return file;
  }

  override syncDir(directory: string): void {
    if (this.lie !== 'syncDir') super.syncDir(directory);
  }
}

export function sweep(script: Script, { seed, more, nested, lie }: SweepOptions): SweepCount {
  const disk = new SimDisk({ seed });
  const faults = new LyingVfs(disk);
  faults.lie = lie;
  const random = new Random(seed);
  const life = new LogLife(faults, script.options, random.fork('load'));
  const count = { points: 0, images: 0, nested: 0 };
  const sweeper = new Sweeper(script, random.fork('sweep'), nested, count);
  disk.onOperation = (operation) => {
    count.points += 1;
    const { promised } = life;
    const turns = Array.from(
      { length: more },
      (_, i) => CRASH_POLICIES[(operation * more + i) % CRASH_POLICIES.length]!,
    );
    for (const policy of [...ALWAYS, ...turns])
      sweeper.examine(
        disk.crash(policy, random.fork(`${operation} ${JSON.stringify(policy)}`)),
        promised,
        promised.durable,
      );
    sweeper.examine(disk.kill(), promised, promised.published);
  };
  script.run(life, faults);
  return count;
}

class Sweeper {
  private readonly script: Script;
  private readonly random: Random;
  private readonly nested: number;
  private readonly count: { images: number; nested: number };

  constructor(script: Script, random: Random, nested: number, count: { images: number; nested: number }) {
    this.script = script;
    this.random = random;
    this.nested = nested;
    this.count = count;
  }

  /** Recovers an image in every way that the promises are about. @param least  must be found */
  examine(image: SimDisk, promised: Promised, least: Attempt): void {
    this.count.images += 1;
    if (this.random.chance(this.nested)) this.crashRecovery(image, promised);
    const options = walOptions(image, this.script.options);
    // shm survives some crashes, and may say what was synced.
    const start =
      promised.synced !== undefined && this.random.chance(0.5)
        ? { ...promised.start, synced: promised.synced }
        : promised.start;
    const first = recover(options, start);
    const tip = follow(promised.attempts, promised.base, first.digests);
    if (!includes(tip, least))
      throw new Error(`commit ${least.lsn} was promised and is lost; the last one is ${tip.lsn}`);
    if (first.strangers.length > 0) throw new Error(`${first.strangers[0]!.path} counts as a stranger`);
    first.wal?.close();
    first.wal?.files.close();

    // Another one finds the same, and goes on behind it.
    const { start: begin, base } = promised;
    const life = new LogLife(image, this.script.options, this.random.fork('after'), promised);
    life.open();
    if (life.promised.published !== tip) throw new Error('the second recovery finds something else');
    for (const size of [100, 700]) {
      life.put(size);
      life.publish();
    }
    const { published, attempts } = life.promised;
    life.close();
    const last = recover(life.options, begin);
    if (follow(attempts, base, last.digests) !== published)
      throw new Error('a record that was appended after recovery is lost');
    last.wal!.close();
    last.wal!.files.close();
  }

  /** Crashes a recovery at each of its operations. */
  private crashRecovery(image: SimDisk, promised: Promised): void {
    for (let operation = 1; ; operation += 1) {
      const disk = image.kill();
      disk.crashAt = operation;
      const options = walOptions(disk, this.script.options);
      let kept = promised.durable; // what was only published is safe once a recovery has ended
      const outcome = codeOf(() => {
        const { wal, digests } = recover(options, promised.start);
        kept = follow(promised.attempts, promised.base, digests);
        wal?.close();
      });
      if (outcome !== 'no error' && !outcome.includes(SimCrash.name)) throw new Error(`recovery failed: ${outcome}`);
      const policy = this.random.pick([...ALWAYS, ...CRASH_POLICIES]);
      const after = disk.crash(policy, this.random.fork('nested'));
      this.count.images += 1;
      this.count.nested += 1;
      const { wal, digests } = recover(walOptions(after, this.script.options), promised.start);
      const tip = follow(promised.attempts, promised.base, digests);
      if (!includes(tip, kept))
        throw new Error(`commit ${kept.lsn} is lost after a crash at operation ${operation} of recovery`);
      wal?.close();
      wal?.files.close();
      if (outcome === 'no error') return;
    }
  }
}

// Crash enumeration of append logs: a script runs once; before each of its operations the machine loses power in several ways, and
// the log that is left must hold every record that was promised, in order, and go on.
import { CRASH_POLICIES, FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import type { CrashPolicy } from '@sombra/vfs/testing';
import { AppendLog } from '../../src/index.ts';
import type { AppendLogOptions } from '../../src/index.ts';

type Options = Pick<AppendLogOptions, 'segmentSize' | 'syncMode'>;

const ALWAYS: readonly CrashPolicy[] = [
  { keep: 'none', lost: 'old' },
  { keep: 'random', lost: 'noise', names: 'random' },
];

/** An append log, and what it has promised. */
class AppendLife {
  /** From `open` on. */
  log!: AppendLog;
  /** By position - 1; what was attempted. */
  readonly contents: Uint8Array[] = [];
  acknowledged = 0;
  /** Oldest position: at least this, at most that. */
  first: [number, number] = [1, 1];
  private readonly vfs: FaultyVfs;
  private readonly options: Options;

  constructor(vfs: FaultyVfs, options: Options) {
    this.vfs = vfs;
    this.options = options;
  }

  open(): void {
    this.log = AppendLog.open({ vfs: this.vfs, path: 'log', locking: 'none', ...this.options });
  }

  append(content: Uint8Array): void {
    this.contents[this.acknowledged] = content;
    try {
      this.acknowledged = this.log.append(content);
    } catch (error) {
      if ((error as { code?: string }).code !== 'SOMBRA_DISK_FULL') throw error;
      this.contents.length = this.acknowledged;
    }
  }

  truncate(position: number): void {
    this.first = [this.first[0], Math.max(this.first[0], position)];
    const first = this.log.truncateBefore(position);
    this.first = [first, first];
  }

  /** The process dies, or closes; the next one goes on. */
  reopen(dies: boolean): void {
    if (!dies) this.log.close();
    this.open();
  }

  /** What a power loss must leave. */
  get durable(): number {
    if (this.options.syncMode === 'full') return this.acknowledged;
    return (this.log as AppendLog | undefined)?.stats().durable ?? 0;
  }
}

/** Runs random steps. @returns images that were examined */
export function sweepAppendLog(seed: number, more: number): number {
  const random = new Random(seed);
  const dice = random.fork('load');
  const options: Options = { segmentSize: 4096, syncMode: dice.pick(['full', 'normal'] as const) };
  const disk = new SimDisk({ seed });
  const faults = new FaultyVfs(disk);
  const life = new AppendLife(faults, options);
  let images = 0;
  disk.onOperation = (operation) => {
    const turns = Array.from(
      { length: more },
      (_, i) => CRASH_POLICIES[(operation * more + i) % CRASH_POLICIES.length]!,
    );
    const { acknowledged, durable } = life;
    for (const policy of [...ALWAYS, ...turns])
      examine(disk.crash(policy, random.fork(`${operation} ${JSON.stringify(policy)}`)), life, durable, options);
    examine(disk.kill(), life, acknowledged, options);
    images += ALWAYS.length + turns.length + 1;
  };
  life.open();
  for (let step = 0; step < 45; step += 1) {
    const draw = dice.below(100);
    if (draw < 72) life.append(dice.bytes(dice.below(dice.chance(0.05) ? 9000 : 1500)));
    else if (draw < 80) life.log.sync();
    else if (draw < 87) life.truncate(life.first[0] + dice.below(life.acknowledged + 2 - life.first[0]));
    else if (draw < 94) life.reopen(dice.chance(0.5));
    else {
      faults.add({ op: 'pwrite', nth: 1, action: { short: 50 + dice.below(500) } });
      if (dice.chance(0.5)) faults.add({ op: 'pwrite', nth: 2, action: 'ENOSPC' });
      life.append(dice.bytes(800));
      faults.heal();
    }
  }
  life.log.close();
  return images;
}

interface Promised {
  readonly first: readonly number[];
  readonly contents: readonly Uint8Array[];
}

function examine(image: SimDisk, { first, contents }: Promised, least: number, options: Options): void {
  const open = (): AppendLog => AppendLog.open({ vfs: image, path: 'log', ...options });
  const log = open();
  const stats = log.stats();
  if (stats.last < least) throw new Error(`record ${least} was promised, the last one is ${stats.last}`);
  if (stats.first < first[0]! || stats.first > first[1]!)
    throw new Error(`the log begins with ${stats.first}, and should within ${first.join(' to ')}`);
  let position = stats.first;
  for (const record of log.read()) {
    if (record.position !== position) throw new Error(`record ${record.position} follows ${position - 1}`);
    const content = contents[position - 1];
    if (content === undefined || Buffer.compare(content, record.bytes) !== 0)
      throw new Error(`record ${position} was never appended like that`);
    position += 1;
  }
  const next = log.append(Uint8Array.of(1, 2, 3));
  if (next !== position) throw new Error(`record ${next} follows ${position - 1}`);
  log.close();
  const again = open();
  if ([...again.read(next)].map(({ bytes }) => bytes.join()).join(';') !== '1,2,3')
    throw new Error('a record that was appended after recovery is lost');
  if (again.check().length > 0) throw new Error(again.check()[0]!.message);
  again.close();
}

// Crash enumeration: runs a script once on a simulated disk, and at every operation of the disk looks at what a power loss
// or the death of the process would leave there. Each of these images is recovered, compared with the model, and lived on.
import { CRASH_POLICIES, Random, SimDisk } from '@sombra/vfs/testing';
import type { CrashPolicy } from '@sombra/vfs/testing';
import { Pager } from '../../src/index.ts';
import type { LifeOptions, Promised, Script } from './life.ts';
import { Life, PATH, TINY } from './life.ts';
import { examine } from './model.ts';
import type { Lies } from './wrapped-vfs.ts';
import { WrappedVfs } from './wrapped-vfs.ts';

/** How thorough a sweep is. */
export interface SweepOptions {
  readonly seed: number;
  /** Images of random policies at each operation, besides those that lose nothing and everything. */
  readonly randomImages: number;
  /** One image of so many is crashed again during its recovery and the commit after it; 0 for none. */
  readonly nestedOneOf: number;
  /** One of so many operations is tried, all by default: for scripts whose images are large. */
  readonly pointsOneOf?: number;
  /** How often the death of the process alone is tried, 0 to 1. Default 0.5. */
  readonly killRate?: number;
  /** Up to so many parts that may be lost, every combination is tried. */
  readonly exhaustiveParts?: number;
  /** What the file system of the script lies about; recovery is always honest. */
  readonly lies?: Lies;
}

/** What was tried. */
export class SweepCount {
  /** Operations before which the machine was stopped. */
  points = 0;
  images = 0;
  /** Images among them that come from a crash in recovery. */
  nested = 0;

  add(other: SweepCount): void {
    this.points += other.points;
    this.images += other.images;
    this.nested += other.nested;
  }
}

/** A crash image that did not keep a promise. */
export class BrokenPromise extends Error {
  static {
    this.prototype.name = 'BrokenPromise';
  }
}

type Loss = 'kill' | CrashPolicy;

/** Crashes a script before each of its operations, and after the last one. Rejects with BrokenPromise for the first image that is wrong. */
export async function sweep(script: Script, options: SweepOptions): Promise<SweepCount> {
  const count = new SweepCount();
  const { name, options: lifeOptions = {} } = script;
  const random = new Random(options.seed).fork(name);
  let disk = new SimDisk({ seed: options.seed });
  let life = new Life(new WrappedVfs(disk, options.lies), lifeOptions, random.fork('life').seed);
  let broken: unknown;
  const crashHere = (where: string): void => {
    count.points += 1;
    try {
      tryImages({ disk, promised: life.promised, lifeOptions, options, where, random, count, depth: 0 });
    } catch (error) {
      // What is thrown here goes through the code under test, which may not let it pass.
      broken ??= error;
      disk.halt();
    }
  };
  const watch = (): void => {
    disk.onOperation = (number, operation, path) => {
      life.before(operation, path);
      // What is in the shm file after a crash does not matter, so a few of these places are enough.
      if (path.endsWith('-shm') && number % 8 !== 0) return;
      if (options.pointsOneOf !== undefined && random.below(options.pointsOneOf) > 0) return;
      crashHere(`${name}, seed ${options.seed}, before operation ${number} (${operation} ${path})`);
    };
  };
  watch();
  try {
    await script.run(life, () => {
      const left = disk.kill();
      disk.halt();
      life.discard();
      life = new Life(new WrappedVfs(left, options.lies), lifeOptions, random.next(), life.promised);
      disk = left;
      watch();
      return life;
    });
  } catch (error) {
    if (broken === undefined) throw error;
  }
  if (broken === undefined) {
    life.before('end', '');
    crashHere(`${name}, seed ${options.seed}, at the end`);
  }
  disk.onOperation = undefined;
  disk.halt();
  life.discard();
  if (broken !== undefined) throw broken;
  return count;
}

interface Scene {
  readonly disk: SimDisk;
  readonly promised: Promised;
  readonly lifeOptions: LifeOptions;
  readonly options: SweepOptions;
  readonly where: string;
  readonly random: Random;
  readonly count: SweepCount;
  readonly depth: number;
}

function tryImages(scene: Scene): void {
  const { disk, options, random, count, depth, where } = scene;
  for (const [at, loss] of losses(disk, options, random, depth).entries()) {
    const image = loss === 'kill' ? disk.kill() : disk.crash(loss, random.fork(`crash ${count.images}`));
    count.images += 1;
    if (depth > 0) count.nested += 1;
    const nested = depth === 0 && options.nestedOneOf > 0 && random.chance(1 / options.nestedOneOf);
    const text = `${where}, image ${at}: ${describe(loss)}`;
    try {
      judge({ ...scene, disk: image, promised: promisedTo(scene.promised, loss), where: text }, nested);
    } catch (error) {
      if (error instanceof BrokenPromise) throw error;
      throw new BrokenPromise(`${text}: ${String(error)}`, { cause: error });
    } finally {
      image.halt(); // what its connections deferred would keep it until the script lets the event loop turn
    }
  }
}

function describe(loss: Loss): string {
  if (loss === 'kill') return 'kill';
  return JSON.stringify(loss, (_key, value: unknown) => (typeof value === 'function' ? 'chosen parts' : value));
}

function losses(disk: SimDisk, options: SweepOptions, random: Random, depth: number): Loss[] {
  const pending = disk.pending.filter(({ path }) => !path.endsWith('-shm'));
  if (pending.length === 0) return ['kill'];
  const parts = disk.pending.reduce((sum, operation) => sum + operation.parts, 0);
  if (depth === 0 && parts <= (options.exhaustiveParts ?? 0)) {
    return ['kill', ...Array.from({ length: 2 ** parts }, (_, kept) => ({ keep: subset(disk.pending, kept) }))];
  }
  if (depth > 0) return [random.chance(0.3) ? 'kill' : random.pick(CRASH_POLICIES)];
  const found: Loss[] = random.chance(options.killRate ?? 0.5) ? ['kill'] : [];
  found.push({ keep: 'none' });
  for (let i = 0; i < options.randomImages; i += 1) found.push(random.pick(CRASH_POLICIES));
  return found;
}

/** Keeps those parts whose bit is set, counted over all operations. */
function subset(pending: readonly { readonly parts: number }[], kept: number): Exclude<CrashPolicy['keep'], string> {
  const firstPart: number[] = [];
  pending.reduce((sum, { parts }, at) => ((firstPart[at] = sum), sum + parts), 0);
  return (_operation, index, part) => ((kept >>> (firstPart[index]! + part)) & 1) === 1;
}

function promisedTo(promised: Promised, loss: Loss): Promised {
  return loss === 'kill' ? promised : { ...promised, afterKill: promised.afterPowerLoss };
}

const SIDE_FILES = /^t\.db(|-wal|-\d+-wal|-wal\.spare|-dw|-shm)$/;

/** Recovers an image, compares it with what was promised, opens it again, writes, closes, and opens it once more. */
function judge(scene: Scene, nested: boolean): void {
  const { disk, promised, lifeOptions, random, count } = scene;
  const vfs = new WrappedVfs(disk);
  const life = new Life(vfs, lifeOptions, random.next(), promised);
  if (nested) {
    disk.onOperation = (number, operation, path) => {
      life.before(operation, path);
      if (path.endsWith('-shm')) return;
      const where = `${scene.where}, again before operation ${number} (${operation} ${path})`;
      tryImages({ ...scene, disk, promised: life.promised, where, depth: 1 });
    };
  }
  life.open();
  const { pager } = life;
  const { lsn } = pager.view; // within what was promised, or `open` would have thrown
  expectNone(scene, 'recovered', examine(pager, life.state));
  const alarms = pager.warnings.filter(({ code }) => code !== 'SOMBRA_SUPERBLOCK_SLOT');
  expectNone(
    scene,
    'false alarms',
    alarms.map(({ code }) => code),
  );
  expectNone(
    scene,
    'names',
    disk.list('.').filter((name) => !SIDE_FILES.test(name)),
  );
  if (count.images % 4 === 0) judgeSecondOpen(scene, disk, lsn);

  life.commit(3);
  expectNone(scene, 'after a new commit', examine(pager, life.state));
  life.close();
  disk.onOperation = undefined;
  if (vfs.openFiles.size > 0)
    expectNone(
      scene,
      'descriptors left open',
      [...vfs.openFiles].map(({ path }) => path),
    );
  expectNone(
    scene,
    'names after close',
    disk.list('.').filter((name) => name !== PATH),
  );
  if (count.images % 3 !== 0) return;
  const again = Pager.open({ vfs, path: PATH, ...TINY, ...lifeOptions });
  if (again.view.lsn !== life.promised.newest)
    throw new BrokenPromise(`${scene.where}: commit ${again.view.lsn} after closing ${life.promised.newest}`);
  expectNone(scene, 'after close', [...examine(again, life.state), ...again.warnings.map(({ code }) => code)]);
  again.close();
}

/** Recovery of what recovery left finds the same, and writes nothing new. */
function judgeSecondOpen(scene: Scene, disk: SimDisk, lsn: number): void {
  const before = disk.image();
  const second = disk.kill();
  const pager = Pager.open({ vfs: second, path: PATH, ...TINY, ...scene.lifeOptions });
  if (pager.view.lsn !== lsn)
    throw new BrokenPromise(`${scene.where}: the second open finds commit ${pager.view.lsn}, the first ${lsn}`);
  expectNone(scene, 'second open', examine(pager, scene.promised.states.get(lsn)!));
  const after = second.image();
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) =>
      !name.endsWith('-shm') &&
      Buffer.compare(before.get(name) ?? Buffer.alloc(0), after.get(name) ?? Buffer.alloc(0)) !== 0,
  );
  expectNone(scene, 'the second open changed', changed);
  pager.close();
  second.halt();
}

function expectNone(scene: Scene, what: string, wrong: readonly string[]): void {
  if (wrong.length > 0) throw new BrokenPromise(`${scene.where}: ${what}: ${wrong.slice(0, 5).join('; ')}`);
}

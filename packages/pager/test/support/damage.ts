// Database files in every state that they can be found in, and ways to damage them.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { SimDisk } from '@sombra/vfs/testing';
import type { Random } from '@sombra/vfs/testing';
import type { LifeOptions, Promised } from './life.ts';
import { Life, PATH } from './life.ts';

export type Files = ReadonlyMap<string, Uint8Array>;

/** Files of a database, and what they hold. */
export interface Specimen {
  readonly name: string;
  readonly options: LifeOptions;
  readonly files: Files;
  readonly promised: Promised;
  /** Commit of the last checkpoint. */
  readonly checkpoint: number;
}

interface Recipe {
  readonly name: string;
  readonly options?: LifeOptions;
  /** The process dies before the nth operation of this kind, if it says so. */
  readonly dies?: { readonly operation: string; readonly path: RegExp; readonly nth: number };
  run(life: Life): void;
}

/** Content with freed pages, trees and counters; a checkpoint in the middle. @returns its commit */
function fillAndCheckpoint(life: Life): void {
  life.open();
  life.fill(6);
  for (let i = 0; i < 4; i += 1) life.commit(10);
  life.checkpoint();
}

const RECIPES: readonly Recipe[] = [
  {
    name: 'closed',
    run(life) {
      fillAndCheckpoint(life);
      life.commit(10);
      life.bulk(3);
      life.commit(4);
      life.close();
    },
  },
  {
    name: 'closed, with nothing since a checkpoint',
    run(life) {
      fillAndCheckpoint(life);
      life.close();
    },
  },
  {
    name: 'with a log',
    run(life) {
      fillAndCheckpoint(life);
      for (let i = 0; i < 5; i += 1) life.commit(5);
    },
  },
  {
    name: 'with several segments',
    run(life) {
      life.open();
      for (let i = 0; i < 7; i += 1) life.fill(1);
      for (let i = 0; i < 4; i += 1) life.commit(6);
    },
  },
  {
    name: 'in the middle of a checkpoint',
    dies: { operation: 'pwrite', path: /t\.db$/, nth: 3 },
    run(life) {
      life.open();
      life.fill(6);
      life.checkpoint();
      for (let i = 0; i < 4; i += 1) life.commit(10);
      life.checkpoint();
    },
  },
  {
    name: 'with the log in memory, in the middle of a checkpoint',
    options: { enableWal: false },
    dies: { operation: 'pwrite', path: /t\.db$/, nth: 4 },
    run(life) {
      life.open();
      life.fill(6);
      life.checkpoint();
      for (let i = 0; i < 4; i += 1) life.commit(10);
      life.checkpoint();
    },
  },
];

/** Makes the specimens: the same bytes for the same seed. */
export function specimens(seed: number): Specimen[] {
  return RECIPES.map((recipe) => make(recipe, seed));
}

function make({ name, options = {}, dies, run }: Recipe, seed: number): Specimen {
  const disk = new SimDisk({ seed });
  const life = new Life(disk, options, seed);
  let left: SimDisk | undefined;
  let matches = 0;
  disk.onOperation = (_number, operation, path) => {
    life.before(operation, path);
    if (dies === undefined || operation !== dies.operation || !dies.path.test(path)) return;
    matches += 1;
    if (matches !== dies.nth) return;
    left = disk.kill();
    disk.halt();
  };
  try {
    run(life);
  } catch (error) {
    if (left === undefined) throw error;
  }
  if (dies !== undefined && left === undefined) throw new Error(`${name}: only ${matches} operations to die at`);
  const files = new Map([...(left ?? disk).image()].filter(([path]) => !path.endsWith('-shm')));
  // What recovery finds is what the files hold.
  const { promised } = life;
  const whole = new Life(load(files), options, seed, { ...promised, afterKill: promised.afterPowerLoss });
  whole.open();
  const { checkpoint, lsn } = { checkpoint: whole.pager.stats().checkpointLsn, lsn: whole.pager.view.lsn };
  whole.close();
  life.discard();
  return { name, options, files, promised: { ...promised, afterKill: lsn, newest: lsn }, checkpoint };
}

/** A file system with these files. */
export function load(files: Files): Vfs {
  const vfs = new MemoryVfs();
  for (const [path, bytes] of files) {
    const file = vfs.open(path, { write: true, create: true });
    if (bytes.length > 0) file.pwrite([bytes], 0);
    file.close();
  }
  return vfs;
}

/** What was done to a file. */
export interface Damage {
  readonly file: string;
  readonly what: string;
  /** In one place of the file only. */
  readonly local: boolean;
  /** The file became shorter, or went. */
  readonly cut: boolean;
  readonly files: Files;
}

const SECTOR = 512;
const PAGE = 4096;

/** Damages one of the files. */
export function damage({ files }: Specimen, random: Random): Damage {
  const names = [...files.keys()].filter((name) => files.get(name)!.length > 0);
  const file = random.chance(0.4) ? PATH : random.pick(names);
  const bytes = files.get(file)!.slice();
  const done = (what: string, changed: Uint8Array | null, local = false): Damage => {
    const rest = new Map(files);
    if (changed === null) rest.delete(file);
    else rest.set(file, changed);
    return { file, what, local, cut: changed === null || changed.length < bytes.length, files: rest };
  };
  const sector = random.below(Math.ceil(bytes.length / SECTOR)) * SECTOR;
  switch (random.below(10)) {
    case 0:
    case 1: {
      const bit = random.below(bytes.length * 8);
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      return done(`bit ${bit} flipped`, bytes, true);
    }
    case 2: {
      // The superblock slots, or the header of another file.
      const at = (file === PATH && random.chance(0.5) ? PAGE : 0) + random.below(Math.min(SECTOR, bytes.length));
      bytes[Math.min(at, bytes.length - 1)]! ^= 1 + random.below(255);
      return done(`byte ${at} changed`, bytes, true);
    }
    case 3: {
      const count = 2 + random.below(63);
      for (let i = 0; i < count; i += 1) {
        const bit = random.below(bytes.length * 8);
        bytes[bit >>> 3]! ^= 1 << (bit & 7);
      }
      return done(`${count} bits flipped`, bytes);
    }
    case 4:
      bytes.fill(0, sector, sector + SECTOR);
      return done(`zeros at ${sector}`, bytes, true);
    case 5:
      bytes.set(random.bytes(Math.min(SECTOR, bytes.length - sector)), sector);
      return done(`noise at ${sector}`, bytes, true);
    case 6: {
      const [a, b] = [
        random.below(Math.ceil(bytes.length / PAGE)) * PAGE,
        random.below(Math.ceil(bytes.length / PAGE)) * PAGE,
      ];
      const first = bytes.slice(a, a + PAGE);
      bytes.set(bytes.slice(b, b + PAGE).subarray(0, bytes.length - a), a);
      bytes.set(first.subarray(0, bytes.length - b), b);
      return done(`pages at ${a} and ${b} swapped`, bytes);
    }
    case 7: {
      const length = random.below(bytes.length);
      return done(`cut to ${length}`, bytes.slice(0, length));
    }
    case 8: {
      const more = 1 + random.below(3 * PAGE);
      const longer = new Uint8Array(bytes.length + more);
      longer.set(bytes);
      if (random.chance(0.5)) longer.set(random.bytes(more), bytes.length);
      return done(`extended by ${more}`, longer);
    }
    default: {
      if (file !== PATH && random.chance(0.3)) return done('removed', null);
      const from = random.below(Math.ceil(bytes.length / SECTOR)) * SECTOR;
      bytes.set(bytes.slice(from, from + SECTOR).subarray(0, bytes.length - sector), sector);
      return done(`sector ${from} written over sector ${sector}`, bytes, true);
    }
  }
}

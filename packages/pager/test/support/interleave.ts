// Lets another process move between any two visible calls of one: every place of a script, every kind of move.
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, Random, SimDisk } from '@sombra/vfs/testing';
import type { Succession } from './successions.ts';
import { BrokenPromise, World } from './world.ts';
import type { Process } from './world.ts';

/** What the other process does there. It may be refused because the first one writes, opens or closes; it may never find anything wrong. */
export const MOVES = {
  'reads a new snapshot': (world: World, other: Process) => {
    world.snapshot(other);
    world.readSnapshots(other);
  },
  'ends its oldest snapshot, takes another one': (world: World, other: Process) => {
    world.release(other);
    world.readSnapshots(other);
    world.snapshot(other);
  },
  commits: (world: World, other: Process) => world.commit(other),
  'commits much, and checkpoints': (world: World, other: Process) => {
    world.commit(other);
    world.fill(other);
    world.checkpoint(other);
  },
  closes: (world: World, other: Process) => world.close(other),
  'closes and opens again': (world: World, other: Process) => {
    world.close(other);
    world.openBy(other);
    world.snapshot(other);
  },
  joins: (world: World, other: Process) => {
    world.openBy(other);
    world.snapshot(other);
  },
  'joins and closes': (world: World, other: Process) => {
    world.openBy(other);
    world.close(other);
  },
} as const;

export type Move = keyof typeof MOVES;

export interface InterleaveOptions {
  readonly seed: number;
  readonly first: number;
  readonly stride: number;
  /** The disk as each process sees it; for faults that have to be noticed. */
  readonly seen?: (disk: Vfs) => Vfs;
}

/** @returns places tried, and how often the move was refused */
export async function interleave(
  succession: Succession,
  victim: number,
  move: Move,
  options: InterleaveOptions,
): Promise<{ places: number; refused: number; images: number }> {
  const count = { places: 0, refused: 0, images: 0 };
  for (let call = options.first; ; call += options.stride) {
    const where = `${succession.name}, seed ${options.seed}: before call ${call} of process ${victim} another one ${move}`;
    try {
      if (!(await interleaveOnce(succession, victim, move, call, options, count, where))) return count;
    } catch (error) {
      throw new BrokenPromise(`${where}: ${error instanceof BrokenPromise ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

async function interleaveOnce(
  succession: Succession,
  victim: number,
  move: Move,
  call: number,
  options: InterleaveOptions,
  count: { places: number; refused: number; images: number },
  where: string,
): Promise<boolean> {
  const random = new Random(options.seed).fork(`${succession.name} ${move} ${call}`);
  const world = new World(
    new SimDisk({ seed: options.seed }),
    new Random(options.seed),
    succession.options,
    options.seen,
  );
  const { vfs } = world.process(victim);
  const other = world.process(9);
  let moved = false;
  let image = false;
  vfs.onCall = (kind) => {
    if (vfs.calls < call || moved) return;
    moved = true;
    image = kind !== 'lock' && kind !== 'unlock' && kind !== 'close';
    const before = world.refusals;
    MOVES[move](world, other);
    if (world.refusals > before) count.refused += 1;
  };
  if (!move.startsWith('joins')) {
    world.openBy(other);
    world.fill(other, 1);
    await world.pause();
    // Its own snapshot would protect others, so there is one only for the move that ends it.
    if (move.startsWith('ends')) world.snapshot(other);
  }
  // What the other one does in the background may keep the first one out for a while, but not for ever.
  world.tolerated = new Set(['SOMBRA_BUSY']);
  await succession.run(world);
  world.tolerated = new Set();
  if (!moved) {
    moved = true; // nor does anything while they close
    world.discard();
    return false;
  }
  count.places += 1;
  await world.finish();
  if (image) {
    count.images += 1;
    world.tryCrash(where, random.pick(CRASH_POLICIES), random);
  }
  world.closeAll();
  return true;
}

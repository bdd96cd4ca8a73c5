// What several processes do with one database, one step after the other; any of them may die within any step.
import { Random } from '@sombra/vfs/testing';
import type { Process, World, WorldOptions } from './world.ts';

export interface Succession {
  readonly name: string;
  readonly options?: WorldOptions;
  /** Processes that are killed in turn, by number. */
  readonly victims: readonly number[];
  /** Processes between whose calls another one moves. */
  readonly interrupted: readonly number[];
  run(world: World): Promise<void>;
}

/** The first processes of a world. */
function cast(world: World, count: number): Process[] {
  return Array.from({ length: count }, (_, number) => world.process(number));
}

export const SUCCESSIONS: readonly Succession[] = [
  {
    name: 'create, join, take turns at writing, close one by one',
    victims: [0, 1],
    interrupted: [0, 1],
    async run(world) {
      const [a, b, c] = cast(world, 3) as [Process, Process, Process];
      world.openBy(a);
      world.openBy(b);
      world.commit(a);
      await world.pause();
      world.read(b);
      world.commit(b);
      world.commit(b);
      await world.pause();
      world.commit(a);
      world.openBy(c);
      await world.pause();
      world.read(c);
      world.close(a);
      world.commit(b);
      await world.pause();
      world.read(c);
      world.close(b);
      world.close(c);
      await world.pause();
      world.openBy(a);
      world.commit(a);
      world.close(a);
    },
  },
  {
    name: 'checkpoints beside snapshots of another process',
    victims: [0, 1],
    interrupted: [0, 1],
    async run(world) {
      const [a, b] = cast(world, 2) as [Process, Process];
      world.openBy(b);
      world.openBy(a);
      world.fill(a, 2);
      world.commit(a);
      world.snapshot(b);
      world.commit(a);
      world.checkpoint(a);
      world.fill(a, 2);
      world.snapshot(b);
      await world.pause();
      world.commit(b);
      world.release(b);
      world.checkpoint(a);
      world.readSnapshots(b);
      await world.pause();
      world.commit(a);
      world.checkpoint(a);
      world.release(b);
      await world.pause();
      world.commit(b);
      world.checkpoint(b);
      world.checkpoint(a);
    },
  },
  {
    name: 'a reader beside an idle writer',
    victims: [1],
    interrupted: [1],
    async run(world) {
      const [a, b] = cast(world, 2) as [Process, Process];
      world.openBy(a);
      world.fill(a, 2);
      await world.pause();
      world.openBy(b);
      for (let round = 0; round < 3; round += 1) {
        await world.pause();
        world.snapshot(b);
        await world.pause();
        world.commit(a);
        await world.pause();
        world.read(b);
        if (round > 0) world.release(b);
        await world.pause();
        world.checkpoint(a);
      }
      world.readSnapshots(b);
      world.release(b);
      for (let round = 0; round < 3; round += 1) {
        await world.pause();
        world.commit(a);
        world.checkpoint(a);
        await world.pause();
        world.read(b); // nothing else is kept for it
      }
      world.close(b);
    },
  },
  {
    name: 'rotation, recycling, a reader with an old floor',
    victims: [0],
    interrupted: [0, 1],
    async run(world) {
      const [a, b, c] = cast(world, 3) as [Process, Process, Process];
      world.openBy(a);
      world.openBy(b);
      world.openBy(c);
      world.fill(a);
      await world.pause();
      world.snapshot(c);
      world.fill(b);
      await world.pause();
      world.fill(a);
      world.checkpoint(a);
      world.snapshot(c);
      world.fill(a);
      await world.pause();
      world.fill(b);
      world.release(c);
      world.checkpoint(b);
      world.fill(b);
      world.readSnapshots(c);
      await world.pause();
      world.checkpoint(a);
      world.fill(a);
      world.release(c);
      world.checkpoint(a);
      world.fill(a);
      world.close(a);
    },
  },
  {
    name: 'a lone writer rotates, checkpoints and recycles',
    victims: [],
    interrupted: [0],
    async run(world) {
      const [a] = cast(world, 1) as [Process];
      world.openBy(a);
      for (let round = 0; round < 3; round += 1) {
        for (let segment = 0; segment < 3; segment += 1) {
          world.fill(a);
          await world.pause();
        }
        world.commit(a);
        world.checkpoint(a);
        await world.pause();
      }
      world.fill(a);
      world.close(a);
    },
  },
  {
    name: 'checkpoints in the background, also handed over half done',
    options: { checkpointAfterBytes: 20_000 },
    victims: [0],
    interrupted: [0],
    async run(world) {
      const [a, b] = cast(world, 2) as [Process, Process];
      world.openBy(a);
      world.openBy(b);
      world.fill(a);
      world.fill(a, 2);
      await world.pause(2);
      world.commit(a);
      await world.pause(4);
      world.commit(b);
      world.fill(b);
      await world.pause(9);
      world.fill(a);
      await world.pause(9);
      world.close(a);
    },
  },
  {
    name: 'commits in groups beside synchronous ones',
    victims: [0],
    interrupted: [0],
    async run(world) {
      const [a, b] = cast(world, 2) as [Process, Process];
      world.openBy(a);
      world.openBy(b);
      world.commit(b);
      await world.pause();
      world.commitTogether(a, 5);
      await world.pause(2);
      world.commitTogether(a, 12);
      world.snapshot(a);
      world.commit(a);
      world.commitTogether(a, 3);
      world.readSnapshots(a);
      await world.pause(3);
      world.read(b);
      await world.pause();
      world.commit(b);
      await world.pause();
      world.commitTogether(a, 4);
      world.close(a);
    },
  },
  {
    name: 'sync mode normal',
    options: { syncMode: 'normal' },
    victims: [0, 1],
    interrupted: [0, 1],
    async run(world) {
      const [a, b] = cast(world, 2) as [Process, Process];
      world.openBy(a);
      world.openBy(b);
      world.commit(a);
      world.commit(a);
      await world.pause();
      world.commit(b);
      world.fill(b);
      await world.pause();
      world.fill(a);
      world.checkpoint(a);
      world.commit(a);
      await world.pause();
      world.fill(b);
      world.commit(b);
      await world.pause();
      world.checkpoint(b);
      world.commit(a);
      world.close(a);
    },
  },
];

/** A succession of random steps of three processes, each time the same for the same seed. */
export function randomSuccession(seed: number): Succession {
  const random = new Random(seed).fork('succession');
  const options: WorldOptions = {
    syncMode: random.chance(0.3) ? 'normal' : 'full',
    checkpointAfterBytes: random.chance(0.4) ? 20_000 : 2 ** 40,
    cacheSize: random.pick([8, 20]),
  };
  const steps = Array.from({ length: 40 }, () => ({
    actor: random.below(3),
    kind: random.below(14),
    size: 1 + random.below(4),
  }));
  return {
    name: `random steps, seed ${seed}`,
    options,
    victims: [0, 1],
    interrupted: [0, 1],
    async run(world) {
      const actors = cast(world, 3);
      for (const { actor, kind, size } of steps) {
        const process = actors[actor]!;
        if (process.pager === null) world.openBy(process);
        await world.pause();
        if (kind < 3) for (let i = 0; i < size; i += 1) world.commit(process);
        else if (kind < 6) world.fill(process, size);
        else if (kind === 6) world.commitTogether(process, size * 2);
        else if (kind === 7) world.read(process);
        else if (kind === 8 && process.snapshots.length < 3) world.snapshot(process);
        else if (kind === 9) world.release(process);
        else if (kind === 10) world.readSnapshots(process);
        else if (kind < 13) world.checkpoint(process);
        else if (size > 2) world.close(process);
        await world.pause(kind === 6 ? 3 : size);
        await world.untilFree();
      }
    },
  };
}

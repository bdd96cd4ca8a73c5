// Crashes and errors while backups are made, removed and restored, on a simulated disk that holds both the database and the repository.
import { SombraError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import { expect } from 'vitest';
import { openBackups } from '../../src/index.ts';
import type { DatabaseCopy } from '@sombra/pager';
import type { Backups, RunBackupOptions } from '../../src/index.ts';
import { examine, GraphLife } from './graphs.ts';

const DAY_MS = 86_400_000;
const PATH = 'data/graph.db';
const PLACE = 'repository';

/** What was done and found. */
export class Tally {
  images = 0;
  restored = 0;
  wentOn = 0;
  failures = 0;
}

/** What must be found after a crash. */
interface Promised {
  /** Backups that were acknowledged and not removed, and their commits. */
  readonly there: ReadonlyMap<string, number>;
  /** Digests of the commits that there may be. */
  readonly states: ReadonlyMap<number, string>;
  readonly what: string;
  readonly turn: number;
}

/** The database on which a script works, and what it has been told. */
class Scene {
  readonly life: GraphLife;
  readonly backups: Backups;
  readonly there = new Map<string, number>();
  /** Backups that were removed at last. */
  readonly removedEver = new Set<string>();
  /** Breaks the rule that the commit is durable before the backup says that it holds it. */
  forgetsTheDatabase = false;
  /** Added to the time of day. */
  readonly later: (ms: number) => void;

  constructor(life: GraphLife, backups: Backups, later: (ms: number) => void) {
    this.life = life;
    this.backups = backups;
    this.later = later;
  }

  async run(options: RunBackupOptions): Promise<void> {
    const { pager, path } = this.life;
    const copy = (): DatabaseCopy => {
      const made = pager.copy();
      return this.forgetsTheDatabase ? Object.assign(made, { makeDurable: () => undefined }) : made;
    };
    const { id, lsn } = await this.backups.run({ path, copy }, { compression: 'none', ...options });
    this.there.set(id, lsn);
  }

  async prune(retentionDays: number): Promise<void> {
    const { removed } = await this.backups.prune({ retentionDays });
    for (const id of removed) {
      this.there.delete(id);
      this.removedEver.add(id);
    }
  }
}

/** Full, two incremental ones with writes in between and meanwhile, another full one, what is old goes, one more. */
async function script(scene: Scene, random: Random): Promise<void> {
  const { life, later } = scene;
  const write = (): void => life.write(1 + random.below(3));
  for (const incremental of [false, true, true, false, true]) {
    later(DAY_MS);
    write();
    if (random.chance(0.3)) life.pager.checkpoint();
    // Once: a commit while the copy is read.
    let isLate = random.chance(0.5);
    const onProgress = (): void => {
      if (isLate) write();
      isLate = false;
    };
    await scene.run({ incremental, onProgress });
  }
  // The first chain is older.
  await scene.prune(1.5);
  write();
  await scene.run({ incremental: true });
}

/**
 * Every operation of the script is the last one before a power loss, under some policies, and before the death of the process.
 * @param perOperation  power losses at each operation
 * @param fullyOneOf    of so many images one is examined in full: every backup restored, and the next one made
 */
export async function crashSweep(
  seed: number,
  options: {
    readonly perOperation: number;
    readonly fullyOneOf: number;
    readonly forgetsTheDatabase?: boolean;
    readonly syncMode?: 'off';
  },
  tally: Tally,
): Promise<void> {
  const random = new Random(seed);
  const dice = random.fork('script');
  const disk = new SimDisk({ seed });
  disk.mkdir('data');
  const syncMode = options.syncMode ?? dice.pick(['full', 'normal', 'off'] as const);
  const life = new GraphLife(disk, PATH, seed, { syncMode });
  for (let i = 0; i < 3; i += 1) life.write(3);
  const scene = new Scene(life, await openBackups(PLACE, { vfs: disk }), (ms) => disk.env.jumpWall(ms));
  const waiting: { image: SimDisk; promised: Promised }[] = [];
  scene.forgetsTheDatabase = options.forgetsTheDatabase ?? false;
  let turn = 0;
  disk.onOperation = (operation, kind, path) => {
    const promised = (how: string): Promised => ({
      there: new Map(scene.there),
      states: life.states,
      what: `seed ${seed}, ${syncMode}, before operation ${operation} (${kind} ${path}), ${how}`,
      turn: (turn += 1),
    });
    for (let i = 0; i < options.perOperation; i += 1) {
      const policy = CRASH_POLICIES[(operation * options.perOperation + i) % CRASH_POLICIES.length]!;
      waiting.push({
        image: disk.crash(policy, random.fork(`${operation} ${i}`)),
        promised: promised(JSON.stringify(policy)),
      });
    }
    if (operation % 3 === 0) waiting.push({ image: disk.kill(), promised: promised('killed') });
  };
  await script(scene, dice);
  disk.onOperation = undefined;
  life.close();
  expect(scene.removedEver.size).toBe(3);
  for (const { image, promised } of waiting) await judge(image, promised, scene.removedEver, options.fullyOneOf, tally);
}

/** Is everything as it must be after a crash? */
async function judge(
  image: SimDisk,
  { there, states, what, turn }: Promised,
  mayGo: ReadonlySet<string>,
  fullyOneOf: number,
  tally: Tally,
): Promise<void> {
  tally.images += 1;
  const backups = await openBackups(PLACE, { vfs: image });
  const { backups: listed, unreadable } = await backups.list();
  expect(unreadable, what).toEqual([]);
  const ids = new Set(listed.map(({ id }) => id));
  for (const id of there.keys()) if (!mayGo.has(id)) expect(ids, what).toContain(id);
  for (const { id, error } of await backups.verify()) expect(error, `${what}: ${id}`).toBeUndefined();
  if (turn % fullyOneOf !== 0) return;
  for (const { id, lsn } of listed) {
    await backups.restore(id, `${id}.restored`);
    expect(examine(image, `${id}.restored`), `${what}: ${id}`).toEqual({ lsn, digest: states.get(lsn), problems: [] });
    tally.restored += 1;
  }
  // What was backed up is in the database, so that what follows is one history.
  const again = new GraphLife(image, PATH, turn, {}, new Map(states));
  expect(states.get(again.lsn), what).toBe(again.states.get(again.lsn));
  for (const { lsn } of listed) expect(again.lsn, what).toBeGreaterThanOrEqual(lsn);
  again.write();
  const { id, lsn, fullBecause } = await backups.run(again.pager, { incremental: true, compression: 'none' });
  if (listed.length > 0) expect(fullBecause, what).toBeUndefined();
  await backups.restore(id, 'next.restored');
  expect(examine(image, 'next.restored'), what).toEqual({ lsn, digest: again.states.get(lsn), problems: [] });
  again.close();
  tally.wentOn += 1;
}

/** Every call to the file system of the repository fails once, with an error; what is there stays whole, and the next run succeeds. */
export async function faultSweep(seed: number, action: string, stride: number, tally: Tally): Promise<void> {
  for (let nth = 1; ; nth += stride) {
    const disk = new SimDisk({ seed });
    disk.mkdir('data');
    const life = new GraphLife(disk, PATH, seed);
    for (let i = 0; i < 3; i += 1) life.write(3);
    const faulty = new FaultyVfs(disk);
    const scene = new Scene(life, await openBackups(PLACE, { vfs: faulty }), (ms) => disk.env.jumpWall(ms));
    faulty.add({ op: 'any', nth, action });
    let error: unknown;
    try {
      await script(scene, new Random(seed));
    } catch (caught) {
      error = caught;
    }
    const hit = faulty.failed.length > 0;
    faulty.heal();
    const what = `seed ${seed}, ${action} at call ${nth} (${faulty.failed[0]?.op} ${faulty.failed[0]?.path})`;
    if (error !== undefined) expect(error, what).toBeInstanceOf(SombraError);
    expect(life.pager.stats().snapshots, what).toBe(0);
    await expectWhole(disk, scene, what);
    await scene.run({ incremental: true });
    await expectWhole(disk, scene, what);
    life.close();
    if (!hit) return;
    tally.failures += 1;
  }
}

async function expectWhole(vfs: Vfs, { life }: Scene, what: string): Promise<void> {
  const backups = await openBackups(PLACE, { vfs });
  for (const { id, error } of await backups.verify()) expect(error, `${what}: ${id}`).toBeUndefined();
  const last = (await backups.list()).backups.at(-1);
  if (last === undefined) return;
  const path = `${last.id}-${vfs.list('.').length}.restored`;
  await backups.restore(last.id, path);
  expect(examine(vfs, path), what).toEqual({ lsn: last.lsn, digest: life.states.get(last.lsn), problems: [] });
}

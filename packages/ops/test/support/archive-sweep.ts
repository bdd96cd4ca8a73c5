// Crashes and errors while the log of a database is archived, on a simulated disk that holds both the database and the archive.
import { SombraError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import { expect } from 'vitest';
import { openBackups, openLogArchive } from '../../src/index.ts';
import type { LogArchive } from '../../src/index.ts';
import type { LogEnd, LogEndOptions } from '@sombra/pager';
import type { ArchiveSource } from '../../src/index.ts';
import { examine, GraphLife } from './graphs.ts';
import type { Tally } from './backup-sweep.ts';

const PATH = 'data/graph.db';
const PLACE = 'place';

type SyncMode = 'full' | 'normal' | 'off';

/** The database on which a script works, and what it has been told. */
class Scene {
  readonly life: GraphLife;
  readonly archive: LogArchive;
  /** Breaks the rule that only what is durable in the database is archived. */
  readonly forgetsTheDatabase: boolean;
  /** The newest commit that is archived for certain. */
  archived = 0;

  constructor(life: GraphLife, archive: LogArchive, forgetsTheDatabase = false) {
    this.life = life;
    this.archive = archive;
    this.forgetsTheDatabase = forgetsTheDatabase;
  }

  async pass(): Promise<void> {
    const { lsn } = await this.archive.run(this.source(), { compression: 'none' });
    this.archived = lsn;
  }

  private source(): ArchiveSource {
    const { pager } = this.life;
    if (!this.forgetsTheDatabase) return pager;
    return {
      path: pager.path,
      logEnd: (options?: LogEndOptions): LogEnd => pager.logEnd({ ...options, durable: false }),
      archivedThrough: () => pager.archivedThrough(),
      markArchived: (seq) => pager.markArchived(seq),
    };
  }
}

/** Writes, checkpoints, indexes that are built past the log, closes; and a pass now and then. */
async function script(scene: Scene, random: Random, turns: number): Promise<void> {
  const { life } = scene;
  for (let turn = 0; turn < turns; turn += 1) {
    for (let i = 1 + random.below(3); i > 0; i -= 1) life.write(1 + random.below(6));
    const dice = scene.forgetsTheDatabase ? 5 : random.below(5); // upkeep would make it durable
    if (dice === 0) life.pager.checkpoint();
    else if (dice === 1) toggleIndex(life);
    else if (dice === 2) life.reopen();
    await scene.pass();
  }
}

function toggleIndex(life: GraphLife): void {
  const { graph } = life;
  if (graph.reader.propertyIndexes().length === 0) graph.createPropertyIndex('Person', 'name');
  else graph.dropPropertyIndex('Person', 'name');
  life.note();
}

async function begin(disk: SimDisk, vfs: Vfs, seed: number, syncMode: SyncMode, forgets = false): Promise<Scene> {
  disk.mkdir('data');
  const life = new GraphLife(disk, PATH, seed, { syncMode });
  life.write(3);
  const scene = new Scene(life, await openLogArchive(PLACE, { vfs }), forgets);
  await scene.pass();
  await (await openBackups(PLACE, { vfs: disk })).run(life.pager, { compression: 'none' });
  return scene;
}

/**
 * Every operation of the script is the last one before a power loss, and before the death of the process.
 * @param fullyOneOf  of so many images one is examined in full: restored, and archived on
 */
export async function archiveCrashSweep(
  seed: number,
  options: {
    readonly fullyOneOf: number;
    readonly turns: number;
    readonly syncMode?: SyncMode;
    readonly forgetsTheDatabase?: boolean;
  },
  tally: Tally,
): Promise<void> {
  const random = new Random(seed);
  const dice = random.fork('script');
  const disk = new SimDisk({ seed });
  const syncMode = options.syncMode ?? dice.pick(['full', 'normal', 'off'] as const);
  const scene = await begin(disk, disk, seed, syncMode, options.forgetsTheDatabase);
  const { life } = scene;
  const waiting: { image: SimDisk; archived: number; what: string; turn: number }[] = [];
  disk.onOperation = (operation, kind, path) => {
    const wait = (image: SimDisk, how: string): void => {
      const what = `seed ${seed}, ${syncMode}, before operation ${operation} (${kind} ${path}), ${how}`;
      waiting.push({ image, archived: scene.archived, what, turn: waiting.length });
    };
    const policy = CRASH_POLICIES[operation % CRASH_POLICIES.length]!;
    wait(disk.crash(policy, random.fork(`${operation}`)), JSON.stringify(policy));
    if (operation % 3 === 0) wait(disk.kill(), 'killed');
  };
  await script(scene, dice, options.turns);
  disk.onOperation = undefined;
  const { states } = life;
  life.close();
  for (const { image, archived, what, turn } of waiting) {
    await judge(image, { archived, what, turn, states, isFull: turn % options.fullyOneOf === 0 }, tally);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Is everything as it must be after a crash? */
async function judge(
  image: SimDisk,
  promised: { archived: number; what: string; turn: number; states: ReadonlyMap<number, string>; isFull: boolean },
  tally: Tally,
): Promise<void> {
  tally.images += 1;
  const { archived, what, turn, states, isFull } = promised;
  const archive = await openLogArchive(PLACE, { vfs: image });
  const ranges = await archive.verify();
  expect(
    ranges.map(({ error }) => error),
    what,
  ).toEqual([undefined]);
  const { last } = ranges[0]!;
  expect(last, what).toBeGreaterThanOrEqual(archived);
  if (!isFull) return;
  const backups = await openBackups(PLACE, { vfs: image });
  const { lsn } = await backups.restore('latest', 'first.restored', { at: 'latest' });
  expect(examine(image, 'first.restored'), what).toEqual({ lsn: last, digest: states.get(lsn), problems: [] });
  tally.restored += 1;
  // The archive holds nothing that the database does not, and goes on.
  const again = new GraphLife(image, PATH, turn, {}, new Map(states));
  expect(again.lsn, what).toBeGreaterThanOrEqual(last);
  expect(again.states.get(again.lsn), what).toBe(states.get(again.lsn));
  again.write(5);
  toggleIndex(again);
  await archive.run(again.pager, { compression: 'none' });
  expect(
    (await archive.verify()).map(({ error }) => error),
    what,
  ).toEqual([undefined]);
  await backups.restore('latest', 'next.restored', { at: 'latest' });
  expect(examine(image, 'next.restored'), what).toEqual({
    lsn: again.lsn,
    digest: again.states.get(again.lsn),
    problems: [],
  });
  again.close();
  tally.wentOn += 1;
}

/** Every call to the file system of the archiver fails once, with an error: what is there stays whole, and the next pass succeeds. */
export async function archiveFaultSweep(seed: number, action: string, stride: number, tally: Tally): Promise<void> {
  for (let nth = 1; ; nth += stride) {
    const disk = new SimDisk({ seed });
    const faulty = new FaultyVfs(disk);
    const scene = await begin(disk, faulty, seed, 'normal');
    faulty.add({ op: 'any', nth, action });
    let error: unknown;
    try {
      await script(scene, new Random(seed), 4);
    } catch (caught) {
      error = caught;
    }
    const hit = faulty.failed.length > 0;
    faulty.heal();
    const what = `seed ${seed}, ${action} at call ${nth} (${faulty.failed[0]?.op} ${faulty.failed[0]?.path})`;
    if (error !== undefined) expect(error, what).toBeInstanceOf(SombraError);
    scene.life.write();
    await scene.pass();
    expect(scene.archived, what).toBe(scene.life.lsn);
    expect(
      (await scene.archive.verify()).map((range) => range.error),
      what,
    ).toEqual([undefined]);
    const backups = await openBackups(PLACE, { vfs: disk });
    const { lsn } = await backups.restore('latest', 'restored.db', { at: 'latest' });
    expect(examine(disk, 'restored.db'), what).toEqual({
      lsn,
      digest: scene.life.states.get(scene.life.lsn),
      problems: [],
    });
    scene.life.close();
    await new Promise((resolve) => setImmediate(resolve));
    if (!hit) return;
    tally.failures += 1;
  }
}

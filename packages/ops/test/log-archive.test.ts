// Goal: with an archive of the log, a database can be brought to every commit behind a backup, exactly; a restore is refused where something is missing, was
// changed or belongs to another history; an archiver goes on behind what it stored, whatever happened to it, and two never feed one archive. Method: graphs
// that change at random beside digests of each commit, with indexes that are built past the log, in sync modes full and normal; archives whose
// objects are removed, changed, doubled and mixed.
import { Pager } from '@sombra/pager';
import { placedPath } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { openBackups, openLogArchive, openObjectStore } from '../src/index.ts';
import type { ArchiveEvent, Backups, LogArchive, ObjectStore } from '../src/index.ts';
import { examine, GraphLife, TINY } from './support/graphs.ts';
import { codeOf, contentOf, keysOf } from './support/objects.ts';

const FIRST = Date.parse('2026-12-01T02:00:00.000Z');

class World {
  readonly vfs = new MemoryVfs();
  readonly life: GraphLife;
  readonly times = new Map<number, number>();
  now = FIRST;
  store!: ObjectStore;
  backups!: Backups;
  archive!: LogArchive;
  private restored = 0;

  constructor(seed: number, options: ConstructorParameters<typeof GraphLife>[3] = {}) {
    this.vfs.env.wallTimeMs = () => this.now;
    this.vfs.mkdir('data');
    this.life = new GraphLife(this.vfs, 'data/graph.db', seed, options);
  }

  static async create(seed: number, options: ConstructorParameters<typeof GraphLife>[3] = {}): Promise<World> {
    const world = new World(seed, options);
    const { vfs } = world;
    world.store = await openObjectStore('place', { vfs });
    world.backups = await openBackups(world.store, { vfs });
    world.archive = await openLogArchive(world.store, { vfs });
    world.commit();
    return world;
  }

  /** A transaction, some time after the one before. */
  commit(writes = 4): void {
    this.now += 1 + this.life.random.below(5000);
    this.life.write(writes);
    this.times.set(this.life.lsn, this.now);
  }

  /** Builds an index, or drops it: pages past the log. */
  index(): void {
    this.now += 1000;
    const { graph } = this.life;
    if (graph.reader.propertyIndexes().length === 0) graph.createPropertyIndex('Person', 'name');
    else graph.dropPropertyIndex('Person', 'name');
    this.life.note();
    this.times.set(this.life.lsn, this.now);
  }

  async restore(
    at: number | Date | 'latest',
    id = 'latest',
  ): Promise<{ lsn: number; digest: string; problems: string[] }> {
    this.restored += 1;
    const path = `restored-${this.restored}.db`;
    const { lsn } = await this.backups.restore(id, path, { at });
    const found = examine(this.vfs, path);
    expect(found.lsn).toBe(lsn);
    this.vfs.unlink(path);
    return found;
  }

  async expectAt(lsn: number, at: number | Date | 'latest' = lsn, id?: string): Promise<void> {
    const found = await this.restore(at, id);
    expect(found).toEqual({ lsn, digest: this.life.states.get(lsn), problems: [] });
  }

  async keys(ending: string): Promise<string[]> {
    return (await keysOf(this.store)).filter((key) => key.endsWith(ending));
  }
}

describe.each(['full', 'normal'] as const)('sync mode %s', (syncMode) => {
  test.each(seeds(4))('every commit behind a backup can be had, by number and by time, seed %i', async (seed) => {
    const world = await World.create(seed, { syncMode });
    const { life, archive, backups, times } = world;
    const { random } = life;
    await archive.run(life.pager);
    await backups.run(life.pager);
    const first = life.lsn;
    for (let turn = 0; turn < 40; turn += 1) {
      const dice = random.below(20);
      if (dice < 10) world.commit(1 + random.below(6));
      else if (dice < 12) world.index();
      else if (dice < 14) life.pager.checkpoint();
      else if (dice < 15) life.reopen();
      else if (dice < 16) await backups.run(life.pager, { incremental: random.chance(0.5) });
      else await archive.run(life.pager);
    }
    world.commit();
    await archive.run(life.pager);
    const commits = [...life.states.keys()].filter((lsn) => lsn >= first);
    for (const lsn of commits) await world.expectAt(lsn);
    for (const lsn of commits.filter((one) => times.has(one) && one > first)) {
      const time = times.get(lsn)!;
      const later = commits.find((one) => one > lsn && times.get(one) === time) ?? lsn;
      await world.expectAt(later, new Date(time));
    }
    await world.expectAt(life.lsn, 'latest');
    const oldest = (await backups.list()).backups[0]!.id;
    await world.expectAt(life.lsn, 'latest', oldest);
    const ranges = await archive.verify();
    expect(ranges).toHaveLength(1);
    expect(ranges[0]).toMatchObject({ last: life.lsn, error: undefined });
    life.close();
  });
});

/** A world with a backup and some archived segments behind it, tails included. */
async function archived(seed = 1): Promise<World & { readonly base: number }> {
  const world = await World.create(seed);
  const { life, archive, backups } = world;
  await archive.run(life.pager);
  await backups.run(life.pager);
  const base = life.lsn;
  while ((await world.keys('.segment')).length < 4) {
    world.commit(8);
    if (life.random.chance(0.2)) world.index();
    if (life.random.chance(0.4)) await archive.run(life.pager);
  }
  world.commit();
  await archive.run(life.pager);
  world.commit();
  await archive.run(life.pager);
  return Object.assign(world, { base });
}

describe('what is stored', () => {
  test('a whole segment takes the place of its tails, and the database may give it up', async () => {
    const world = await archived();
    const { life, archive, vfs } = world;
    const tails = await world.keys('.tail');
    const [{ segments, tails: listed, last, name } = { segments: 0, tails: 0, last: 0, name: '' }] =
      await archive.list();
    expect([name, listed, last]).toEqual(['graph', tails.length, life.lsn]);
    expect(segments).toBe((await world.keys('.segment')).length);
    expect(new Set(tails.map((key) => key.split('/').at(-1)!.slice(0, 16))).size).toBe(1); // of the live segment only
    life.pager.checkpoint();
    world.commit(8);
    life.pager.checkpoint();
    const left = vfs.list('data').filter((each) => /^graph\.db-\d+-wal$/.test(each));
    expect(left.length).toBeLessThanOrEqual(1);
    life.close();
  });

  test('prune removes what backups do not need, and what is left still works', async () => {
    const world = await archived(3);
    const { life, archive, backups, base } = world;
    const before = life.lsn;
    await backups.run(life.pager);
    for (let i = 0; i < 12; i += 1) world.commit(6);
    await archive.run(life.pager);
    const planned = await archive.prune({ before, dryRun: true });
    expect(planned.removed.length).toBeGreaterThan(2);
    expect(await archive.prune({ before })).toEqual(planned);
    await world.expectAt(life.lsn);
    await world.expectAt(before + 1);
    expect(await codeOf(world.restore(base + 2))).toBe('SOMBRA_ARCHIVE_GAP');
    life.close();
  });
});

describe('refused', () => {
  test('a target that no backup or archive reaches', async () => {
    const world = await archived();
    const { life, base } = world;
    expect(await codeOf(world.restore(life.lsn + 1))).toBe('SOMBRA_RESTORE_TARGET');
    expect(await codeOf(world.restore(base - 1))).toBe('SOMBRA_RESTORE_TARGET');
    expect(await codeOf(world.restore(new Date(world.now + 60_000)))).toBe('SOMBRA_RESTORE_TARGET');
    expect(await codeOf(world.restore(new Date(FIRST - 60_000)))).toBe('SOMBRA_RESTORE_TARGET');
    expect(await codeOf(world.restore(new Date(NaN)))).toBe('SOMBRA_OPTION');
    expect(world.vfs.list('.').sort()).toEqual(['data', 'place']);
    life.close();
  });

  test('each object that is missing: commits before it can be had, those behind it cannot', async () => {
    const world = await archived(2);
    const { life, store, archive, base, vfs } = world;
    const objects = (await keysOf(store)).filter((key) => /\.(segment|tail|pages)$/.test(key));
    for (const key of objects) {
      const bytes = await contentOf(store, key);
      await store.delete(key);
      const needed = await codeOf(world.restore('latest'));
      const ranges = await archive.verify();
      // The first segment lies before the backup; without the last tail the archive just ends earlier.
      if (needed === 'no error')
        expect([
          objects.find((each) => each.endsWith('.segment')),
          objects.filter((each) => each.endsWith('.tail')).at(-1),
        ]).toContain(key);
      else {
        expect(needed, key).toBe('SOMBRA_ARCHIVE_GAP');
        expect(ranges.length > 1 || ranges[0]!.error !== undefined, key).toBe(true);
      }
      await world.expectAt(base);
      await store.put(key, bytes);
    }
    await world.expectAt(life.lsn);
    expect(vfs.list('.').sort()).toEqual(['data', 'place']);
    life.close();
  });

  test('a byte of any object that is changed, an object that is cut, and one in the place of another', async () => {
    const world = await archived(4);
    const { life, store } = world;
    const random = new Random(4);
    const objects = (await keysOf(store)).filter((key) => /\.(segment|tail|pages)$/.test(key));
    const needed = objects.slice(1); // the first segment begins before the backup
    for (const key of needed) {
      const bytes = await contentOf(store, key);
      for (let i = 0; i < 6; i += 1) {
        const changed = Uint8Array.from(bytes).subarray(0, i < 4 ? bytes.length : random.below(bytes.length));
        if (i < 4) changed[random.below(i < 2 ? 1024 : bytes.length)]! ^= 1 << random.below(8);
        await store.put(key, changed);
        const code = await codeOf(world.restore('latest'));
        expect(code, `${key}, try ${i}`).toMatch(/^SOMBRA_(?:ARCHIVE_DAMAGED|BACKUP_FORMAT|WAL_RECORD)$/);
      }
      const other = needed.find((each) => each !== key && each.endsWith(key.slice(-5)));
      if (other !== undefined) {
        await store.put(key, await contentOf(store, other));
        expect(await codeOf(world.restore('latest'))).toBe('SOMBRA_ARCHIVE_DAMAGED');
      }
      await store.put(key, bytes);
    }
    await world.expectAt(life.lsn);
    life.close();
  });

  test('another database, and a database that went on elsewhere, in the same archive', async () => {
    const world = await archived();
    const { vfs, life, archive } = world;
    vfs.mkdir('other');
    const other = new GraphLife(vfs, 'other/graph.db', 9);
    other.write();
    // A new database has timeline 1, too.
    expect(await codeOf(archive.run(other.pager))).toBe('SOMBRA_ARCHIVE_GAP');
    expect(await codeOf(archive.run(other.pager, { name: 'other' }))).toBe('no error');
    other.close();
    await world.expectAt(life.lsn);
    life.close();
  });

  test('a log that does not go on from the archive, unless a gap is accepted', async () => {
    const world = await archived();
    const { life, archive, backups } = world;
    const last = life.lsn;
    life.pager.endArchive();
    for (let i = 0; i < 20; i += 1) world.commit(8);
    life.pager.checkpoint();
    world.commit();
    expect(await codeOf(archive.run(life.pager))).toBe('SOMBRA_ARCHIVE_GAP');
    await archive.run(life.pager, { afterGap: 'begin' });
    expect(await codeOf(world.restore('latest'))).toBe('SOMBRA_ARCHIVE_GAP');
    await world.expectAt(last);
    await backups.run(life.pager);
    world.commit();
    await archive.run(life.pager);
    await world.expectAt(life.lsn, 'latest');
    const ranges = await archive.verify();
    expect(ranges.map(({ error }) => error?.code)).toEqual(['SOMBRA_ARCHIVE_GAP', undefined]);
    life.close();
  });

  test('a second archiver; and one that lost its archive to another one ends', async () => {
    const world = await World.create(1);
    const { life, archive, vfs } = world;
    const events: ArchiveEvent[] = [];
    const running = await archive.start(life.pager, { archiveIntervalMs: 5, onEvent: (event) => events.push(event) });
    expect(await codeOf(archive.run(life.pager))).toBe('SOMBRA_ARCHIVE_RUNNING');
    await running.flush();
    world.commit();
    expect(running.stats()).toMatchObject({ failures: 0 });
    await running.stop();
    expect(running.stats()).toMatchObject({ lsn: life.lsn, lagBytes: 0, lagMs: 0 });
    expect(events.some(({ kind }) => kind === 'archived')).toBe(true);
    await archive.run(life.pager);
    expect(await codeOf(running.flush())).toBe('SOMBRA_CLOSED');
    expect(vfs.list('data').some((name) => name.endsWith('-archive'))).toBe(true);
    life.close();
  });
});

test('an archive that began without a log has the commits of connections that are gone before its next pass', async () => {
  const world = await World.create(4);
  const { life, archive, backups } = world;
  life.reopen(); // a database that was closed has no log
  await archive.run(life.pager);
  await backups.run(life.pager);
  const base = life.lsn;
  for (let i = 0; i < 4; i += 1) {
    world.commit();
    life.reopen();
  }
  expect(await archive.run(life.pager)).toMatchObject({ lsn: life.lsn });
  for (let lsn = base; lsn <= life.lsn; lsn += 1) await world.expectAt(lsn);
  expect(await archive.verify()).toMatchObject([{ before: base, last: life.lsn, error: undefined }]);

  life.pager.endArchive();
  world.commit();
  life.reopen();
  expect(await codeOf(archive.run(life.pager))).toBe('SOMBRA_ARCHIVE_GAP');
  expect(life.pager.archivedThrough()).toBe(Infinity); // what was refused keeps no log
  // Begun again, without a log: what is committed from here on is kept for it.
  await archive.run(life.pager, { afterGap: 'begin' });
  await backups.run(life.pager);
  const again = life.lsn;
  for (let i = 0; i < 3; i += 1) {
    world.commit();
    life.reopen();
  }
  expect(await archive.run(life.pager, { afterGap: 'begin' })).toMatchObject({ lsn: life.lsn });
  for (let lsn = again; lsn <= life.lsn; lsn += 1) await world.expectAt(lsn);
  life.close();
});

describe('a database that is opened and closed without a commit', () => {
  test('leaves segments that a restore goes through, by commit and by time', async () => {
    const world = await World.create(6);
    const { life, archive, backups, times } = world;
    await archive.run(life.pager);
    await backups.run(life.pager);
    const base = life.lsn;
    const reopen = async (): Promise<void> => {
      for (let i = 0; i < 3; i += 1) {
        life.reopen();
        await archive.run(life.pager);
      }
    };
    await reopen();
    world.commit();
    await archive.run(life.pager);
    await reopen();
    world.now += 100_000;
    world.commit();
    await archive.run(life.pager);
    await reopen();
    for (let lsn = base; lsn <= life.lsn; lsn += 1) {
      await world.expectAt(lsn);
      await world.expectAt(lsn, new Date(times.get(lsn)!));
    }
    await world.expectAt(base + 1, new Date(world.now - 1));
    await world.expectAt(life.lsn, 'latest');
    const plan = await backups.restore('latest', 'planned.db', { at: base, dryRun: true });
    expect(plan.log).toBeUndefined();
    const { log } = await backups.restore('latest', 'planned.db', { at: base + 1, dryRun: true });
    expect(log?.newestTime).toBe(new Date(world.now).toISOString());
    life.close();
  });
});

/** Copies a file as it is. */
function copyFile(vfs: MemoryVfs, from: string, to: string): void {
  const source = vfs.open(from, { write: false });
  const bytes = new Uint8Array(source.stat().size);
  source.pread(bytes, 0);
  source.close();
  if (vfs.stat(to) !== null) vfs.unlink(to);
  const target = vfs.open(to, { write: true, create: true });
  target.pwrite([bytes], 0);
  target.close();
}

test('an older file that was put back under an archive is refused, and loses nothing of its log', async () => {
  const world = await World.create(7);
  const { life, archive, vfs } = world;
  await archive.run(life.pager);
  life.close();
  copyFile(vfs, 'data/graph.db', 'older.db');
  life.reopen();
  for (let i = 0; i < 20; i += 1) world.commit(6);
  await archive.run(life.pager);
  life.close();
  copyFile(vfs, 'older.db', 'data/graph.db');
  for (const name of vfs.list('data')) if (/-wal$/.test(name)) vfs.unlink(`data/${name}`);
  const again = new GraphLife(vfs, 'data/graph.db', 8);
  expect(await codeOf(archive.run(again.pager))).toBe('SOMBRA_ARCHIVE_GAP');
  for (let i = 0; i < 40; i += 1) {
    again.write(6);
    if (i % 10 === 0) expect(await codeOf(archive.run(again.pager))).toBe('SOMBRA_ARCHIVE_GAP');
  }
  again.close();
});

test('what a killed load left is no damage; a load whose pages are gone is never told as archived', async () => {
  const world = await World.create(8);
  const { life, archive, backups, vfs } = world;
  world.index(); // before the archive: its pages are in the backup
  world.index();
  await archive.run(life.pager);
  await backups.run(life.pager);
  const next = life.lsn + 1;
  vfs.open(placedPath('data/graph.db', next), { write: true, create: true }).close();
  world.commit();
  await archive.run(life.pager);
  await world.expectAt(next);
  expect(vfs.stat(placedPath('data/graph.db', next))).not.toBeNull();
  await archive.run(life.pager);
  expect(vfs.stat(placedPath('data/graph.db', next))).toBeNull();
  expect(await archive.verify()).toMatchObject([{ last: next, error: undefined }]);
  world.index();
  const [placed] = vfs.list('data').filter((name) => name.endsWith('-pages'));
  vfs.unlink(`data/${placed}`); // by another archive
  expect(await codeOf(archive.run(life.pager))).toBe('SOMBRA_ARCHIVE_GAP');
  expect((await archive.list())[0]!.last).toBe(next);
  life.close();
});

test('pages of a load that are damaged are told, also when an archive has nothing yet', async () => {
  const world = await World.create(11);
  const { life, archive, vfs } = world;
  life.pager.markArchived(0);
  world.index();
  const path = placedPath('data/graph.db', life.lsn);
  const file = vfs.open(path, { write: true });
  file.pwrite([Uint8Array.of(0xff, 0xff, 0xff)], 700);
  file.close();
  expect(await codeOf(archive.run(life.pager))).toBe('SOMBRA_PAGE_CHECKSUM');
  expect(await world.keys('.tail')).toEqual([]);
  expect(vfs.stat(path)).not.toBeNull();
  life.close();
});

test('pages of a load that was lost with the log go, and are never those of another commit with its number', async () => {
  const world = await World.create(12);
  const { life, archive, vfs } = world;
  await archive.run(life.pager);
  const before = life.pager.logEnd().identity.timeline;
  world.index(); // its pages wait
  const path = placedPath('data/graph.db', life.lsn);
  expect(vfs.stat(path)).not.toBeNull();
  // A kill, and somebody removes the log.
  const left = new MemoryVfs();
  left.mkdir('data');
  for (const name of vfs.list('data').filter((each) => !/-(wal|shm)$/.test(each))) {
    const source = vfs.open(`data/${name}`, { write: false });
    const bytes = new Uint8Array(source.stat().size);
    source.pread(bytes, 0);
    source.close();
    const target = left.open(`data/${name}`, { write: true, create: true });
    if (bytes.length > 0) target.pwrite([bytes], 0);
    target.close();
  }
  const again = new GraphLife(left, 'data/graph.db', 13);
  while (!again.states.has(life.lsn)) again.write();
  const second = await openLogArchive(await openObjectStore('second', { vfs: left }), { vfs: left });
  await second.run(again.pager);
  const { timeline } = again.pager.logEnd().identity;
  expect(timeline).not.toBe(before);
  expect(left.stat(path)).toBeNull();
  expect(await second.list()).toMatchObject([{ timeline, loads: 0 }]);
  expect(await second.verify()).toMatchObject([{ timeline, error: undefined }]);
  again.close();
  life.close();
});

test('an archive that was ended beside an archiver ends that archiver', async () => {
  const world = await World.create(9);
  const { life, archive } = world;
  const events: ArchiveEvent[] = [];
  const running = await archive.start(life.pager, {
    archiveIntervalMs: 3_600_000,
    onEvent: (event) => events.push(event),
  });
  await running.flush();
  life.pager.endArchive();
  world.commit();
  expect(await codeOf(running.flush())).toBe('SOMBRA_ARCHIVE_GAP');
  expect(events.map(({ kind }) => kind)).toEqual(['archived', 'ended']);
  expect(life.pager.archivedThrough()).toBe(Infinity);
  await running.stop();
  life.close();
});

test('flushes that are asked for at once, and the end, archive one after the other', async () => {
  const world = await World.create(2);
  const { life, archive } = world;
  const events: ArchiveEvent[] = [];
  const running = await archive.start(life.pager, { archiveIntervalMs: 1, onEvent: (event) => events.push(event) });
  for (let round = 0; round < 5; round += 1) {
    world.commit();
    await Promise.all([running.flush(), running.flush(), running.flush()]);
    expect(running.stats()).toMatchObject({ lsn: life.lsn, lagBytes: 0 });
  }
  world.commit();
  const flushed = running.flush();
  await running.stop();
  await flushed;
  // Two passes at once would both store the same commits.
  const lsns = events.flatMap((event) => (event.kind === 'archived' ? [event.pass.lsn] : []));
  expect(lsns).toEqual([...new Set(lsns)]);
  expect(lsns.at(-1)).toBe(life.lsn);
  expect((await archive.verify()).map(({ error }) => error)).toEqual([undefined]);
  life.close();
});

test('a pass that was asked for waits for another connection that writes', async () => {
  const world = await World.create(3, { syncMode: 'normal' });
  const { life, archive, vfs } = world;
  const beside = Pager.open({ ...TINY, vfs, path: life.path, syncMode: 'normal', busyTimeoutMs: 0 });
  await archive.run(beside);
  // A commit that is not durable yet, and a transaction behind it that goes on for a while.
  const writes = async (asked: () => Promise<unknown>): Promise<void> => {
    world.commit();
    const tx = life.graph.begin();
    tx.addNode('Person', {});
    expect(() => beside.logEnd({ waitMs: 0 })).toThrow(/./);
    const done = asked();
    await new Promise((resolve) => setTimeout(resolve, 50));
    tx.commit();
    await done;
    const [range] = await archive.verify();
    expect(range).toMatchObject({ error: undefined });
    expect(range!.last).toBeGreaterThanOrEqual(life.lsn - 1);
  };
  await writes(() => archive.run(beside));
  const running = await archive.start(beside, { archiveIntervalMs: 60_000 });
  await running.flush();
  await writes(() => running.flush());
  await writes(() => running.stop());
  beside.close();
  life.close();
});

test('a restored database has an archive of its own, beside the one that it came from', async () => {
  const world = await archived();
  const { vfs, life, archive, backups, base } = world;
  await backups.restore('latest', 'data/again.db', { at: base + 1 });
  const again = new GraphLife(vfs, 'data/again.db', 5);
  again.write();
  await archive.run(again.pager, { name: 'graph' });
  await backups.run(again.pager, { name: 'graph' });
  again.write();
  await archive.run(again.pager, { name: 'graph' });
  expect((await archive.list()).length).toBe(2);
  const path = 'third.db';
  await backups.restore('latest', path, { at: 'latest' });
  expect(examine(vfs, path)).toEqual({ lsn: again.lsn, digest: again.states.get(again.lsn), problems: [] });
  // The timeline that it left is still there.
  const [first] = (await backups.list()).backups;
  await world.expectAt(life.lsn, 'latest', first!.id);
  again.close();
  life.close();
});

test('a time is one of the history that the database had then', async () => {
  const world = await World.create(10);
  const { vfs, life, archive, backups } = world;
  await archive.run(life.pager);
  await backups.run(life.pager);
  const base = life.lsn;
  for (let i = 0; i < 4; i += 1) world.commit();
  await archive.run(life.pager);
  const wanted = world.times.get(base + 2)!;
  // It is restored to a commit before, goes on, and is backed up: that backup says an earlier time, too.
  world.now += 100_000;
  await backups.restore('latest', 'data/again.db', { at: base + 1 });
  const again = new GraphLife(vfs, 'data/again.db', 5);
  await archive.run(again.pager, { name: 'graph' });
  await backups.run(again.pager, { name: 'graph' });
  world.now += 1000;
  again.write();
  await archive.run(again.pager, { name: 'graph' });
  await world.expectAt(base + 2, new Date(wanted));
  again.close();
  life.close();
});

test('a dry run says what would be used and what would be left out, and writes nothing', async () => {
  const world = await archived();
  const { life, backups, vfs, base } = world;
  const plan = await backups.restore('latest', 'planned.db', { at: base + 2, dryRun: true });
  expect(plan).toMatchObject({
    lsn: base + 2,
    timeline: undefined,
    log: { commits: 2, newestLsn: life.lsn, leftOut: life.lsn - base - 2 },
  });
  expect(vfs.stat('planned.db')).toBeNull();
  life.close();
});

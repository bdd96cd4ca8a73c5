// Goal: a backup is one commit, whole, and restores to exactly that; what is damaged, mixed, missing or of a newer release is told by a typed error and restores
// nothing; nothing that is there is ever harmed. Method: graphs in memory and in real folders beside digests of each commit; repositories whose objects
// are damaged one by one.
import { readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Pager } from '@sombra/pager';
import { MemoryVfs, NodeVfs } from '@sombra/vfs';
import type { DiskSpace } from '@sombra/vfs';
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { openBackups, openObjectStore } from '../src/index.ts';
import type { Backups, BackupProgress, RestoreProgress } from '../src/index.ts';
import { folder } from './support/folder.ts';
import { examine, GraphLife } from './support/graphs.ts';
import { codeOf, contentOf, keysOf } from './support/objects.ts';

const DAY = 86_400_000;
const FIRST = Date.parse('2026-12-01T02:00:00.000Z');

/** A memory file system whose time of day is told. */
class ClockVfs extends MemoryVfs {
  private now = FIRST;
  constructor() {
    super();
    this.env.wallTimeMs = () => this.now;
  }
  set time(ms: number) {
    this.now = ms;
  }
  get time(): number {
    return this.now;
  }
}

function copyFile(from: ClockVfs, path: string, to: ClockVfs): void {
  const source = from.open(path, { write: false });
  const bytes = new Uint8Array(source.stat().size);
  source.pread(bytes, 0);
  source.close();
  const target = to.open(path, { write: true, create: true });
  target.pwrite([bytes], 0);
  target.close();
}

interface World {
  readonly vfs: ClockVfs;
  readonly life: GraphLife;
  readonly backups: Backups;
}

/** The database lies in one folder, the repository in another one. */
async function world(seed = 1, options: ConstructorParameters<typeof GraphLife>[3] = {}): Promise<World> {
  const vfs = new ClockVfs();
  vfs.mkdir('data');
  const life = new GraphLife(vfs, 'data/graph.db', seed, options);
  for (let i = 0; i < 5; i += 1) life.write();
  return { vfs, life, backups: await openBackups('repository', { vfs }) };
}

async function expectRestores({ vfs, life, backups }: World, id: string, lsn: number): Promise<void> {
  const path = `restored-${life.random.below(2 ** 40)}.db`;
  const result = await backups.restore(id, path);
  expect(result).toMatchObject({ lsn, path });
  expect(examine(vfs, path)).toEqual({ lsn, digest: life.states.get(lsn), problems: [] });
}

describe('a backup', () => {
  test('has names that scripts find, opens as it is, and restores to its commit', async () => {
    const { vfs, life, backups, ...rest } = await world();
    const { lsn } = life;
    const result = await backups.run(life.pager);
    expect(result).toMatchObject({ id: 'graph-20261201T020000Z', kind: 'full', base: null, lsn, verified: true });
    const store = await openObjectStore('repository', { vfs });
    expect(await keysOf(store)).toEqual(['backup.lock', 'graph-20261201T020000Z.db.gz', 'graph-20261201T020000Z.json']);
    life.write();
    await expectRestores({ vfs, life, backups, ...rest }, result.id, lsn);
    // gunzip -c > unpacked.db
    const file = vfs.open('unpacked.db', { write: true, create: true });
    file.pwrite([gunzipSync(await contentOf(store, `${result.id}.db.gz`))], 0);
    file.close();
    expect(examine(vfs, 'unpacked.db')).toEqual({ lsn, digest: life.states.get(lsn), problems: [] });
    life.close();
  });

  test('is one commit while writes go on, with and without compression, and tells how far it is', async () => {
    const one = await world(2);
    for (const compression of ['none', 'gzip'] as const) {
      const { lsn } = one.life;
      const seen: BackupProgress[] = [];
      const { id, manifest } = await one.backups.run(one.life.pager, {
        compression,
        onProgress(progress) {
          seen.push(progress);
          one.life.write(2);
        },
      });
      expect(seen.filter(({ phase }) => phase === 'copy').at(-1)).toMatchObject({ totalBytes: seen[0]!.totalBytes });
      expect(seen.filter(({ phase }) => phase === 'verify').at(-1)?.doneBytes).toBe(manifest!.parts[0]!.rawSize);
      expect(one.life.lsn).toBeGreaterThan(lsn);
      const restoring: RestoreProgress[] = [];
      await one.backups.restore(id, `p-${compression}.db`, { onProgress: (progress) => restoring.push(progress) });
      expect(restoring.at(-1)!.doneBytes).toBe(restoring[0]!.totalBytes);
      await expectRestores(one, id, lsn);
    }
    one.life.close();
  });

  test.runIf(process.versions.node.startsWith('20.'))('with zstd is refused where Node has none', async () => {
    const { life, backups } = await world();
    expect(await codeOf(backups.run(life.pager, { compression: 'zstd' }))).toBe('SOMBRA_COMPRESSION');
    life.close();
  });

  test('made twice within a second, or with the clock gone back, gets an id of its own, and the newest one stays the latest', async () => {
    const one = await world(3);
    const ids: string[] = [];
    for (const time of [FIRST, FIRST, FIRST + 999, FIRST - 30 * DAY, FIRST - 30 * DAY]) {
      one.vfs.time = time;
      one.life.write();
      ids.push((await one.backups.run(one.life.pager)).id);
    }
    expect(ids).toEqual([
      'graph-20261201T020000Z',
      'graph-20261201T020000Z-2',
      'graph-20261201T020000Z-3',
      'graph-20261101T020000Z',
      'graph-20261101T020000Z-2',
    ]);
    const { backups } = await one.backups.list();
    expect(backups.map(({ id, sequence }) => [id, sequence])).toEqual(ids.map((id, at) => [id, at + 1]));
    await expectRestores(one, 'latest', one.life.lsn);
    one.life.close();
  });

  test('only says what it would do with dryRun', async () => {
    const { vfs, life, backups } = await world();
    const before = vfs.list('.');
    expect(await backups.run(life.pager, { dryRun: true })).toMatchObject({ kind: 'full', manifest: undefined });
    expect(vfs.list('.')).toEqual(before);
    const { id } = await backups.run(life.pager);
    expect(await backups.restore(id, 'x.db', { dryRun: true })).toMatchObject({ timeline: undefined, backups: [id] });
    expect(vfs.stat('x.db')).toBeNull();
    life.close();
  });
});

describe('incremental backups', () => {
  test.each(seeds(12))('restore to the commit of each, whatever happens in between, seed %i', async (seed) => {
    const one = await world(seed, { syncMode: seed % 2 === 0 ? 'normal' : 'full' });
    const { life, backups, vfs } = one;
    const made: { id: string; lsn: number; kind: string }[] = [];
    for (let round = 0; round < 7; round += 1) {
      vfs.time += 3_600_000;
      const { lsn } = life;
      const { id, kind } = await backups.run(life.pager, {
        incremental: true,
        maxChain: 4,
        compression: life.random.pick(['none', 'gzip'] as const),
        onProgress: () => life.random.chance(0.3) && life.write(2),
      });
      made.push({ id, lsn, kind });
      for (let left = life.random.below(6); left > 0; left -= 1) life.write(1 + life.random.below(8));
      if (life.random.chance(0.3)) life.pager.checkpoint();
      if (life.random.chance(0.3)) life.reopen();
    }
    expect(made.map(({ kind }) => kind[0]).join('')).toBe('fiiiifi');
    for (const { id, lsn } of made) await expectRestores(one, id, lsn);
    expect((await backups.verify()).map(({ error }) => error)).toEqual(made.map(() => undefined));
    life.close();
  });

  test('are made full, and say why, where they could not follow', async () => {
    const one = await world(4);
    const { life, backups, vfs } = one;
    const why = async (source: Pager, options = {}): Promise<unknown> =>
      (await backups.run(source, { incremental: true, ...options })).fullBecause;
    expect(await why(life.pager)).toBe('first');
    expect(await why(life.pager)).toBeUndefined();
    expect(await why(life.pager, { maxChain: 1 })).toBe('chain-length');
    life.write();
    expect(await why(life.pager)).toBeUndefined();
    // Restored: the same database on another timeline.
    await backups.restore('latest', 'data/restored.db');
    const restored = Pager.open({ vfs, path: 'data/restored.db' });
    expect(await why(restored, { name: 'graph' })).toBe('other-timeline');
    restored.close();
    expect(await why(life.pager)).toBe('other-timeline');
    const key = (await backups.list()).backups.at(-1)!.parts[0]!.key;
    vfs.unlink(`repository/${key}`);
    expect(await why(life.pager)).toBe('base-unreadable');
    life.close();
  });

  test('do not follow a history that was lost with the log', async () => {
    const one = await world(5);
    const { backups, vfs } = one;
    one.life.close();
    const before = vfs.open('data/graph.db', { write: false });
    const bytes = new Uint8Array(before.stat().size);
    before.pread(bytes, 0);
    before.close();
    const life = new GraphLife(vfs, 'data/graph.db', 76);
    const copied = life.lsn;
    life.write();
    await backups.run(life.pager);
    const { lsn } = life;
    // The guide's own restore: an older file over the database, which was closed when it was copied.
    life.close();
    const file = vfs.open('data/graph.db', { write: true });
    file.truncate(0);
    file.pwrite([bytes], 0);
    file.close();
    const again = new GraphLife(vfs, 'data/graph.db', 77);
    expect(again.lsn).toBe(copied);
    while (again.lsn <= lsn) again.write();
    const result = await backups.run(again.pager, { incremental: true });
    expect(result).toMatchObject({ kind: 'full', fullBecause: 'history-lost' });
    again.close();
  });

  test('do not follow commits that were lost with the log, however far the database has gone on since', async () => {
    const one = await world(5);
    const { life, backups, vfs } = one;
    life.pager.checkpoint();
    const copied = life.lsn;
    life.write();
    await backups.run(life.pager);
    // The machine loses its power, and somebody removes what looks left over.
    const left = new ClockVfs();
    left.mkdir('data');
    for (const name of vfs.list('data').filter((each) => !/-wal$/.test(each))) copyFile(vfs, `data/${name}`, left);
    const again = new GraphLife(left, 'data/graph.db', 77);
    expect(again.lsn).toBe(copied);
    const segments = again.pager.logEnd().position?.seq ?? 0;
    while ((again.pager.logEnd().position?.seq ?? 0) < segments + 5) again.write(20);
    left.time = vfs.time + DAY;
    const result = await (await openBackups('repository', { vfs })).run(again.pager, { incremental: true });
    expect(result).toMatchObject({ kind: 'full', fullBecause: 'other-timeline' });
    again.close();
    life.close();
  });
});

describe('one repository', () => {
  test('holds several databases under their names, and never two under one', async () => {
    const one = await world(6);
    const other = new GraphLife(one.vfs, 'data/other.db', 9);
    other.write();
    await one.backups.run(one.life.pager);
    await one.backups.run(other.pager);
    expect((await one.backups.list()).backups.map(({ name }) => name)).toEqual(['graph', 'other']);
    expect(await codeOf(one.backups.restore('latest', 'x.db'))).toBe('SOMBRA_OPTION');
    expect(await one.backups.restore('latest', 'x.db', { name: 'other' })).toMatchObject({ lsn: other.lsn });
    const before = await keysOf(await openObjectStore('repository', { vfs: one.vfs }));
    expect(await codeOf(one.backups.run(other.pager, { name: 'graph' }))).toBe('SOMBRA_BACKUP_OTHER_DATABASE');
    expect(await keysOf(await openObjectStore('repository', { vfs: one.vfs }))).toEqual(before);
    other.close();
    one.life.close();
  });

  test('is not in the folder of the database, unless that is allowed', async () => {
    const { vfs, life } = await world(7);
    vfs.mkdir('data/inside');
    for (const place of ['data', 'data/inside', 'data/inside/not-there']) {
      const backups = await openBackups(place, { vfs });
      const before = vfs.list('data');
      expect(await codeOf(backups.run(life.pager)), place).toBe('SOMBRA_BACKUP_SAME_FOLDER');
      expect(vfs.list('data')).toEqual(before);
    }
    const backups = await openBackups('data/inside', { vfs });
    await backups.run(life.pager, { allowSameFolder: true });
    expect((await backups.list()).backups).toHaveLength(1);
    life.close();
  });

  test('in real folders: relative paths and symbolic links lead to the same place', async () => {
    const root = folder();
    const vfs = new NodeVfs();
    vfs.mkdir(join(root, 'data'));
    const life = new GraphLife(vfs, join(root, 'data', 'g.db'), 1);
    life.write();
    symlinkSync(join(root, 'data'), join(root, 'link'));
    for (const place of [
      join(root, 'data'),
      join(root, 'link'),
      join(root, 'link', 'b'),
      join(root, 'x', '..', 'data'),
    ]) {
      const code = await codeOf((await openBackups(place)).run(life.pager));
      expect(code, place).toBe('SOMBRA_BACKUP_SAME_FOLDER');
    }
    const backups = await openBackups(join(root, 'backups'));
    const { id } = await backups.run(life.pager);
    expect(statSync(join(root, 'backups', `${id}.db.gz`)).mode & 0o777).toBe(0o600);
    expect(await backups.test(id, { folder: root })).toMatchObject({ isClean: true, lsn: life.lsn });
    expect(readdirSync(root).sort()).toEqual(['backups', 'data', 'link']);
    life.close();
  });

  test('is changed by one run at a time, and a dead one is taken over', async () => {
    const one = await world(8);
    const { vfs, life, backups } = one;
    let during: unknown;
    await backups.run(life.pager, {
      onProgress() {
        during ??= codeOf(openBackups('repository', { vfs }).then((other) => other.run(life.pager)));
      },
    });
    expect(await during).toBe('SOMBRA_BACKUP_RUNNING');
    const store = await openObjectStore('repository', { vfs });
    const released = JSON.parse(Buffer.from(await contentOf(store, 'backup.lock')).toString()) as Record<
      string,
      unknown
    >;
    expect(released['released']).toBe(true);
    const held = { ...released, released: false };
    const cases: [Record<string, unknown>, string][] = [
      [{ ...held, host: 'elsewhere', pid: 1, renewed: new Date(vfs.time).toISOString() }, 'SOMBRA_BACKUP_RUNNING'],
      [{ ...held, host: 'elsewhere', pid: 1, renewed: new Date(vfs.time - 11 * 60_000).toISOString() }, 'no error'],
      // A process that is gone.
      [{ ...held, pid: 2 ** 22 + 1, renewed: new Date(vfs.time).toISOString() }, 'no error'],
      [{ something: 'else' }, 'no error'],
    ];
    for (const [content, code] of cases) {
      await store.put('backup.lock', Buffer.from(JSON.stringify(content)));
      expect(await codeOf(backups.run(life.pager)), JSON.stringify(content)).toBe(code);
    }
    await store.put('backup.lock', Buffer.from('{ torn'));
    expect(await codeOf(backups.prune({ retentionDays: 1 }))).toBe('no error');
    life.close();
  });

  test('whose lock was taken over meanwhile publishes nothing', async () => {
    const one = await world(9);
    const store = await openObjectStore('repository', { vfs: one.vfs });
    let taken: Promise<unknown> | undefined;
    const run = one.backups.run(one.life.pager, {
      async onProgress() {
        taken ??= store.put(
          'backup.lock',
          Buffer.from(
            JSON.stringify({
              owner: 'x',
              host: 'elsewhere',
              pid: 5,
              process: '',
              started: '',
              renewed: '',
              released: false,
            }),
          ),
        );
        await taken;
      },
    });
    expect(await codeOf(run)).toBe('SOMBRA_BACKUP_RUNNING');
    expect(await keysOf(store)).toEqual(['backup.lock']);
    one.life.close();
  });
});

describe('what is not whole', () => {
  test.each(seeds(60))('is told by verify and restores nothing, seed %i', async (seed) => {
    const one = await world(1 + (seed % 4));
    const { vfs, life, backups } = one;
    const random = new Random(seed);
    const compression = random.pick(['none', 'gzip'] as const);
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      ids.push((await backups.run(life.pager, { compression, incremental: true })).id);
      life.write();
    }
    const store = await openObjectStore('repository', { vfs });
    const objects = (await keysOf(store)).filter((key) => key !== 'backup.lock');
    const key = random.pick(objects);
    const bytes = Buffer.from(await contentOf(store, key));
    const at = random.below(bytes.length);
    let wrong: Buffer | undefined = Buffer.from(bytes);
    switch (seed % 6) {
      case 0:
        wrong[at]! ^= 1 << random.below(8);
        break;
      case 1:
        wrong = bytes.subarray(0, at);
        break;
      case 2:
        wrong = Buffer.concat([bytes, random.bytes(1 + random.below(100))]);
        break;
      case 3:
        wrong = undefined;
        break;
      case 4:
        wrong = Buffer.from(await contentOf(store, random.pick(objects.filter((other) => other !== key))));
        break;
      default:
        wrong = Buffer.from(random.bytes(bytes.length));
    }
    if (wrong === undefined) await store.delete(key);
    else await store.put(key, wrong);
    life.close();
    const before = vfs.list('.');
    const verified = await backups.verify();
    const bad = verified.filter(({ error }) => error !== undefined).map(({ id }) => id);
    const isManifest = key.endsWith('.json');
    // A manifest that is gone is no backup any more; those that follow it say so.
    if (!(isManifest && wrong === undefined && key === `${ids[2]!}.json`)) expect(bad.length, key).toBeGreaterThan(0);
    for (const id of ids) {
      const code = await codeOf(backups.restore(id, `${id}.restored`));
      const isGood = verified.some((entry) => entry.id === id && entry.error === undefined);
      if (isGood) expect(code, `${id} of ${key}`).toBe('no error');
      else expect(code, `${id} of ${key}`).toMatch(/^SOMBRA_BACKUP_(DAMAGED|CHAIN|MANIFEST|NOT_FOUND)$/);
      if (isGood) expect(examine(vfs, `${id}.restored`).problems).toEqual([]);
      else expect(vfs.list('.')).not.toContain(`${id}.restored`);
    }
    expect(vfs.list('.').filter((name) => name.includes('.tmp-'))).toEqual([]);
    expect(before.filter((name) => !vfs.list('.').includes(name))).toEqual([]);
  });

  test('and a manifest of a newer release stop prune and latest', async () => {
    const one = await world(2);
    const { vfs, life, backups } = one;
    await backups.run(life.pager);
    vfs.time += 10 * DAY;
    await backups.run(life.pager);
    const store = await openObjectStore('repository', { vfs });
    await store.put('graph-20270101T000000Z.json', Buffer.from('{"format":2,"everything":"else"}'));
    const { unreadable } = await backups.list();
    expect(unreadable.map(({ id, error }) => [id, error.code])).toEqual([
      ['graph-20270101T000000Z', 'SOMBRA_BACKUP_FORMAT'],
    ]);
    expect(await codeOf(backups.prune({ retentionDays: 1 }))).toBe('SOMBRA_BACKUP_UNREADABLE');
    expect(await codeOf(backups.restore('latest', 'x.db'))).toBe('SOMBRA_BACKUP_FORMAT');
    expect(await codeOf(backups.restore('graph-20270101T000000Z', 'x.db'))).toBe('SOMBRA_BACKUP_FORMAT');
    expect((await backups.list()).backups).toHaveLength(2);
    life.close();
  });
});

describe('restoring', () => {
  test('never goes over a file, open or not, nor where there is no room', async () => {
    const { life, backups, vfs } = await world(3);
    const { id } = await backups.run(life.pager);
    expect(await codeOf(backups.restore(id, 'data/graph.db'))).toBe('SOMBRA_FILE_EXISTS');
    expect(await codeOf(backups.restore(id, 'data/graph.db', { dryRun: true }))).toBe('SOMBRA_FILE_EXISTS');
    life.write();
    expect(await codeOf(backups.restore(id, ''))).toBe('SOMBRA_OPTION');
    expect(await codeOf(backups.restore('graph-x', 'x.db'))).toBe('SOMBRA_BACKUP_NOT_FOUND');
    const full: DiskSpace = { free: 5000, size: 1e9 };
    Object.assign(vfs, { diskSpace: () => full });
    for (const dryRun of [true, false])
      expect(await codeOf(backups.restore(id, 'x.db', { dryRun }))).toBe('SOMBRA_DISK_FULL');
    expect(await codeOf(backups.run(life.pager, { compression: 'none' }))).toBe('SOMBRA_DISK_FULL');
    expect(vfs.stat('x.db')).toBeNull();
    life.close();
  });
});

describe('prune', () => {
  async function many(incremental: (day: number) => boolean): Promise<World & { ids: string[] }> {
    const one = await world(4);
    const ids: string[] = [];
    for (let day = 0; day < 8; day += 1) {
      one.vfs.time = FIRST + day * DAY;
      ids.push((await one.backups.run(one.life.pager, { incremental: incremental(day) })).id);
      one.life.write();
    }
    return { ...one, ids };
  }

  test('removes what is older, and says before what it would', async () => {
    const { ids, backups, life } = await many(() => false);
    const would = await backups.prune({ retentionDays: 3, dryRun: true });
    expect(would.removed).toEqual(ids.slice(0, 4).reverse());
    expect((await backups.list()).backups).toHaveLength(8);
    expect(await backups.prune({ retentionDays: 3 })).toEqual(would);
    expect((await backups.list()).backups.map(({ id }) => id)).toEqual(ids.slice(4));
    life.close();
  });

  test('keeps the newest whatever its age, and what it needs', async () => {
    const { ids, backups, life, vfs, ...rest } = await many((day) => day % 3 !== 0);
    vfs.time += 1000 * DAY;
    const { kept } = await backups.prune({ retentionDays: 0 });
    expect(kept).toEqual(ids.slice(6));
    await expectRestores({ backups, life, vfs, ...rest }, 'latest', life.lsn - 1);
    life.close();
  });

  test('keeps the base of every one that stays', async () => {
    const { ids, backups, life } = await many((day) => day % 4 !== 0);
    const { kept, removed } = await backups.prune({ retentionDays: 2.5 });
    expect(kept).toEqual(ids.slice(4));
    expect(removed).toEqual(ids.slice(0, 4).reverse());
    for (const { error } of await backups.verify()) expect(error).toBeUndefined();
    life.close();
  });

  test('removes nothing when the newest is damaged', async () => {
    const { ids, life, vfs } = await many(() => false);
    const store = await openObjectStore('repository', { vfs });
    const key = `${ids[7]!}.db.gz`;
    const bytes = Buffer.from(await contentOf(store, key));
    bytes[100]! ^= 1;
    await store.put(key, bytes);
    const fresh = await openBackups('repository', { vfs });
    expect(await codeOf(fresh.prune({ retentionDays: 1 }))).toBe('SOMBRA_BACKUP_DAMAGED');
    expect((await fresh.list()).backups).toHaveLength(8);
    life.close();
  });

  test('removes data of runs that died, after a day, and nothing that it does not know', async () => {
    const { backups, life, vfs } = await world(5);
    await backups.run(life.pager);
    const store = await openObjectStore('repository', { vfs });
    for (const key of ['graph-20250101T000000Z.db.gz', 'graph-20250101T000000Z-7.changes', 'notes.txt', 'graph.db.gz'])
      await store.put(key, Buffer.from(key));
    expect((await backups.prune({ retentionDays: 7 })).swept).toEqual([]);
    vfs.time += 2 * DAY;
    expect((await backups.prune({ retentionDays: 7 })).swept).toHaveLength(2);
    expect(await keysOf(store)).toEqual(expect.arrayContaining(['notes.txt', 'graph.db.gz']));
    expect(await keysOf(store)).toHaveLength(5);
    life.close();
  });
});

describe('the caller', () => {
  test('may abort at any time, which leaves what was there', async () => {
    const { vfs, life, backups } = await world(6);
    const store = await openObjectStore('repository', { vfs });
    let whole = 0;
    for (let after = 0; whole === 0; after += 1) {
      const before = (await keysOf(store)).length;
      const abort = new AbortController();
      let steps = 0;
      // Each time the event loop turns.
      const timer = (): void => void (steps++ === after ? abort.abort() : abort.signal.aborted || setImmediate(timer));
      setImmediate(timer);
      const code = await codeOf(backups.run(life.pager, { compression: 'none', signal: abort.signal }));
      abort.abort();
      if (code === 'no error') whole += 1;
      else {
        expect(code).toBe('SOMBRA_ABORTED');
        const { backups: there } = await backups.list();
        for (const { id } of there) expect((await backups.verify(id)).at(-1)!.error).toBeUndefined();
        expect((await keysOf(store)).filter((key) => key !== 'backup.lock').length).toBeLessThanOrEqual(before + 2);
      }
      expect(life.pager.stats().snapshots).toBe(0);
      if (after > 500) throw new Error('it never came to its end');
    }
    life.close();
  });

  test('may throw in onProgress, which ends it and gives everything back', async () => {
    const { vfs, life, backups } = await world(7);
    const enough = (): never => {
      throw new RangeError('enough');
    };
    await expect(backups.run(life.pager, { onProgress: enough })).rejects.toThrow('enough');
    const { id } = await backups.run(life.pager);
    await expect(backups.restore(id, 'x.db', { onProgress: enough })).rejects.toThrow('enough');
    expect(vfs.list('.').filter((name) => name.startsWith('x.db'))).toEqual([]);
    expect(await keysOf(await openObjectStore('repository', { vfs }))).toHaveLength(3);
    life.close();
  });

  test('gets errors for options that do not exist or make no sense, and after close', async () => {
    const { life, backups } = await world(8);
    for (const options of [
      { name: 'a/b' },
      { name: '' },
      { name: '.x' },
      { compression: 'rar' },
      { bytesPerSecond: 0 },
      { maxChain: -1 },
      { incremantal: true },
    ])
      expect(await codeOf(backups.run(life.pager, options as object)), JSON.stringify(options)).toBe('SOMBRA_OPTION');
    expect(await codeOf(backups.prune({ retentionDays: -1 }))).toBe('SOMBRA_OPTION');
    expect(await codeOf(backups.prune({} as { retentionDays: number }))).toBe('SOMBRA_OPTION');
    backups.close();
    backups.close();
    expect(await codeOf(backups.run(life.pager))).toBe('SOMBRA_CLOSED');
    life.close();
  });

  test('may hold it to a rate', async () => {
    const root = folder();
    const life = new GraphLife(new NodeVfs(), join(root, 'g.db'), 1);
    for (let i = 0; i < 40; i += 1) life.write(20);
    const backups = await openBackups(join(root, 'b'));
    const copy = life.pager.copy();
    const { size } = copy;
    copy.release();
    const begun = performance.now();
    await backups.run(life.pager, { bytesPerSecond: size, allowSameFolder: true });
    // A lower bound is no timing assertion: the rate may not be exceeded.
    expect(performance.now() - begun).toBeGreaterThan(900);
    const abort = new AbortController();
    const run = backups.run(life.pager, { bytesPerSecond: 1, allowSameFolder: true, signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    expect(await codeOf(run)).toBe('SOMBRA_ABORTED');
    life.close();
  });
});

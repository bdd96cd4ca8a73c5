// Goal: `sombra archive` and `sombra restore --at` do what an operator needs: every commit that was acknowledged before a pass that succeeded can be had again,
// however archiver and writer end, and a gap is told. Method: the built commands on real files, beside processes that write; archivers and writers are
// interrupted and killed.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GraphDB } from '@sombra/db';
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, it } from 'vitest';
import { failure, json, sombra, start } from './support/cli.ts';
import type { Running } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { startOwner } from './support/tools.ts';

interface Pass {
  readonly lsn: number;
  readonly time: string | null;
  readonly objects: number;
}

interface Verified {
  readonly good: boolean;
  readonly ranges: { name: string; before: number; last: number; error: { code: string } | null }[];
}

/** A database in a folder of its own, and a place beside it. */
function setUp(): { folder: string; path: string; place: string } {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'data'));
  return { folder, path: join(folder, 'data', 'graph.db'), place: join(folder, 'place') };
}

/** @returns the commit */
function add(path: string, name: string): number {
  const db = GraphDB.open(path);
  try {
    db.addNode('Person', { name });
    return db.lsn;
  } finally {
    db.close();
  }
}

function namesIn(path: string): unknown[] {
  const db = GraphDB.open(path, { readOnly: true });
  try {
    return [...db.nodes()].map(({ properties }) => properties['name']);
  } finally {
    db.close();
  }
}

/** Starts an archiver, with an interval of 50 ms. @returns it, and a wait for an event behind so many others */
function startArchiver(
  path: string,
  place: string,
  ...more: string[]
): Running & { says: (text: string) => Promise<void> } {
  const running = start(['archive', 'start', path, '--to', place, '--interval', '0.05', '--json', ...more]);
  let said = '';
  let wake = (): void => undefined;
  running.process.stdout!.on('data', (text: string) => {
    said += text;
    wake();
  });
  const says = async (text: string): Promise<void> => {
    while (!said.includes(text)) {
      if (running.process.exitCode !== null) throw new Error(`it ended with ${running.process.exitCode}: ${said}`);
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), running.outcome]);
    }
  };
  return { ...running, says };
}

const eventsOf = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('sombra archive', () => {
  it('run, list, verify, prune; restore to a commit, a time, and the newest one', async () => {
    const { folder, path, place } = setUp();
    add(path, 'before');
    expect(await json('archive', 'run', path, '--to', place)).toMatchObject({ path, to: place });
    const backup = (await json('backup', 'run', path, '--to', place)) as { id: string; lsn: number };
    const first = add(path, 'first');
    await delay(20);
    const between = new Date().toISOString();
    await delay(20);
    add(path, 'second');
    const third = add(path, 'third');
    const pass = (await json('archive', 'run', path, '--to', place)) as Pass;
    expect(pass.lsn).toBe(third);
    expect((await sombra(['archive', 'run', path, '--to', place])).stdout).toMatch(
      new RegExp(`archived up to commit ${third} of .*Z, .*\\n$`),
    );
    const restore = async (at: string, ...more: string[]): Promise<unknown> =>
      json('restore', '--from', place, '--to', join(folder, `at-${at.replaceAll(/\W/g, '')}.db`), '--at', at, ...more);
    const leftOut = { newestLsn: third, leftOut: third - first, commits: first - backup.lsn };
    expect(await restore(String(first), '--dry-run')).toMatchObject({
      lsn: first,
      time: null,
      log: leftOut,
      dryRun: true,
    });
    expect(readdirSync(folder).sort()).toEqual(['data', 'place']);
    for (const at of [String(first), between]) {
      expect(await restore(at)).toMatchObject({ id: backup.id, lsn: first, log: leftOut, dryRun: false });
      expect(namesIn(join(folder, `at-${at.replaceAll(/\W/g, '')}.db`))).toEqual(['before', 'first']);
    }
    expect(await restore('latest')).toMatchObject({ lsn: third, time: pass.time, log: { leftOut: 0 } });
    expect(namesIn(join(folder, 'at-latest.db'))).toEqual(['before', 'first', 'second', 'third']);
    const told = await sombra(['restore', '--from', place, '--to', join(folder, 'told.db'), '--at', String(first)]);
    expect(told.stdout).toMatch(
      /\n {2}\d+ commits? applied from \d+ objects? of the archive; 2 later commits left out, up to /,
    );
    expect(await json('restore', '--from', place, '--to', join(folder, 'plain.db'))).toMatchObject({
      lsn: backup.lsn,
      log: null,
    });
    const late = await failure(
      'restore',
      '--from',
      place,
      '--to',
      join(folder, 'x.db'),
      '--at',
      '2999-01-01T00:00:00Z',
    );
    expect([late.code, late.error.code]).toEqual([1, 'SOMBRA_RESTORE_TARGET']);

    expect(await json('archive', 'verify', place)).toMatchObject({
      good: true,
      ranges: [{ name: 'graph', last: third, error: null }],
    });
    expect(await json('archive', 'list', place)).toMatchObject({ archives: [{ name: 'graph', last: third }] });
    expect((await sombra(['archive', 'list', place])).stdout).toContain(`to ${third}`);
    // The only backup needs all of it.
    const kept = (await json('archive', 'prune', place, '--keep-backups', '--dry-run')) as { before: number };
    expect(kept.before).toBe(backup.lsn);
    await json('archive', 'prune', place, '--keep-backups');
    expect(
      await restore('latest', '--dry-run', '--backup', backup.id).catch((error: unknown) => String(error)),
    ).toMatch(/SOMBRA_FILE_EXISTS/);
    await json('restore', '--from', place, '--to', join(folder, 'again.db'), '--at', 'latest');
    expect(namesIn(join(folder, 'again.db'))).toHaveLength(4);
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)('start: %s ends it after a last pass, with %i', async (signal, code) => {
    const { folder, path, place } = setUp();
    add(path, 'before');
    const db = GraphDB.open(path);
    const archiver = startArchiver(path, place);
    db.addNode('Person', { name: 'while it runs' });
    await archiver.says(`"lsn":${db.lsn},`);
    await json('backup', 'run', path, '--to', place);
    for (let i = 0; i < 20; i += 1) db.addNode('Person', { name: `late ${i}` });
    archiver.process.kill(signal);
    const outcome = await archiver.outcome;
    expect([outcome.code, outcome.stderr]).toEqual([code, '']);
    const events = eventsOf(outcome.stdout);
    expect(events.at(-1)).toMatchObject({ event: 'stopped', lsn: db.lsn, lagBytes: 0 });
    expect(events.filter(({ event }) => event === 'archived').length).toBeGreaterThanOrEqual(2);
    await json('restore', '--from', place, '--to', join(folder, 'r.db'), '--at', 'latest');
    expect(namesIn(join(folder, 'r.db'))).toHaveLength(22);
    db.close();
  });

  it('start: a second signal gives up at once, and the next archiver has what was left', async () => {
    const { path, place } = setUp();
    const db = GraphDB.open(path, { syncMode: 'normal' });
    db.addNode('Person', { name: 'first' });
    const archiver = startArchiver(path, place, '--interval', '60');
    await archiver.says(`"lsn":${db.lsn},`);
    db.addNode('Person', { name: 'second' });
    // The last pass has to make that commit durable, and waits for this transaction.
    const tx = db.beginTransaction();
    tx.addNode('Person', { name: 'third' });
    archiver.process.kill('SIGTERM');
    await delay(1000);
    expect(archiver.process.exitCode).toBe(null);
    archiver.process.kill('SIGTERM');
    const { code, stdout, stderr } = await archiver.outcome;
    expect([code, stderr]).toEqual([143, 'interrupted: the last commits may not be archived\n']);
    expect(eventsOf(stdout).map(({ event }) => event)).toEqual(['archived']);
    tx.commit();
    expect(await json('archive', 'run', path, '--to', place)).toMatchObject({ lsn: db.lsn });
    expect(await json('archive', 'verify', place)).toMatchObject({ good: true });
    db.close();
  });

  it('start: says nothing while nothing is committed, a second one is refused, and text is for people', async () => {
    const { path, place } = setUp();
    const lsn = add(path, 'before');
    const db = GraphDB.open(path);
    db.addNode('Person', {});
    const running = start(['archive', 'start', path, '--to', place, '--interval', '0.05']);
    while (!existsSync(join(place, 'log', 'graph', 'archive.lock'))) await delay(20);
    await delay(700);
    const second = await failure('archive', 'start', path, '--to', place);
    expect([second.code, second.error.code]).toEqual([1, 'SOMBRA_ARCHIVE_RUNNING']);
    running.process.kill('SIGTERM');
    const { code, stdout, stderr } = await running.outcome;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(`^commit ${lsn + 1} archived: .* in 1 object\\n.*: stopped, archived up to commit ${lsn + 1}\\n$`),
    );
    db.close();
  });

  it.each(seeds(1))(
    'archiver and writer killed at any moment: no gap, and every commit acknowledged before a pass, seed %i',
    async (seed) => {
      const { folder, path, place } = setUp();
      const random = new Random(seed);
      add(path, 'first');
      await json('archive', 'run', path, '--to', place);
      await json('backup', 'run', path, '--to', place);
      let [seen, kills] = [0, 0];
      for (let round = 0; round < 4; round += 1) {
        const writer = await startOwner('live-writer.mjs', path, '1');
        const archiver = startArchiver(path, place);
        await archiver.says('"archived"');
        await delay(random.below(300));
        const killsWriter = round % 2 === 0;
        if (killsWriter) await writer.kill();
        await delay(random.below(100));
        archiver.process.kill('SIGKILL');
        const { signal } = await archiver.outcome;
        expect(signal).toBe('SIGKILL');
        kills += 1;
        // Acknowledged before a pass that succeeds.
        const acknowledged = Number(writer.lines.at(-1));
        expect(acknowledged).toBeGreaterThan(seen);
        seen = acknowledged;
        await json('archive', 'run', path, '--to', place);
        const { good, ranges } = (await json('archive', 'verify', place)) as Verified;
        expect([good, ranges.length]).toEqual([true, 1]);
        const restored = join(folder, `r${round}.db`);
        await json('restore', '--from', place, '--to', restored, '--at', 'latest');
        const db = GraphDB.open(restored, { readOnly: true });
        expect(db.getNode(acknowledged)?.labels).toEqual(['Tick']);
        expect(db.nodeCount()).toBeGreaterThanOrEqual(acknowledged);
        db.close();
        expect(await json('verify', restored)).toMatchObject({ clean: true });
        if (!killsWriter) await writer.kill();
      }
      expect(kills).toBe(4);
    },
  );

  it('a gap after `archive end`: refused, begun again, told by verify, and gone after prune', async () => {
    const { folder, path, place } = setUp();
    add(path, 'first');
    await json('archive', 'run', path, '--to', place);
    const old = (await json('backup', 'run', path, '--to', place)) as { id: string };
    add(path, 'second');
    await json('archive', 'run', path, '--to', place);
    const asked = await failure('archive', 'end', path);
    expect([asked.code, asked.error.code]).toEqual([1, 'SOMBRA_NOT_CONFIRMED']);
    expect(await json('archive', 'end', path, '--yes')).toEqual({ path, ended: true });
    expect(await json('archive', 'end', path)).toEqual({ path, ended: false });
    for (let i = 0; i < 3; i += 1) add(path, `lost ${i}`); // each close removes the log

    const refused = await failure('archive', 'run', path, '--to', place);
    expect([refused.code, refused.error.code]).toEqual([1, 'SOMBRA_ARCHIVE_GAP']);
    expect(refused.error.message).toContain('--after-gap');
    const archiver = start(['archive', 'start', path, '--to', place, '--json']);
    const ended = await archiver.outcome;
    expect([ended.code, eventsOf(ended.stdout)]).toEqual([
      1,
      [{ event: 'ended', error: expect.objectContaining({ code: 'SOMBRA_ARCHIVE_GAP' }) as unknown }],
    ]);
    expect(ended.stderr).toContain('SOMBRA_ARCHIVE_GAP');

    // The database is closed and has no log: what is committed from here on is kept, and begins the archive again.
    await json('archive', 'run', path, '--to', place, '--after-gap');
    const fresh = (await json('backup', 'run', path, '--to', place)) as { id: string };
    const last = add(path, 'after');
    expect(await json('archive', 'run', path, '--to', place, '--after-gap')).toMatchObject({ lsn: last });
    expect(await json('archive', 'run', path, '--to', place)).toMatchObject({ lsn: last });
    const verified = await sombra(['archive', 'verify', place, '--json']);
    expect(verified.code).toBe(1);
    const { good, ranges } = JSON.parse(verified.stdout) as Verified;
    expect([good, ranges.map(({ error }) => error?.code)]).toEqual([false, ['SOMBRA_ARCHIVE_GAP', undefined]]);
    expect(ranges[1]!.last).toBe(last);
    const shown = await sombra(['archive', 'verify', place, '--name', 'graph']);
    expect([shown.code, shown.stdout]).toEqual([
      1,
      expect.stringMatching(/^✗ graph, timeline .*\n✓ graph, .*\n1 range ended/),
    ]);

    const passing = await failure(
      'restore',
      '--from',
      place,
      '--backup',
      old.id,
      '--to',
      join(folder, 'x.db'),
      '--at',
      'latest',
    );
    expect([passing.code, passing.error.code]).toEqual([1, 'SOMBRA_ARCHIVE_GAP']);
    await json('restore', '--from', place, '--backup', fresh.id, '--to', join(folder, 'r.db'), '--at', 'latest');
    expect(namesIn(join(folder, 'r.db'))).toEqual(['first', 'second', 'lost 0', 'lost 1', 'lost 2', 'after']);

    const { lsn } = (await json('restore', '--from', place, '--to', join(folder, 'y.db'), '--dry-run')) as {
      lsn: number;
    };
    const pruned = await sombra(['archive', 'prune', place, '--before', String(lsn)]);
    expect([pruned.code, pruned.stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`objects? before commit ${lsn} of graph removed`)),
    ]);
    expect(await json('archive', 'verify', place)).toMatchObject({ good: true, ranges: [{ last }] });
    await json('restore', '--from', place, '--to', join(folder, 'z.db'), '--at', String(last));
    expect(namesIn(join(folder, 'z.db'))).toHaveLength(6);
  });

  it('refuses what makes no sense, and says what to do', async () => {
    const { folder, path, place } = setUp();
    add(path, 'first');
    mkdirSync(place);
    const to = ['--to', place];
    const cases: [string[], string, RegExp][] = [
      [['archive', 'run', path], 'SOMBRA_USAGE', /--to/],
      [['archive', 'start', path, ...to, '--interval', '0'], 'SOMBRA_USAGE', /above 0/],
      [['archive', 'start', path, ...to, '--max-lag', 'x'], 'SOMBRA_USAGE', /above 0/],
      [['archive', 'run', path, ...to, '--compression', 'rar'], 'SOMBRA_USAGE', /gzip/],
      [['archive', 'run', path, ...to, '--storage-class', 'X'], 'SOMBRA_USAGE', /s3:/],
      [['archive', 'run', join(folder, 'none.db'), ...to], 'SOMBRA_NOT_FOUND', /does not exist/],
      [['archive', 'verify', place], 'SOMBRA_USAGE', /archive start/],
      [['archive', 'prune', place], 'SOMBRA_USAGE', /--before COMMIT or --keep-backups/],
      [['archive', 'prune', place, '--before', '3', '--keep-backups'], 'SOMBRA_USAGE', /either/],
      [['archive', 'prune', place, '--before', '-1'], 'SOMBRA_USAGE', /commit/],
      [['archive', 'prune', place, '--before', '3'], 'SOMBRA_USAGE', /archive list/],
      ...['2026-12-01', '2026-12-01T12:00:00', 'yesterday', '-3', '1.5', '2026-13-01T00:00:00Z'].map(
        (at): [string[], string, RegExp] => [
          ['restore', '--from', place, '--to', join(folder, 'x.db'), `--at=${at}`],
          'SOMBRA_USAGE',
          /latest, the number of a commit, or a time with its zone/,
        ],
      ),
    ];
    for (const [args, code, text] of cases) {
      const failed = await failure(...args);
      expect([failed.code, failed.error.code], args.join(' ')).toEqual([1, code]);
      expect(failed.error.message).toMatch(text);
    }
    await json('archive', 'run', path, ...to);
    add(path, 'second');
    await json('archive', 'run', path, ...to);
    const bare = await failure('archive', 'prune', place, '--keep-backups');
    expect([bare.code, bare.error.code]).toEqual([1, 'SOMBRA_BACKUP_NOT_FOUND']);
  });
});

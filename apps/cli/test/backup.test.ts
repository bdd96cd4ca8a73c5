// Goal: `sombra backup` and `sombra restore` do what an operator needs, end with the right code, and whatever ends them leaves whole backups. Method: the built
// commands on real files, beside a process that writes; backups are damaged, runs are interrupted and killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { GraphDB } from '@sombra/db';
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, it } from 'vitest';
import { BIN, failure, json, sombra } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

interface Made {
  readonly id: string;
  readonly lsn: number;
  readonly kind: string;
  readonly fullBecause: string | null;
  readonly pruned: { removed: string[]; kept: string[] } | null;
}

/** Runs `work` in a folder of its own. */
async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  await work(temporaryFolder());
}

function fill(path: string, people: number): void {
  const db = GraphDB.open(path);
  db.transaction((tx) => {
    for (let i = 0; i < people; i += 1) tx.addNode('Person', { name: `person ${i}`, notes: 'x'.repeat(500) });
  });
  db.close();
}

function countOf(path: string): number {
  const db = GraphDB.open(path, { readOnly: true });
  const count = db.nodeCount();
  db.close();
  return count;
}

describe('sombra backup', () => {
  it('run, list, verify, test, prune and restore', () =>
    withFolder(async (folder) => {
      const [path, place] = [join(folder, 'data', 'graph.db'), join(folder, 'backups')];
      mkdirSync(join(folder, 'data'));
      fill(path, 200);
      const first = (await json('backup', 'run', path, '--to', place)) as Made;
      expect(first).toMatchObject({ kind: 'full', fullBecause: null, pruned: null });
      expect(
        readdirSync(place)
          .filter((name) => !name.startsWith('.'))
          .sort(),
      ).toEqual(['backup.lock', `${first.id}.db.gz`, `${first.id}.json`]);
      fill(path, 10);
      const second = (await json(
        'backup',
        'run',
        path,
        '--to',
        place,
        '--incremental',
        '--retention-days',
        '7',
      )) as Made;
      expect(second).toMatchObject({ kind: 'incremental', base: first.id, pruned: { removed: [] } });

      expect(await json('backup', 'list', place)).toMatchObject({
        backups: [{ id: first.id }, { id: second.id }],
        unreadable: [],
      });
      expect((await sombra(['backup', 'list', place])).stdout).toContain(second.id);
      expect(await json('backup', 'verify', place)).toMatchObject({ good: true });
      const tested = await sombra(['backup', 'test', place]);
      expect([tested.code, tested.stderr]).toEqual([0, '']);
      expect(tested.stdout).toMatch(/^✓ graph-.* can be restored: 210 nodes/);

      const restored = join(folder, 'restored.db');
      const said = await json('restore', '--from', place, '--to', restored, '--dry-run');
      expect(said).toMatchObject({ id: second.id, backups: [first.id, second.id], dryRun: true, timeline: null });
      expect(existsSync(restored)).toBe(false);
      expect(await json('restore', '--from', place, '--to', restored)).toMatchObject({
        id: second.id,
        lsn: second.lsn,
      });
      expect(countOf(restored)).toBe(210);
      await json('restore', '--from', place, '--backup', first.id, '--to', join(folder, 'older.db'));
      expect(countOf(join(folder, 'older.db'))).toBe(200);
      expect((await failure('restore', '--from', place, '--to', restored)).error.code).toBe('SOMBRA_FILE_EXISTS');

      writeFileSync(join(folder, 'unpacked.db'), gunzipSync(readFileSync(join(place, `${first.id}.db.gz`))));
      expect(await json('verify', join(folder, 'unpacked.db'))).toMatchObject({ clean: true });

      const pruned = await sombra(['backup', 'prune', place, '--retention-days', '0', '--dry-run']);
      expect(pruned.stdout).toBe('2 backups kept\n');
    }));

  it('says why a full backup was made, removes what is old, and only says so with --dry-run', () =>
    withFolder(async (folder) => {
      const [path, place] = [join(folder, 'data', 'graph.db'), join(folder, 'backups')];
      mkdirSync(join(folder, 'data'));
      fill(path, 5);
      const would = await sombra(['backup', 'run', path, '--to', place, '--dry-run']);
      expect(would.stdout).toMatch(/full backup graph-.* of commit \d+ would be made/);
      expect(existsSync(place)).toBe(false);
      const { id } = (await json('backup', 'run', path, '--to', place)) as Made;
      await json('restore', '--from', place, '--to', join(folder, 'moved.db'));
      copyFileSync(join(folder, 'moved.db'), path);
      const { stderr, code } = await sombra([
        'backup',
        'run',
        path,
        '--to',
        place,
        '--incremental',
        '--retention-days',
        '0',
      ]);
      expect([code, stderr]).toEqual([
        0,
        'a full backup was made, because the database was restored since the newest one\n',
      ]);
      expect(existsSync(join(place, `${id}.json`))).toBe(false);
      expect(((await json('backup', 'list', place)) as { backups: unknown[] }).backups).toHaveLength(1);
    }));

  it.each([
    [
      'a flipped byte',
      (file: string): void => {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1]! ^= 1;
        writeFileSync(file, bytes);
      },
    ],
    ['a file cut short', (file: string): void => truncateSync(file, 100)],
  ])('ends with 2 for %s', (_, harm) =>
    withFolder(async (folder) => {
      const [path, place] = [join(folder, 'data', 'graph.db'), join(folder, 'backups')];
      mkdirSync(join(folder, 'data'));
      fill(path, 50);
      const { id } = (await json('backup', 'run', path, '--to', place)) as Made;
      harm(join(place, `${id}.db.gz`));
      const verified = await sombra(['backup', 'verify', place]);
      expect([verified.code, verified.stdout]).toEqual([2, expect.stringMatching(/^✗ graph-.*is damaged/)]);
      for (const command of [
        ['backup', 'test', place],
        ['restore', '--from', place, '--to', join(folder, 'x.db')],
      ]) {
        const { code, error } = await failure(...command);
        expect([code, error.code]).toEqual([2, 'SOMBRA_BACKUP_DAMAGED']);
      }
      expect(readdirSync(folder).sort()).toEqual(['backups', 'data']);
    }),
  );

  it('refuses what makes no sense, and says what to do', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'graph.db');
      fill(path, 5);
      const cases: [string[], string, RegExp][] = [
        [['backup', 'run', path], 'SOMBRA_USAGE', /--to/],
        [['backup', 'run', path, '--to', folder], 'SOMBRA_BACKUP_SAME_FOLDER', /--allow-same-folder/],
        [['backup', 'run', join(folder, 'none.db'), '--to', '/tmp/x'], 'SOMBRA_NOT_FOUND', /does not exist/],
        [['backup', 'run', path, '--to', folder, '--compression', 'rar'], 'SOMBRA_USAGE', /gzip/],
        [['backup', 'run', path, '--to', folder, '--throttle', '0'], 'SOMBRA_USAGE', /above 0/],
        [['backup', 'run', path, '--to', folder, '--storage-class', 'X'], 'SOMBRA_USAGE', /s3:/],
        [
          ['backup', 'run', path, '--to', join(folder, 'a', 'b', 'c'), '--allow-same-folder'],
          'SOMBRA_STORE_MISSING',
          /directory above/,
        ],
        [['backup', 'run', path, '--to', 'ftp://x/y'], 'SOMBRA_STORE_URL', /s3:\/\/bucket/],
        [['backup', 'prune', folder], 'SOMBRA_USAGE', /--retention-days/],
        [['backup', 'prune', folder, '--retention-days', 'x'], 'SOMBRA_USAGE', /days/],
        [['restore', '--from', folder, '--to', join(folder, 'x.db')], 'SOMBRA_BACKUP_NOT_FOUND', /has none/],
        [['backup', 'test', folder, 'graph-20000101T000000Z'], 'SOMBRA_BACKUP_NOT_FOUND', /graph-2000/],
      ];
      for (const [args, code, text] of cases) {
        const failed = await failure(...args);
        expect([failed.code, failed.error.code], args.join(' ')).toEqual([1, code]);
        expect(failed.error.message).toMatch(text);
      }
      expect(readdirSync(folder)).toEqual(['graph.db']);
    }));

  it('beside a process that writes and does not sync, and is killed: no later backup mixes two histories', () =>
    withFolder(async (folder) => {
      const [path, place] = [join(folder, 'data', 'graph.db'), join(folder, 'backups')];
      mkdirSync(join(folder, 'data'));
      const db = GraphDB.open(path, { syncMode: 'normal' });
      db.transaction((tx) => tx.addNode('Person', { name: 'first' }));
      const running = sombra(['backup', 'run', path, '--to', place, '--json']);
      const { code, stdout, stderr } = await running;
      expect([code, stderr]).toEqual([0, '']);
      expect((JSON.parse(stdout) as Made).lsn).toBe(db.lsn);
      db.addNode('Person', { name: 'second' });
      expect(await json('backup', 'run', path, '--to', place, '--incremental')).toMatchObject({
        kind: 'incremental',
        lsn: db.lsn,
      });
      db.close();
      await json('restore', '--from', place, '--to', join(folder, 'r.db'));
      expect(countOf(join(folder, 'r.db'))).toBe(2);
    }));

  it.each(seeds(1))(
    'killed or interrupted at any moment leaves whole backups, and the next run goes on, seed %i',
    (seed) =>
      withFolder(async (folder) => {
        const random = new Random(seed);
        const [path, place] = [join(folder, 'data', 'graph.db'), join(folder, 'backups')];
        mkdirSync(join(folder, 'data'));
        fill(path, 2000);
        let [killed, made] = [0, 0];
        for (let round = 0; round < 12; round += 1) {
          fill(path, 20);
          const args = ['backup', 'run', path, '--to', place, ...(round % 3 === 2 ? [] : ['--incremental'])];
          const child = spawn(process.execPath, [BIN, ...args], { stdio: 'ignore' });
          const timer = setTimeout(() => child.kill(round % 2 === 0 ? 'SIGKILL' : 'SIGINT'), 200 + random.below(500));
          const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
          clearTimeout(timer);
          if (code === 0) made += 1;
          else {
            killed += 1;
            // Before the command listens, SIGINT ends the process as it ends any other.
            expect(signal !== null || code === 130, `${String(code)} ${String(signal)}`).toBe(true);
          }
          const { backups, good } = (await json('backup', 'verify', place)) as { good: boolean; backups: unknown[] };
          expect(good).toBe(true);
          expect(backups.length).toBeGreaterThanOrEqual(made);
        }
        expect(killed).toBeGreaterThan(0);
        const { lsn } = (await json('backup', 'run', path, '--to', place, '--incremental')) as Made;
        const restored = join(folder, 'restored.db');
        expect(await json('restore', '--from', place, '--to', restored)).toMatchObject({ lsn });
        expect(countOf(restored)).toBe(2000 + 12 * 20);
        expect(await json('backup', 'test', place)).toMatchObject({ good: true });
      }),
  );
});

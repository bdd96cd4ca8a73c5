// Goal: a database that a group may use can be used by its members: the files beside it take its permission bits and its group, so
// that a second user can open it while the first has it open, and recover it after a crash. Where the group cannot be given, nobody
// gets more than before. Method: real files; as root the second user is another user of a group, otherwise only the bits are looked at.
import { chmodSync, chownSync, copyFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { GraphDB } from '../src/index.ts';
import { withDirectory } from './support/open.ts';

const OTHER_USER = 65_534;
const GROUP = 12_345;
const isRoot = process.geteuid?.() === 0;

function asUser<T>(uid: number, gid: number, work: () => T): T {
  process.setegid!(gid);
  process.seteuid!(uid);
  try {
    return work();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}

/** Mode and group of each file of a folder. */
function accessOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => {
      const { mode, gid } = statSync(join(folder, name));
      return [name, `${(mode & 0o777).toString(8)} ${gid}`];
    }),
  );
}

/** A database file with this mode, of the group if that can be given. */
function prepare(folder: string, mode: number): string {
  const path = join(folder, 'g.db');
  GraphDB.open(path).close();
  chmodSync(path, mode);
  if (isRoot) {
    chownSync(path, 0, GROUP);
    chmodSync(folder, 0o777);
  }
  return path;
}

/** Uses a database so that each kind of file is made. */
function use(path: string): GraphDB {
  const db = GraphDB.open(path, { maxWalSizeMb: 1 });
  const text = 'x'.repeat(5000);
  for (let i = 0; i < 400; i += 1) db.transaction((tx) => tx.addNode('N', { text }));
  db.checkpoint();
  db.addNode('Last');
  return db;
}

it.each([0o660, 0o664, 0o640, 0o600])('every file beside the database has its mode %o and its group', (mode) =>
  withDirectory((folder) => {
    const path = prepare(folder, mode);
    const db = use(path);
    const found = accessOf(folder);
    expect(Object.keys(found).length).toBeGreaterThanOrEqual(4);
    const expected = `${mode.toString(8)} ${isRoot ? GROUP : statSync(path).gid}`;
    expect([...new Set(Object.values(found))], JSON.stringify(found)).toEqual([expected]);
    db.close();
  }),
);

it.runIf(isRoot)('a second user of the group opens it beside the first, and recovers it after a crash', () =>
  withDirectory((folder) => {
    const path = prepare(folder, 0o660);
    const db = use(path);
    const nodes = db.nodeCount();
    asUser(OTHER_USER, GROUP, () => {
      const other = GraphDB.open(path);
      expect(other.nodeCount()).toBe(nodes);
      other.addNode('Theirs');
      other.close();
    });
    for (const name of readdirSync(folder)) {
      const copy = join(folder, name.replace('g.db', 'crashed.db'));
      copyFileSync(join(folder, name), copy);
      chownSync(copy, 0, GROUP);
    }
    asUser(OTHER_USER, GROUP, () => {
      const other = GraphDB.open(join(folder, 'crashed.db'));
      expect(other.nodeCount()).toBe(nodes + 1);
      other.close();
    });
    db.close();
  }),
);

it.runIf(isRoot)('a user who may not set the group grants it no more than others have', () =>
  withDirectory((folder) => {
    const path = prepare(folder, 0o666);
    chmodSync(path, 0o664);
    chownSync(path, OTHER_USER, GROUP);
    asUser(OTHER_USER, OTHER_USER, () => {
      const db = use(path);
      const { 'g.db': main, ...others } = accessOf(folder);
      expect(main).toBe(`664 ${GROUP}`);
      expect([...new Set(Object.values(others))]).toEqual([`644 ${OTHER_USER}`]);
      db.close();
    });
  }),
);

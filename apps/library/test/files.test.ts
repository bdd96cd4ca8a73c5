// Goal: files have the right modes and names, a clean close leaves one, and files that may not be read or written give
// typed errors. Method: real files; permissions are tried as an ordinary user, also when the tests run as root.
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphDB, MemoryVfs } from '../src/index.ts';
import type { Warning } from '../src/index.ts';
import { codeOf, thrownBy } from './support/codes.ts';
import { contentOf } from './support/content.ts';
import { expectSound, withDirectory } from './support/open.ts';
import { asOrdinaryUser } from './support/ordinary-user.ts';
import { addSmallGraph } from './support/small-graph.ts';

/** A database that was closed; its path. */
function closedDatabase(directory: string): string {
  const path = join(directory, 'graph.db');
  const db = GraphDB.open(path);
  addSmallGraph(db);
  db.close();
  return path;
}

function modes(directory: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(directory).map((name) => [name, (statSync(join(directory, name)).mode & 0o777).toString(8)]),
  );
}

describe('the files of a database', () => {
  it.each([0o000, 0o022, 0o077, 0o777])('have mode 0600 with umask %o', (umask) => {
    withDirectory((directory) => {
      const before = process.umask(umask);
      try {
        const db = GraphDB.open(join(directory, 'graph.db'), { maxWalSizeMb: 0.25 });
        const snapshot = db.snapshot();
        for (let i = 0; i < 100; i += 1) db.addNode('N', { text: 'x'.repeat(5000) });
        const open = modes(directory);
        expect(Object.keys(open)).toEqual(expect.arrayContaining(['graph.db', 'graph.db-shm', 'graph.db-wal']));
        expect(Object.keys(open).filter((name) => /^graph\.db-\d+-wal$/.test(name)).length).toBeGreaterThan(1);
        expect(new Set(Object.values(open))).toEqual(new Set(['600']));
        snapshot.release();
        db.checkpoint();
        expect(new Set(Object.values(modes(directory)))).toEqual(new Set(['600']));
        db.close();
        expect(modes(directory)).toEqual({ 'graph.db': '600' });
      } finally {
        process.umask(before);
      }
    });
  });

  it('are one after a close, which needs no recovery and is bit for bit what a checkpoint left', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      expect(readdirSync(directory)).toEqual(['graph.db']);
      const bytes = readFileSync(path);
      const readOnly = GraphDB.open(path, { readOnly: true }); // refuses a file that needs recovery
      expectSound(readOnly);
      readOnly.close();
      expect(readFileSync(path).equals(bytes)).toBe(true);
      const warnings: Warning[] = [];
      const db = GraphDB.open(path, { onWarning: (warning) => warnings.push(warning) });
      expect([db.path, db.nodeCount()]).toEqual([path, 3]);
      db.close();
      expect([readdirSync(directory), warnings]).toEqual([['graph.db'], []]);
    });
  });

  it('keep their own mode when the owner has changed it', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      chmodSync(path, 0o640);
      const db = GraphDB.open(path);
      db.addNode('X');
      db.close();
      expect(modes(directory)).toEqual({ 'graph.db': '640' });
    });
  });

  it('lie beside the file that a symbolic link leads to', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      mkdirSync(join(directory, 'elsewhere'));
      const link = join(directory, 'elsewhere', 'link.db');
      symlinkSync(path, link);
      const db = GraphDB.open(link);
      db.addNode('X');
      expect([db.path, readdirSync(join(directory, 'elsewhere'))]).toEqual([path, ['link.db']]);
      const same = GraphDB.open(path);
      expect(same.nodeCount()).toBe(4);
      same.close();
      db.close();
    });
  });

  it('are not written through symbolic links with their names', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      const victim = join(directory, 'victim');
      writeFileSync(victim, 'precious');
      symlinkSync(victim, `${path}-wal`);
      symlinkSync(victim, `${path}-dw`);
      symlinkSync(victim, `${path}-shm`);
      const code = codeOf(() => {
        const db = GraphDB.open(path);
        try {
          db.addNode('X');
        } finally {
          db.close();
        }
      });
      expect(code).toMatch(/^SOMBRA_/);
      expect(readFileSync(victim, 'utf8')).toBe('precious');
    });
  });

  it('have one name: a second one is refused', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      linkSync(path, join(directory, 'second.db'));
      const error = thrownBy(() => GraphDB.open(path));
      expect([error.name, error.code]).toEqual(['StateError', 'SOMBRA_HARD_LINK']);
    });
  });

  it('that are replaced while open are noticed before they are written', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      const db = GraphDB.open(path);
      db.addNode('X');
      renameSync(path, join(directory, 'moved.db'));
      writeFileSync(path, 'another program');
      expect(codeOf(() => db.checkpoint())).toBe('SOMBRA_DATABASE_MOVED');
      expect(codeOf(() => db.addNode('Y'))).toBe('SOMBRA_LOCK_POISONED');
      expect(db.nodeCount()).toBe(4);
      db.close();
      expect(readFileSync(path, 'utf8')).toBe('another program');
    });
  });
});

describe('what cannot be opened', () => {
  it('a directory, a path through a file, a directory that is not there', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      for (const wrong of [directory, join(path, 'graph.db'), join(directory, 'missing', 'graph.db'), `${path}\0x`]) {
        const error = thrownBy(() => GraphDB.open(wrong));
        expect([wrong, error.name]).toEqual([wrong, 'IoError']);
        expect(error.code).toMatch(/^SOMBRA_(IO|PERMISSION)$/);
      }
      expect(readdirSync(directory)).toEqual(['graph.db']);
    });
  });

  it('a second time when it is exclusive', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      const db = GraphDB.open(path, { locking: 'exclusive' });
      const error = thrownBy(() => GraphDB.open(path, { busyTimeoutMs: 20 }));
      expect([error.name, error.code]).toEqual(['IoError', 'SOMBRA_BUSY']);
      expect(error.details).toMatchObject({ pid: process.pid, host: hostname() });
      expect(error.message).toContain(`process ${process.pid} on ${hostname()}`);
      db.addNode('X');
      db.close();
      const readers = [GraphDB.open(path, { readOnly: true }), GraphDB.open(path, { readOnly: true })];
      expect(readers.map((reader) => reader.nodeCount())).toEqual([4, 4]);
      for (const reader of readers) reader.close();
      GraphDB.open(path, { locking: 'exclusive' }).close();
      expect(readdirSync(directory)).toEqual(['graph.db']);
    });
  });
});

describe('permissions', () => {
  it('a file that may be read only is refused for writing, and can be opened read-only', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      chmodSync(path, 0o400);
      const bytes = readFileSync(path);
      asOrdinaryUser([directory, path], () => {
        const error = thrownBy(() => GraphDB.open(path));
        expect([error.name, error.code]).toEqual(['IoError', 'SOMBRA_PERMISSION']);
        expect(error.message).toContain(path);
        const db = GraphDB.open(path, { readOnly: true });
        expect(db.nodeCount()).toBe(3);
        db.close();
      });
      expect([readdirSync(directory), readFileSync(path).equals(bytes)]).toEqual([['graph.db'], true]);
    });
  });

  it('a file that may not even be read is refused', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      chmodSync(path, 0o000);
      asOrdinaryUser([directory, path], () => {
        for (const readOnly of [false, true]) {
          expect(codeOf(() => GraphDB.open(path, { readOnly }))).toBe('SOMBRA_PERMISSION');
        }
      });
    });
  });

  it('in a read-only directory nothing is created', () => {
    withDirectory((directory) => {
      chmodSync(directory, 0o500);
      asOrdinaryUser([directory], () => {
        const error = thrownBy(() => GraphDB.open(join(directory, 'new.db')));
        expect([error.name, error.code]).toEqual(['IoError', 'SOMBRA_PERMISSION']);
      });
      expect(readdirSync(directory)).toEqual([]);
    });
  });

  it('a database in a read-only directory can be read, and is refused for writing with its data as before', () => {
    withDirectory((directory) => {
      const path = closedDatabase(directory);
      chmodSync(directory, 0o500);
      const bytes = readFileSync(path);
      asOrdinaryUser([directory, path], () => {
        const readOnly = GraphDB.open(path, { readOnly: true });
        const before = contentOf(readOnly);
        readOnly.close();
        expect(before).toMatchObject({ counts: [3, 1] });
        const error = thrownBy(() => GraphDB.open(path));
        expect([error.name, error.code]).toEqual(['IoError', 'SOMBRA_PERMISSION']);
        expect(error.message).toContain(path);
      });
      expect([readdirSync(directory), readFileSync(path).equals(bytes)]).toEqual([['graph.db'], true]);
      chmodSync(directory, 0o700);
      const db = GraphDB.open(path);
      expect(db.nodeCount()).toBe(3);
      expectSound(db);
      db.close();
    });
  });

  it('a failed open leaves no file behind', () => {
    withDirectory((directory) => {
      const path = join(directory, 'text.db');
      writeFileSync(path, 'just a text');
      expect(codeOf(() => GraphDB.open(path))).toBe('SOMBRA_NOT_A_DATABASE');
      expect([readdirSync(directory), existsSync(`${path}-shm`)]).toEqual([['text.db'], false]);
    });
  });
});

describe('hooks', () => {
  it('are told what happens', async () => {
    const vfs = new MemoryVfs();
    const told: string[] = [];
    const hooks = {
      commit: (lsn: number) => void told.push(`commit ${lsn}`),
      checkpoint: (lsn: number) => void told.push(`checkpoint ${lsn}`),
    };
    const db = GraphDB.open('/graph.db', { vfs, hooks });
    const begun = db.lsn;
    told.length = 0;
    db.addNode('N');
    db.checkpoint();
    await db.transactionAsync((tx) => tx.addNode('N'));
    db.close();
    expect(told.filter((one) => one.startsWith('commit'))).toEqual([`commit ${begun + 1}`, `commit ${begun + 2}`]);
    expect(told).toContain(`checkpoint ${begun + 1}`);
    expect(() => GraphDB.open('/graph.db', { vfs, hooks: 1 as never })).toThrowError('hooks');
  });
});

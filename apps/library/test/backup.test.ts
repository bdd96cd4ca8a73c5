// Goal: a copy of a live database is one commit of it, in a file that opens as it is, whole or not there; nothing else waits for it.
// Method: real files; writes and other copies go on while the copy is made; the copy is opened, verified and compared with what was committed
// when it began.
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphDB } from '../src/index.ts';
import { expectSound, withDirectory } from './support/open.ts';

function fill(db: GraphDB, people: number): void {
  db.transaction((tx) => {
    let before = tx.addNode('Person', { name: 'first', notes: 'x'.repeat(200) });
    for (let i = 1; i < people; i += 1) {
      const next = tx.addNode('Person', { name: `person ${i}`, notes: 'y'.repeat(200) });
      tx.addEdge(before, next, 'KNOWS', { since: i });
      before = next;
    }
  });
}

describe('db.backup', () => {
  it('is the commit that was newest when it began, while others are made', () =>
    withDirectory(async (folder) => {
      const db = GraphDB.open(join(folder, 'g.db'));
      fill(db, 5000);
      db.createPropertyIndex('Person', 'name');
      const { lsn } = db;
      const seen: number[] = [];
      let total = 0;
      let during = 0;
      const path = join(folder, 'copy.db');
      const result = await db.backup(path, {
        onProgress({ doneBytes, totalBytes }) {
          seen.push(doneBytes);
          total = totalBytes;
          db.addNode('Late', { during: (during += 1) });
        },
      });
      expect(result).toMatchObject({ lsn, bytes: total });
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect([seen.at(-1), statSync(path).size]).toEqual([total, total]);
      expect(during).toBeGreaterThan(2);
      expect(db.nodeCount()).toBe(5000 + during);
      expect(statSync(path).mode & 0o777).toBe(0o600);

      const copy = GraphDB.open(path);
      expect([copy.lsn, copy.nodeCount(), copy.edgeCount()]).toEqual([lsn, 5000, 4999]);
      expect(copy.findNodes({ label: 'Person', where: { name: 'person 77' } }).all()).toHaveLength(1);
      expectSound(copy);
      copy.addNode('Person', { name: 'only in the copy' });
      copy.close();
      expect(db.findNodes({ where: { name: 'only in the copy' } }).all()).toEqual([]);
      db.close();
      expect(readdirSync(folder).sort()).toEqual(['copy.db', 'g.db']);
    }));

  it('leaves nothing when it is ended, and the database goes on', () =>
    withDirectory(async (folder) => {
      const db = GraphDB.open(join(folder, 'g.db'));
      fill(db, 5000);
      const path = join(folder, 'copy.db');
      const abort = new AbortController();
      const ended = db.backup(path, { signal: abort.signal, onProgress: () => abort.abort() });
      await expect(ended).rejects.toMatchObject({ code: 'SOMBRA_ABORTED' });
      const failed = db.backup(path, {
        onProgress() {
          throw new RangeError('enough');
        },
      });
      await expect(failed).rejects.toThrow('enough');
      expect(readdirSync(folder).filter((name) => name.includes('copy'))).toEqual([]);
      const closed = db.backup(path, { onProgress: () => db.close() });
      await expect(closed).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
      await expect(db.backup(path)).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
      expect(readdirSync(folder)).toEqual(['g.db']);
    }));

  it('never writes over a file, nor takes a name of the database', () =>
    withDirectory(async (folder) => {
      const db = GraphDB.open(join(folder, 'g.db'));
      fill(db, 10);
      writeFileSync(join(folder, 'there'), 'something else');
      const codes: Record<string, string> = {
        there: 'SOMBRA_FILE_EXISTS',
        'g.db': 'SOMBRA_BACKUP_TARGET',
        'g.db-wal': 'SOMBRA_BACKUP_TARGET',
        'g.db-7-wal': 'SOMBRA_BACKUP_TARGET',
        'g.db-dw': 'SOMBRA_BACKUP_TARGET',
        'no/such/folder/copy.db': 'SOMBRA_IO',
      };
      for (const [name, code] of Object.entries(codes))
        await expect(db.backup(join(folder, name)), name).rejects.toMatchObject({ code });
      for (const bad of ['', ':memory:', 5, undefined])
        await expect(db.backup(bad as string)).rejects.toMatchObject({ code: 'SOMBRA_OPTION' });
      await db.backup(join(folder, 'g.db.backup'));
      expect(existsSync(join(folder, 'g.db.backup'))).toBe(true);
      db.close();
    }));

  it('gives the same bytes by db.copy, for programs that store them themselves', () =>
    withDirectory(async (folder) => {
      const db = GraphDB.open(join(folder, 'g.db'));
      fill(db, 100);
      const copy = db.copy();
      db.addNode('Late');
      const bytes = new Uint8Array(copy.size);
      expect(copy.read(bytes)).toBe(copy.size);
      expect(copy.read(bytes.slice())).toBe(0);
      copy.release();
      writeFileSync(join(folder, 'copy.db'), bytes);
      const again = GraphDB.open(join(folder, 'copy.db'));
      expect([again.nodeCount(), again.lsn]).toEqual([100, copy.lsn]);
      expectSound(again);
      again.close();
      db.close();
      expect(() => db.copy()).toThrowError(expect.objectContaining({ code: 'SOMBRA_CLOSED' }));
    }));

  it('of a database in memory is a file', () =>
    withDirectory(async (folder) => {
      const db = GraphDB.open(':memory:');
      fill(db, 100);
      const path = join(folder, 'memory.db');
      await Promise.all([db.backup(path), db.backup(join(folder, 'second.db'))]);
      db.close();
      const copy = GraphDB.open(path);
      expect([copy.nodeCount(), copy.edgeCount()]).toEqual([100, 99]);
      expectSound(copy);
      copy.close();
    }));

  it('beside a log that was left where it is put back, nothing of that log is read', () =>
    withDirectory(async (folder) => {
      const path = join(folder, 'g.db');
      const db = GraphDB.open(path);
      fill(db, 10);
      const copied = join(folder, 'copy.db');
      await db.backup(copied);
      db.addNode('Late');
      // What a crash leaves: the log beside the file, which is then replaced by the copy.
      const restored = join(folder, 'restored');
      mkdirSync(restored);
      copyFileSync(copied, join(restored, 'g.db'));
      copyFileSync(`${path}-wal`, join(restored, 'g.db-wal'));
      db.close();
      const warnings: string[] = [];
      const again = GraphDB.open(join(restored, 'g.db'), { onWarning: ({ code }) => warnings.push(code) });
      expect([again.nodeCount(), warnings]).toEqual([10, ['SOMBRA_WAL_SET_ASIDE']]);
      expectSound(again);
      again.close();
    }));
});

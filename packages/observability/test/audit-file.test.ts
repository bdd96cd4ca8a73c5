// Goal: an audit trail in files is complete, private, and goes on after whatever has happened. Method: real files for modes, rotation and
// locks; failing calls through FaultyVfs, each in turn; torn ends written by hand.
import { appendFileSync, chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { auditFile, queryAudit, verifyAudit } from '../src/index.ts';
import type { AuditFileOptions } from '../src/index.ts';
import { codeOf } from './support/codes.ts';
import { folder } from './support/folder.ts';
import { record, recordOf, records } from './support/records.ts';

/** Writes records, each by itself, and closes. */
function write(path: string, first: number, last: number, options: AuditFileOptions = {}): void {
  const sink = auditFile(path, options);
  for (const each of records(first, last)) sink.append([each]);
  sink.close();
}

function numbers(path: string, options: Pick<AuditFileOptions, 'vfs'> = {}): (number | null)[] {
  return [...queryAudit(path, options)].map(({ transaction }) => transaction);
}

describe('a trail', () => {
  it('holds what was appended, in order, in a chain, over several openings', () => {
    const path = join(folder(), 'audit.jsonl');
    write(path, 1, 3);
    const sink = auditFile(path);
    sink.append(records(4, 6));
    sink.append([]);
    const { last } = sink;
    sink.close();
    sink.close();
    expect([...queryAudit(path)].map(recordOf)).toEqual(records(1, 6));
    expect(verifyAudit(path)).toEqual({
      path,
      ok: true,
      files: 1,
      entries: 6,
      first: 1,
      last,
      tornBytes: 0,
      problems: [],
    });
    expect(codeOf(() => sink.append(records(7, 7)))).toBe('SOMBRA_CLOSED');
  });

  it('has one line of JSON for each entry, whatever the name of the user contains', () => {
    const path = join(folder(), 'audit.jsonl');
    write(path, 1, 4);
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
      lines.map(() => 'seq timestamp user action node_id nodes edges lsn transaction previous hash'.split(' ')),
    );
  });

  it('is written in bulk as well as one by one', () => {
    const path = join(folder(), 'audit.jsonl');
    const sink = auditFile(path, { sync: false });
    sink.append(records(1, 2500));
    sink.close();
    write(path, 2501, 2501);
    expect(verifyAudit(path)).toMatchObject({ ok: true, entries: 2501 });
  });

  it('is private, whatever the umask', () => {
    const directory = folder();
    const before = process.umask();
    onTestFinished(() => void process.umask(before));
    for (const umask of [0o000, 0o022, 0o077, 0o177]) {
      process.umask(umask);
      const path = join(directory, `${umask}.jsonl`);
      write(path, 1, 4, { maxBytes: 1 });
      const modes = [path, `${path}.1`, `${path}.2`, `${path}.3`].map((file) => statSync(file).mode & 0o777);
      expect(modes).toEqual([0o600, 0o600, 0o600, 0o600]);
    }
    expect(readdirSync(directory).length).toBe(16);
  });

  it('warns of a file that others can read', () => {
    const path = join(folder(), 'audit.jsonl');
    write(path, 1, 1);
    chmodSync(path, 0o640);
    const warnings: string[] = [];
    auditFile(path, { onWarning: ({ code, message }) => warnings.push(`${code} ${message}`) }).close();
    expect(warnings).toEqual([
      `SOMBRA_AUDIT_READABLE ${path} has mode 640: other users can read it or write to it; chmod 600 ${path}`,
    ]);
  });

  it('is not written through a symbolic link', () => {
    const path = join(folder(), 'audit.jsonl');
    writeFileSync(`${path}.other`, '');
    symlinkSync(`${path}.other`, path);
    expect(codeOf(() => auditFile(path))).toMatch(/^SOMBRA_/);
    expect(readFileSync(`${path}.other`, 'utf8')).toBe('');
  });

  it('has one writer at a time', () => {
    const path = join(folder(), 'audit.jsonl');
    const sink = auditFile(path, { maxBytes: 1 });
    for (let round = 1; round <= 3; round += 1) {
      expect(codeOf(() => auditFile(path))).toBe('SOMBRA_AUDIT_BUSY');
      sink.append([record(round)]);
    }
    expect(numbers(path)).toEqual([1, 2, 3]); // readers do not mind
    sink.close();
    write(path, 4, 4);
    expect(verifyAudit(path)).toMatchObject({ ok: true, entries: 4, files: 3 });
  });

  it('refuses options and paths that do not exist', () => {
    const path = join(folder(), 'audit.jsonl');
    for (const maxBytes of [0, 1.5, Infinity, '1' as unknown as number])
      expect(codeOf(() => auditFile(path, { maxBytes }))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => auditFile(path, { maxByte: 1 } as object))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => auditFile(''))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => verifyAudit(path, { anchor: [] } as object))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => queryAudit(path, { users: 'ada' } as object))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => queryAudit(path, { since: 'yesterday' }))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => verifyAudit(path))).toBe('SOMBRA_AUDIT_NOT_FOUND');
    expect(codeOf(() => [...queryAudit(path)])).toBe('SOMBRA_AUDIT_NOT_FOUND');
    expect(codeOf(() => auditFile(join(path, 'no', 'folder')))).toBe('SOMBRA_IO');
  });
});

describe('rotation', () => {
  it('begins a new file when one is full, and carries the chain on', () => {
    const path = join(folder(), 'audit.jsonl');
    const size = (file: string): number => statSync(file).size;
    write(path, 1, 11, { maxBytes: 2000 });
    write(path, 12, 40, { maxBytes: 2000 });
    const files = readdirSync(join(path, '..')).length;
    expect(files).toBeGreaterThan(6);
    expect(verifyAudit(path)).toMatchObject({ ok: true, entries: 40, first: 1, files });
    expect(numbers(path)).toEqual(records(1, 40).map(({ transaction }) => transaction));
    for (let number = 1; number < files; number += 1) expect(size(`${path}.${number}`)).toBeLessThanOrEqual(2000);
  });

  it('does not tear what is appended at once', () => {
    const path = join(folder(), 'audit.jsonl');
    const sink = auditFile(path, { maxBytes: 2000 });
    for (let first = 1; first < 40; first += 20) sink.append(records(first, first + 19));
    sink.close();
    expect(verifyAudit(path)).toMatchObject({ ok: true, entries: 40, files: 2 });
  });
});

describe('after a crash', () => {
  it('what was written of a line is cut off, and told', () => {
    const path = join(folder(), 'audit.jsonl');
    write(path, 1, 2);
    const whole = readFileSync(path);
    write(path, 3, 3);
    const third = readFileSync(path).subarray(whole.length);
    for (const length of [1, 80, third.length - 80, third.length - 1]) {
      writeFileSync(path, Buffer.concat([whole, third.subarray(0, length)]));
      expect(verifyAudit(path)).toMatchObject({ ok: true, entries: 2, tornBytes: length });
      expect(numbers(path)).toEqual([1, 2]);
      const warnings: string[] = [];
      auditFile(path, { onWarning: ({ code, message }) => warnings.push(`${code} ${message}`) }).close();
      expect(warnings).toEqual([expect.stringMatching(`^SOMBRA_AUDIT_TORN .*${length} bytes.*ends with entry 2$`)]);
      expect(readFileSync(path)).toEqual(whole);
    }
    write(path, 4, 4);
    expect(verifyAudit(path)).toMatchObject({ ok: true, entries: 3, tornBytes: 0 });
  });

  it('zeros that a power loss has left of some lines are cut off with what follows', () => {
    const path = join(folder(), 'audit.jsonl');
    const warnings: string[] = [];
    const onWarning = ({ code }: { code: string }): number => warnings.push(code);
    write(path, 1, 5);
    const bytes = readFileSync(path);
    const second = bytes.indexOf('\n') + 1;
    bytes.fill(0, second + 40, second + 90);
    writeFileSync(path, bytes);
    write(path, 6, 6, { onWarning });
    expect(warnings).toEqual(['SOMBRA_AUDIT_TORN']);
    expect(numbers(path)).toEqual([1, 6]);
    expect(verifyAudit(path)).toMatchObject({ ok: true, entries: 2 });
  });

  it('what no crash can leave is kept, and the trail is not gone on with', () => {
    const path = join(folder(), 'audit.jsonl');
    write(path, 1, 3);
    const whole = readFileSync(path);
    const changed = Buffer.from(whole);
    changed[whole.length - 100]! ^= 1;
    const unended = Buffer.from(whole);
    unended[whole.length - 1] = 0x20;
    for (const bytes of [changed, unended, Buffer.concat([whole, Buffer.from('{}\n')])]) {
      writeFileSync(path, bytes);
      expect(codeOf(() => auditFile(path))).toBe('SOMBRA_AUDIT_DAMAGED');
      expect(readFileSync(path)).toEqual(bytes);
      expect(verifyAudit(path)).toMatchObject({ ok: false, entries: bytes.length > whole.length ? 3 : 2 });
    }
  });
});

describe('a disk that fails', () => {
  it('full: nothing of a refused append is left, and later ones follow', () => {
    const faulty = new FaultyVfs(new MemoryVfs());
    const sink = auditFile('audit.jsonl', { vfs: faulty });
    sink.append(records(1, 2));
    faulty.add({ op: 'pwrite', nth: 1, action: { short: 100 } });
    faulty.add({ op: 'pwrite', nth: 2, action: 'ENOSPC' });
    const { last } = sink;
    expect(codeOf(() => sink.append(records(3, 4)))).toBe('SOMBRA_DISK_FULL');
    expect(sink.last).toEqual(last);
    expect(verifyAudit('audit.jsonl', { vfs: faulty })).toMatchObject({ ok: true, entries: 2, tornBytes: 100 });
    sink.append(records(3, 5));
    sink.close();
    expect(verifyAudit('audit.jsonl', { vfs: faulty })).toMatchObject({ ok: true, entries: 5, tornBytes: 0 });
  });

  it('each call in turn: the trail verifies, holds every append that returned, and goes on', () => {
    const run = (vfs: FaultyVfs, done: number[]): void => {
      const sink = auditFile('audit.jsonl', { vfs, maxBytes: 700, onWarning: () => undefined });
      try {
        for (let number = 1; number <= 8; number += 1) {
          try {
            sink.append([record(number)]);
          } catch {
            sink.append([record(number)]); // the fault is over
          }
          done.push(number);
        }
      } finally {
        sink.close();
      }
    };
    const counting = new FaultyVfs(new MemoryVfs());
    run(counting, []);
    expect(counting.calls).toBeGreaterThan(50);
    for (let nth = 1; nth <= counting.calls; nth += 1) {
      const vfs = new FaultyVfs(new MemoryVfs(), [{ op: 'any', nth, action: 'EIO' }]);
      const done: number[] = [];
      try {
        run(vfs, done);
      } catch (error) {
        // Opening or closing failed; of what was appended nothing is lost.
        expect(error, `call ${nth}`).toMatchObject({ code: expect.stringMatching(/^SOMBRA_(IO|SYNC)$/) as string });
      }
      vfs.heal();
      const again = auditFile('audit.jsonl', { vfs, maxBytes: 700, onWarning: () => undefined });
      again.append([record(99)]);
      again.close();
      const report = verifyAudit('audit.jsonl', { vfs });
      expect(report.problems, `call ${nth}, ${JSON.stringify(vfs.failed)}`).toEqual([]);
      expect(numbers('audit.jsonl', { vfs })).toEqual([...done, 99]);
    }
  });
});

describe('a query', () => {
  const path = (): string => {
    const file = join(folder(), 'audit.jsonl');
    write(file, 1, 20, { maxBytes: 1500 });
    return file;
  };
  const found = (query: Parameters<typeof queryAudit>[1]): (number | null)[] =>
    [...queryAudit(path(), query)].map(({ transaction }) => transaction);

  it('selects by user, time, action, node and edge', () => {
    const at = (minute: number): string => `2025-01-01T00:${String(minute).padStart(2, '0')}:00Z`;
    expect(found({ user: 'bob' })).toEqual([1, 5, 9, 13, 17]);
    expect(found({ user: 'eve\n"ünï",\u0000💥' })).toEqual([2, 6, 10, 14, 18]);
    expect(found({ user: 'nobody' })).toEqual([]);
    expect(found({ since: at(18) })).toEqual([18, 19, 20]);
    expect(found({ until: at(3) })).toEqual([1, 2]);
    expect(found({ since: new Date(at(4)), until: Date.parse(at(6)), action: 'addNode' })).toEqual([4, 5]);
    expect(found({ node: 7 })).toEqual([7]);
    expect(found({ edge: 7 })).toEqual([]);
    expect(found({ action: 'deleteNode' })).toEqual([]);
    expect(found({ user: 'bob', since: at(10) })).toEqual([13, 17]);
  });

  it('reads as far as it is asked to, and lets go of the files', () => {
    const [first] = queryAudit(path());
    expect(first).toMatchObject({ seq: 1, transaction: 1 });
  });

  it('says which line is no entry', () => {
    const file = path();
    appendFileSync(`${file}.2`, 'nonsense\n');
    const query = queryAudit(file);
    expect(() => [...query]).toThrow(expect.objectContaining({ code: 'SOMBRA_AUDIT_DAMAGED' }));
    expect(() => [...queryAudit(file)]).toThrow(/audit\.jsonl\.2:\d+: the line is no entry/);
  });
});

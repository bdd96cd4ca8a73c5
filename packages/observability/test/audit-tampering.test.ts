// Goal: nobody changes an audit trail unnoticed. Method: a trail of several files is tampered with in every way there is: each byte
// changed, each line removed, doubled or exchanged, each file removed, truncated or replaced; verifyAudit has to say so each time. What a chain
// cannot show by itself, its end cut off or all of it written anew, an anchor has to show.
import { MemoryVfs, preadFully } from '@sombra/vfs';
import { beforeEach, describe, expect, it } from 'vitest';
import { auditFile, verifyAudit } from '../src/index.ts';
import type { AuditPoint } from '../src/index.ts';
import { records } from './support/records.ts';

const PATH = 'audit.jsonl';
const FILES = ['audit.jsonl.1', 'audit.jsonl.2', PATH] as const;
let vfs: MemoryVfs;
let middle: AuditPoint;
let last: AuditPoint;

function read(path: string): Buffer {
  const file = vfs.open(path, { write: false });
  const bytes = Buffer.alloc(file.stat().size);
  preadFully(file, bytes, 0);
  file.close();
  return bytes;
}

function replace(path: string, bytes: Uint8Array): void {
  const file = vfs.open(path, { write: true, create: true });
  file.truncate(0);
  if (bytes.length > 0) file.pwrite([bytes], 0);
  file.close();
}

const linesOf = (path: string): string[] => read(path).toString('latin1').split('\n').slice(0, -1);
const setLines = (path: string, lines: readonly string[]): void =>
  replace(path, Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1'));
const ok = (anchors: AuditPoint[] = []): boolean => verifyAudit(PATH, { vfs, anchors }).ok;
const why = (): string =>
  verifyAudit(PATH, { vfs })
    .problems.map(({ message }) => message)
    .join('; ');

function build(first = 1): void {
  vfs = new MemoryVfs();
  const sink = auditFile(PATH, { vfs, maxBytes: 1300 });
  for (const each of records(first, first + 10)) {
    sink.append([each]);
    if (each.transaction === first + 5) middle = sink.last;
  }
  last = sink.last;
  sink.close();
}

beforeEach(() => {
  build();
  expect(vfs.list('.')).toEqual([...FILES].sort());
  expect(FILES.map((file) => linesOf(file).length > 2)).toEqual([true, true, true]);
  expect(ok([middle, last])).toBe(true);
});

describe('a changed byte', () => {
  it.each(FILES)('of %s is found, whichever it is', (path) => {
    const whole = read(path);
    const unnoticed: string[] = [];
    for (let at = 0; at < whole.length; at += 1) {
      for (const value of [whole[at]! ^ 1, 0x0a, 0]) {
        if (value === whole[at]) continue;
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        replace(path, bytes);
        if (ok()) unnoticed.push(`byte ${at} as ${value}`);
      }
    }
    expect(unnoticed).toEqual([]);
  });

  it('is told with its line', () => {
    const bytes = read('audit.jsonl.2');
    bytes[bytes.indexOf('\n') + 20]! ^= 1;
    replace('audit.jsonl.2', bytes);
    expect(verifyAudit(PATH, { vfs }).problems[0]).toEqual({
      file: 'audit.jsonl.2',
      line: 2,
      message: 'the line is not the one that its hash was made of',
    });
  });
});

describe('a line', () => {
  it.each(FILES)('of %s that is removed is missed', (path) => {
    const lines = linesOf(path);
    for (let at = 0; at < lines.length; at += 1) {
      setLines(path, lines.toSpliced(at, 1));
      const isEnd = path === PATH && at === lines.length - 1;
      expect(ok([last]), `line ${at}`).toBe(false);
      expect(ok(), `line ${at}, without an anchor`).toBe(isEnd);
    }
  });

  it.each(FILES)('of %s that is doubled, or exchanged with another one, is found', (path) => {
    const lines = linesOf(path);
    for (let at = 0; at < lines.length; at += 1) {
      setLines(path, lines.toSpliced(at, 0, lines[at]!));
      expect(ok(), `line ${at} doubled`).toBe(false);
      if (at === 0) continue;
      setLines(path, lines.toSpliced(at - 1, 2, lines[at]!, lines[at - 1]!));
      expect(ok(), `lines ${at - 1} and ${at} exchanged`).toBe(false);
    }
  });

  it('with a hash of its own does not fit into the chain', () => {
    const forged = new MemoryVfs();
    const sink = auditFile(PATH, { vfs: forged });
    sink.append(records(1, 3).map((each) => ({ ...each, user: 'somebody else' })));
    sink.close();
    const [own] = [vfs];
    vfs = forged;
    const [, second] = linesOf(PATH);
    vfs = own;
    setLines('audit.jsonl.1', linesOf('audit.jsonl.1').with(1, second!));
    expect(why()).toContain('entry 2 was written behind another entry 1');
    setLines('audit.jsonl.1', [second!]);
    expect(why()).toContain('the trail begins with entry 2');
  });
});

describe('a file', () => {
  it('that is removed is missed', () => {
    const expected = [
      /^the trail begins with entry \d: older files are missing$/,
      /^entry \d+ follows entry \d$/,
      /^the file that is being written is missing$/,
    ];
    FILES.forEach((path, at) => {
      const bytes = read(path);
      vfs.unlink(path);
      expect(why()).toMatch(expected[at]!);
      replace(path, bytes);
      expect(ok()).toBe(true);
    });
  });

  it('that is cut, emptied or replaced by another one is found', () => {
    for (const path of FILES.slice(0, 2)) {
      const bytes = read(path);
      for (const size of [0, 1, bytes.length - 1, bytes.length - 40]) {
        replace(path, bytes.subarray(0, size));
        expect(ok(), `${path} cut to ${size}`).toBe(false);
      }
      replace(path, read(PATH));
      expect(ok(), `${path} replaced`).toBe(false);
      replace(path, bytes);
    }
    expect(ok()).toBe(true);
  });
});

describe('an anchor', () => {
  it('shows that the end is missing', () => {
    vfs.unlink(PATH);
    vfs.rename('audit.jsonl.2', PATH);
    expect(ok()).toBe(true);
    expect(ok([middle])).toBe(middle.seq <= verifyAudit(PATH, { vfs }).last!.seq);
    expect(ok([last])).toBe(false);
    replace(PATH, Buffer.alloc(0));
    vfs.unlink('audit.jsonl.1');
    expect(ok()).toBe(true);
    expect(ok([middle])).toBe(false);
  });

  it('shows that all of it was written anew', () => {
    const noted = [middle, last];
    build(2);
    expect(ok()).toBe(true);
    expect(ok([noted[0]!])).toBe(false);
    expect(ok([noted[1]!])).toBe(false);
  });

  it('lets a trail begin behind it', () => {
    const cut = (): AuditPoint => {
      const { seq, hash } = JSON.parse(linesOf('audit.jsonl.1').at(-1)!) as AuditPoint;
      return { seq, hash };
    };
    const before = cut();
    vfs.unlink('audit.jsonl.1');
    expect(ok()).toBe(false);
    expect(ok([before])).toBe(true);
    expect(ok([before, last])).toBe(true);
    expect(ok([{ ...before, hash: last.hash }])).toBe(false);
  });

  it('of the beginning is in every trail', () => {
    expect(ok([{ seq: 0, hash: '0'.repeat(64) }])).toBe(true);
  });
});

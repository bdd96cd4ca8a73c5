// Goal: recovery finds what was durable, drops a torn tail, refuses damage without changing a byte, and distinguishes its own files from
// others (rules F5, F6, O3, O4, P1). Method: logs in memory whose files are cut, damaged, removed or replaced by hand.
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs, Random, SimCrash, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { livePath, recoverLog, sealedPath, SEGMENT_HEADER_SIZE, setAside, sparePath, Wal } from '../src/index.ts';
import { decodeSegmentHeader, encodeSegmentHeader, SEG_VERSION } from '../src/segment/segment.ts';
import { REC_KIND, REC_LENGTH } from '../src/record/record.ts';
import { codeOf, contentOf, flipBit, makeNewer, patch, picture, replaceFile } from './support/files.ts';
import { IDENTITY, NO_LOG, PATH, recover, recoverAndClose, TestLog, walOptions } from './support/log.ts';

const LIVE = livePath(PATH);
const SPARE = sparePath(PATH);

/** A closed log of some segments; each record was synced and published. */
function segments(count: number, more: { segmentSize?: number } = {}): { vfs: MemoryVfs; log: TestLog } {
  const vfs = new MemoryVfs();
  const log = new TestLog(vfs, { segmentSize: 2048, ...more });
  while (log.wal.tail.seq < count) log.commitSynced(300);
  for (let i = 0; i < 3; i += 1) log.commitSynced(50);
  log.close();
  return { vfs, log };
}

/** Recovery refuses with this code, and not a byte has changed. */
function refuses(vfs: MemoryVfs, log: TestLog, code: string, start = NO_LOG): void {
  const before = picture(vfs);
  expect(codeOf(() => recoverAndClose(log.options, start))).toBe(code);
  expect(picture(vfs)).toEqual(before);
}

describe('what is found', () => {
  test('nothing, where there is nothing', () => {
    const { wal, records, strangers, droppedBytes } = recover(walOptions(new MemoryVfs()));
    expect({ wal, records, strangers, droppedBytes }).toEqual({
      wal: null,
      records: 0,
      strangers: [],
      droppedBytes: 0,
    });
  });

  test('an empty log', () => {
    const { vfs, log } = segments(1);
    const empty = new TestLog(new MemoryVfs());
    empty.close();
    expect(recoverAndClose(empty.options)).toMatchObject({ lsns: [], droppedBytes: 0 });
    expect(recoverAndClose({ ...log.options, vfs: new MemoryVfs() }).wal).toBeNull();
    expect(vfs.list('.')).toEqual([LIVE]);
  });

  test('every record, over all segments, and the log goes on', () => {
    const { log } = segments(4);
    const { wal, digests, records, droppedBytes } = recover(log.options);
    expect(digests).toEqual(log.digests);
    expect(records).toBe(log.lsn);
    expect(droppedBytes).toBe(0);
    expect(wal!.tail).toEqual(log.records.at(-1)!.end);
    expect(wal!.synced).toBe(wal!.tail.offset);
    log.wal = wal!;
    log.fillTo(6);
    log.close();
    expect(recoverAndClose(log.options).digests).toEqual(log.digests);
  });

  test('from any record on, as a checkpoint names it; what lies before goes', () => {
    for (let lsn = 1; lsn <= segments(4).log.lsn; lsn += 1) {
      const { vfs, log } = segments(4);
      const { seq } = log.records[lsn - 1]!;
      const recovered = recoverAndClose(log.options, log.startBehind(lsn));
      expect([lsn, recovered.digests]).toEqual([lsn, log.digests.slice(lsn)]);
      const endsSegment = log.records[lsn]?.seq === seq + 1;
      expect(vfs.list('.').filter((name) => name.endsWith('-wal'))).toEqual(
        [1, 2, 3]
          .filter((number) => number >= seq)
          .map((number) => sealedPath(PATH, number))
          .concat(LIVE),
      );
      if (!endsSegment) continue;
      // O3: the segment that ends at the replay position need not be there any more.
      vfs.unlink(sealedPath(PATH, seq));
      expect(recoverAndClose(log.options, log.startBehind(lsn)).digests).toEqual(log.digests.slice(lsn));
    }
  });

  test('with keepBefore, what lies before the start stays', () => {
    const { vfs, log } = segments(4);
    const before = picture(vfs);
    const lsn = log.records.findIndex(({ seq }) => seq === 3) + 1;
    recoverAndClose(log.options, log.startBehind(lsn), { keepBefore: true });
    expect(picture(vfs)).toEqual(before);
  });

  test('recovering again finds the same and changes nothing', () => {
    const { vfs, log } = segments(3);
    recoverAndClose(log.options);
    const before = picture(vfs);
    expect(recoverAndClose(log.options).digests).toEqual(log.digests);
    expect(picture(vfs)).toEqual(before);
  });

  test('what the visitor throws ends recovery before anything changes', () => {
    const { vfs, log } = segments(3);
    const before = picture(vfs);
    const visit = (): never => {
      throw new Error('stop');
    };
    expect(codeOf(() => recoverLog(log.options, NO_LOG, {}, visit))).toBe('Error: stop');
    expect(picture(vfs)).toEqual(before);
  });

  test('everything that is kept is durable afterwards, though it was only in the cache', () => {
    const disk = new SimDisk({ seed: 1 });
    const log = new TestLog(disk, { segmentSize: 2048 });
    log.fillTo(3, 300);
    log.commit(300); // not synced: a kill leaves it in the cache
    const killed = disk.kill();
    recoverAndClose({ ...log.options, vfs: killed });
    const lost = killed.crash({ keep: 'none', names: 'lost' }, new Random(1));
    expect(recoverAndClose({ ...log.options, vfs: lost }).digests).toEqual(log.digests);
  });
});

describe('interrupted rotation', () => {
  // The names that each step leaves, and whether recovery has to make a live segment.
  const steps = ['sync', 'create', 'pwrite', 'sync', 'rename', 'syncDir', 'rename', 'syncDir'];
  test.each(steps.map((step, index) => [index + 1, step] as const))(
    'before step %i, %s: every record is found and the log goes on',
    (step) => {
      for (const keep of ['none', 'all'] as const) {
        const disk = new SimDisk({ seed: 1 });
        const log = new TestLog(disk, { segmentSize: 2048 });
        log.commitSynced(1200);
        const seen: string[] = [];
        disk.onOperation = (_count, operation) => void seen.push(operation);
        disk.crashAt = disk.ops + step;
        expect(() => log.put(1200)).toThrow(SimCrash);
        expect(seen).toEqual(steps.slice(0, step - 1));
        const vfs = disk.crash(keep, new Random(1));
        const names = vfs.list('.').filter((name) => name !== SPARE);
        const sealed = keep === 'all' ? step >= 6 : step >= 7;
        expect(names).toEqual(
          sealed ? (step === 8 && keep === 'all' ? [sealedPath(PATH, 1), LIVE] : [sealedPath(PATH, 1)]) : [LIVE],
        );
        const { wal, digests } = recover({ ...log.options, vfs });
        expect(digests).toEqual(log.digests);
        expect(wal!.tail.seq).toBe(sealed ? 2 : 1);
        log.wal = wal!;
        log.commitSynced(1200);
        log.close();
        expect(recoverAndClose({ ...log.options, vfs }).digests).toEqual(log.digests);
      }
    },
  );

  test('a crash in the recovery that makes the live segment changes nothing about that', () => {
    const { vfs: memory, log } = segments(2);
    memory.unlink(LIVE);
    const expected = log.digests.slice(
      0,
      log.records.findIndex(({ seq }) => seq === 2),
    );
    const at = (crashAt: number): SimDisk => {
      const disk = new SimDisk({ seed: 5 });
      replaceFile(disk, sealedPath(PATH, 1), contentOf(memory, sealedPath(PATH, 1)));
      const file = disk.open(sealedPath(PATH, 1), { write: true });
      file.sync('full');
      file.close();
      disk.syncDir('.');
      disk.crashAt = disk.ops + crashAt;
      return disk;
    };
    for (let crashAt = 1; ; crashAt += 1) {
      const disk = at(crashAt);
      let finished = true;
      try {
        expect(recoverAndClose({ ...log.options, vfs: disk }).digests).toEqual(expected);
      } catch (error) {
        if (!(error instanceof SimCrash)) throw error;
        finished = false;
      }
      for (let seed = 0; seed < 10; seed += 1) {
        const vfs = disk.crash({ keep: 'random', names: 'random', lost: 'old' }, new Random(seed));
        expect(recoverAndClose({ ...log.options, vfs }).digests).toEqual(expected);
      }
      if (finished) break;
      expect(crashAt).toBeLessThan(20);
    }
  });

  test('a record that was appended to a segment sealed by another writer does not count', () => {
    // F5: a writer dies with a record behind the published end; the next one seals the segment at that end.
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.commitSynced(600);
    log.put(300); // never published
    log.records.pop();
    const tail = log.records.at(-1)!.end;
    const { files, time } = log.wal;
    log.wal.close();
    log.wal = Wal.attach(log.options, files, { tail, covered: tail.offset, time });
    log.commitSynced(2000); // rotates at the published end
    expect(log.wal.tail.seq).toBe(2);
    log.close();
    expect(recoverAndClose(log.options).digests).toEqual(log.digests);
  });
});

describe('torn tail', () => {
  test('of every length: the record is dropped, the ones before stay, and the log goes on', () => {
    const { log } = segments(2);
    const tail = log.records.at(-1)!;
    for (let size = tail.offset; size < tail.end.offset; size += 3) {
      const { vfs, log: other } = segments(2);
      const live = contentOf(vfs, LIVE);
      // Nothing behind it names it as synced: the last record is as good as torn.
      replaceFile(vfs, LIVE, live.subarray(0, size));
      const { wal, digests, droppedBytes } = recover(other.options);
      expect([size, digests]).toEqual([size, other.digests.slice(0, -1)]);
      expect(droppedBytes).toBe(size - tail.offset);
      other.records.pop();
      other.wal = wal!;
      other.commitSynced(200);
      other.close();
      expect(recoverAndClose(other.options).digests).toEqual(other.digests);
    }
  });

  test('a record that was dropped is not found again behind a new one, though that is written like the old one', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    log.commitSynced(100);
    const put = (lsn: number): void => {
      log.builder.begin(1, lsn, 1_800_000_000_000, 5);
      log.builder.addBytes(new Uint8Array(400).fill(7));
      log.wal.append(log.builder);
    };
    const first = log.wal.tail.offset;
    put(2);
    const second = log.wal.tail.offset;
    put(3);
    const third = log.wal.tail.offset;
    log.close();
    flipBit(vfs, LIVE, first + 80); // a sector of the second was lost; the third is whole
    const { wal, lsns, droppedBytes } = recover(log.options);
    expect([lsns, droppedBytes]).toEqual([[1], third - first]);
    log.wal = wal!;
    put(2);
    wal!.publish();
    expect(wal!.tail.offset).toBe(second);
    log.close();
    const again = recoverAndClose(log.options);
    expect([again.lsns, again.wal!.tail.offset]).toEqual([[1, 2], second]);
  });

  test('zeros and noise after the tail are ignored', () => {
    const { vfs, log } = segments(2);
    const live = contentOf(vfs, LIVE);
    for (const rest of [new Uint8Array(5000), new Random(1).bytes(5000), new Random(2).bytes(3)]) {
      replaceFile(vfs, LIVE, Uint8Array.of(...live, ...rest));
      expect(recoverAndClose(log.options)).toMatchObject({ digests: log.digests, droppedBytes: rest.length });
    }
  });

  test('records of the same segment from another place, copied behind the tail, do not continue it', () => {
    const { vfs, log } = segments(1, { segmentSize: 1 << 20 });
    const live = contentOf(vfs, LIVE);
    for (const { offset, end } of log.records) {
      replaceFile(vfs, LIVE, Uint8Array.of(...live, ...live.subarray(offset, end.offset)));
      expect(recoverAndClose(log.options).digests).toEqual(log.digests);
    }
  });

  test('records of another log behind the tail, with the same numbers of segment and commits, say nothing about this one', () => {
    const other = { vfs: new MemoryVfs() };
    const long = new TestLog(other.vfs, { segmentSize: 1 << 20 });
    for (let i = 0; i < 20; i += 1) long.commitSynced(300); // they name places behind the tail of this one as synced
    long.close();
    for (let i = 0; i < 20; i += 1) {
      const { vfs, log } = segments(1, { segmentSize: 1 << 20 });
      const tail = log.records.at(-1)!.end.offset;
      replaceFile(
        vfs,
        LIVE,
        Uint8Array.of(
          ...contentOf(vfs, LIVE),
          ...new Uint8Array(8 * i),
          ...contentOf(other.vfs, LIVE).subarray(SEGMENT_HEADER_SIZE),
        ),
      );
      const { digests, wal } = recoverAndClose(log.options);
      expect([digests, wal!.tail.offset]).toEqual([log.digests, tail]);
    }
  });

  test('a record whose number does not follow ends the log', () => {
    for (const lsn of [1, 3, 2 ** 40]) {
      const log = new TestLog(new MemoryVfs());
      log.commit();
      log.builder.begin(1, lsn, 1_700_000_000_000, 5);
      log.wal.append(log.builder);
      log.close();
      expect(recoverAndClose(log.options).lsns).toEqual([1]);
    }
  });

  test('fields that a torn header may have: a length beyond the file, below a header, not a multiple of 8', () => {
    for (const length of [0, 8, 71, 76, 2 ** 20, 2 ** 31, 2 ** 32 - 8]) {
      const { vfs, log } = segments(2);
      patch(vfs, LIVE, log.records.at(-1)!.offset + REC_LENGTH, new Uint8Array(new Uint32Array([length]).buffer));
      expect(recoverAndClose(log.options).digests).toEqual(log.digests.slice(0, -1));
    }
  });
});

describe('damage to synced data is refused, and nothing changes', () => {
  test('in any record but the last', () => {
    const { log: plan } = segments(3);
    for (let lsn = 1; lsn < plan.lsn; lsn += 1) {
      const { vfs, log } = segments(3);
      const { seq, offset, end } = log.records[lsn - 1]!;
      const path = seq === 3 ? LIVE : sealedPath(PATH, seq);
      flipBit(vfs, path, offset + ((end.offset - offset) >> 1), 3);
      refuses(vfs, log, 'SOMBRA_WAL_DAMAGED');
    }
  });

  test('in the last record of a segment, which the header of the next one names', () => {
    const { vfs, log } = segments(2);
    const last = log.records.findLast(({ seq }) => seq === 1)!;
    flipBit(vfs, sealedPath(PATH, 1), last.offset + 100);
    refuses(vfs, log, 'SOMBRA_WAL_DAMAGED');
  });

  test('in the last record, when a header in shm says that it was synced', () => {
    const { vfs, log } = segments(2);
    const last = log.records.at(-1)!;
    const salt = decodeSegmentHeader(contentOf(vfs, LIVE))!.salt;
    flipBit(vfs, LIVE, last.offset + 80);
    refuses(vfs, log, 'SOMBRA_WAL_DAMAGED', { ...NO_LOG, synced: { salt, offset: last.end.offset } });
    // Of another segment, or up to the place where the chain ends: it says nothing.
    for (const synced of [
      { salt: salt.map((byte) => byte ^ 1), offset: last.end.offset },
      { salt, offset: last.offset },
    ]) {
      expect(recoverAndClose(log.options, { ...NO_LOG, synced }).digests).toEqual(log.digests.slice(0, -1));
    }
  });

  test('a cut file whose records were synced, by a later one that names them', () => {
    const { vfs, log } = segments(2);
    const { offset } = log.records.find(({ seq }) => seq === 2)!;
    const live = contentOf(vfs, LIVE);
    live.fill(0, offset, offset + 8);
    replaceFile(vfs, LIVE, live);
    refuses(vfs, log, 'SOMBRA_WAL_DAMAGED');
  });

  test('a header under the live name or a sealed name that cannot be read', () => {
    for (const path of [LIVE, sealedPath(PATH, 1), sealedPath(PATH, 2)]) {
      const { vfs, log } = segments(3);
      flipBit(vfs, path, 100);
      refuses(vfs, log, 'SOMBRA_WAL_DAMAGED');
      replaceFile(vfs, path, new Uint8Array(0));
      refuses(vfs, log, 'SOMBRA_WAL_DAMAGED');
    }
  });

  test('a header of a newer format says so', () => {
    const { vfs, log } = segments(2);
    patch(vfs, LIVE, SEG_VERSION, Uint8Array.of(2)); // damage
    refuses(vfs, log, 'SOMBRA_WAL_DAMAGED');
    makeNewer(vfs, LIVE);
    refuses(vfs, log, 'SOMBRA_FORMAT_VERSION');
  });

  test('a gap between segments', () => {
    const { vfs, log } = segments(4);
    vfs.unlink(sealedPath(PATH, 2));
    refuses(vfs, log, 'SOMBRA_WAL_DAMAGED');
    vfs.unlink(sealedPath(PATH, 3));
    refuses(vfs, log, 'SOMBRA_WAL_DAMAGED');
  });

  test('a segment that ends before the replay position', () => {
    const { vfs, log } = segments(1, { segmentSize: 1 << 20 });
    const start = log.startBehind(log.lsn);
    const { offset } = log.records.at(-1)!;
    replaceFile(vfs, LIVE, contentOf(vfs, LIVE).subarray(0, offset + 5));
    refuses(vfs, log, 'SOMBRA_WAL_DAMAGED', start);
  });

  test('a record of an unknown kind, whose chain is right', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs);
    log.commitSynced(100);
    log.builder.begin(7, 2, 1_700_000_000_000, 1);
    log.wal.append(log.builder);
    log.wal.publish();
    log.close();
    expect(new DataView(contentOf(vfs, LIVE).buffer).getUint32(log.records[0]!.end.offset + REC_KIND, true)).toBe(7);
    refuses(vfs, log, 'SOMBRA_WAL_RECORD');
  });

  test('below the replay position, headers do not matter: those files go', () => {
    const { vfs, log } = segments(3);
    const lsn = log.records.findIndex(({ seq }) => seq === 3) + 1;
    flipBit(vfs, sealedPath(PATH, 1), 100);
    flipBit(vfs, sealedPath(PATH, 2), 100);
    expect(recoverAndClose(log.options, log.startBehind(lsn)).digests).toEqual(log.digests.slice(lsn));
    expect(vfs.list('.')).toEqual([LIVE]);
  });

  test('under the spare name nothing matters', () => {
    const { vfs, log } = segments(2);
    for (const bytes of [new Uint8Array(0), new Random(1).bytes(2000), contentOf(vfs, sealedPath(PATH, 1))]) {
      replaceFile(vfs, SPARE, bytes);
      expect(recoverAndClose(log.options).digests).toEqual(log.digests);
    }
  });

  test('random bits: an error, or the records before them', () => {
    const random = new Random(11);
    const { vfs, log } = segments(3);
    const files = [LIVE, sealedPath(PATH, 1), sealedPath(PATH, 2)].map((path) => [path, contentOf(vfs, path)] as const);
    let refused = 0;
    for (let run = 0; run < 1500; run += 1) {
      for (const [path, bytes] of files) replaceFile(vfs, path, bytes);
      const flips = 1 + random.below(3);
      for (let i = 0; i < flips; i += 1) {
        const [path, bytes] = random.pick(files);
        flipBit(vfs, path, random.below(bytes.length), random.below(8));
      }
      const damaged = picture(vfs);
      let digests: number[] = [];
      const code = codeOf(() => ({ digests } = recoverAndClose(log.options)));
      if (code === 'no error') {
        expect(digests).toEqual(log.digests.slice(0, digests.length));
        // Each flip may take a record at the very end, which nothing behind it names as synced.
        expect(digests.length).toBeGreaterThanOrEqual(log.lsn - flips);
      } else {
        expect(['SOMBRA_WAL_DAMAGED', 'SOMBRA_FORMAT_VERSION']).toContain(code);
        expect(picture(vfs)).toEqual(damaged);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(1200);
  });
});

describe('toLastGood', () => {
  test('keeps the records before damage, drops the rest for good, and the log goes on', () => {
    const { log: plan } = segments(3);
    for (let lsn = 1; lsn <= plan.lsn; lsn += 1) {
      const { vfs, log } = segments(3);
      const { seq, offset } = log.records[lsn - 1]!;
      flipBit(vfs, seq === 3 ? LIVE : sealedPath(PATH, seq), offset + 90);
      const { wal, digests, droppedBytes } = recover(log.options, NO_LOG, { toLastGood: true });
      expect([lsn, digests]).toEqual([lsn, log.digests.slice(0, lsn - 1)]);
      expect(droppedBytes).toBeGreaterThan(0);
      log.records.length = lsn - 1;
      log.wal = wal!;
      log.commitSynced(200);
      log.commitSynced(200);
      log.close();
      expect(recoverAndClose(log.options).digests).toEqual(log.digests);
    }
  });

  test('without damage it changes nothing about the answer', () => {
    const { log } = segments(3);
    expect(recoverAndClose(log.options, NO_LOG, { toLastGood: true })).toMatchObject({
      digests: log.digests,
      droppedBytes: 0,
    });
  });

  test('a header that cannot be read: of a later segment, or of the first', () => {
    const { vfs, log } = segments(3);
    flipBit(vfs, LIVE, 60);
    const kept = log.records.findIndex(({ seq }) => seq === 3);
    expect(recoverAndClose(log.options, NO_LOG, { toLastGood: true }).digests).toEqual(log.digests.slice(0, kept));
    expect(recoverAndClose(log.options).digests).toEqual(log.digests.slice(0, kept));
    const first = segments(3);
    flipBit(first.vfs, sealedPath(PATH, 1), 60);
    const recovered = recover(first.log.options, NO_LOG, { toLastGood: true });
    expect(recovered.wal).toBeNull();
    expect(recovered.droppedBytes).toBeGreaterThan(4096);
    expect(first.vfs.list('.')).toEqual([]);
  });

  test('a gap', () => {
    const { vfs, log } = segments(4);
    vfs.unlink(sealedPath(PATH, 2));
    const kept = log.records.findIndex(({ seq }) => seq === 2);
    expect(recoverAndClose(log.options, NO_LOG, { toLastGood: true }).digests).toEqual(log.digests.slice(0, kept));
    expect(vfs.list('.')).toEqual([sealedPath(PATH, 1), LIVE]);
    expect(recoverAndClose(log.options).digests).toEqual(log.digests.slice(0, kept));
  });
});

describe('files that are not the log', () => {
  /** A log of another database, or another timeline of this one. */
  function stranger(timeline: number): Uint8Array {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { identity: { ...IDENTITY, timeline } });
    log.commitSynced();
    log.close();
    return contentOf(vfs, LIVE);
  }

  test('are not replayed, not changed, and set aside under a name of their own', () => {
    const vfs = new MemoryVfs();
    const bytes = stranger(2);
    replaceFile(vfs, LIVE, bytes);
    replaceFile(vfs, sealedPath(PATH, 7), bytes);
    const result = recover(walOptions(vfs));
    expect(result.wal).toBeNull();
    expect(result.strangers.map(({ path }) => path)).toEqual([sealedPath(PATH, 7), LIVE]);
    const names = setAside(walOptions(vfs), result);
    const salt = Buffer.from(decodeSegmentHeader(bytes)!.salt).toString('hex');
    expect(names).toEqual([`t.db-wal.set-aside-${salt}`, `t.db-wal.set-aside-${salt}-2`]);
    expect(vfs.list('.')).toEqual(names);
    for (const name of names) expect(contentOf(vfs, name)).toEqual(bytes);
    expect(recover(walOptions(vfs)).strangers).toEqual([]);
  });

  test('one under the live name gives way to the live segment that recovery makes', () => {
    const { vfs, log } = segments(2);
    const kept = log.records.findIndex(({ seq }) => seq === 2);
    const bytes = stranger(2);
    replaceFile(vfs, LIVE, bytes);
    const result = recover(log.options);
    expect(result.digests).toEqual(log.digests.slice(0, kept));
    const [name] = setAside(log.options, result);
    expect(contentOf(vfs, name!)).toEqual(bytes);
    log.records.length = kept;
    log.wal = result.wal!;
    log.commitSynced();
    log.close();
    expect(recoverAndClose(log.options).digests).toEqual(log.digests);
  });

  test('names that only look like ours are left alone', () => {
    const { vfs, log } = segments(2);
    const names = ['t.db-01-wal', 't.db-x-wal', 't.db-1-wal.bak', 'u.db-1-wal', 't.db'];
    for (const name of names) replaceFile(vfs, name, new Random(1).bytes(100));
    expect(recoverAndClose(log.options)).toMatchObject({ digests: log.digests, strangers: [] });
    for (const name of names) expect(vfs.stat(name)).not.toBeNull();
  });

  test('a segment under the number of another one', () => {
    const { vfs, log } = segments(3);
    replaceFile(vfs, sealedPath(PATH, 9), contentOf(vfs, sealedPath(PATH, 1)));
    const { strangers, digests } = recoverAndClose(log.options);
    expect(digests).toEqual(log.digests);
    expect(strangers.map(({ path }) => path)).toEqual([sealedPath(PATH, 9)]);
  });

  test('databases whose names differ by a number keep out of the way of each other', () => {
    const vfs = new MemoryVfs();
    for (const path of ['a', 'a-1', 'a-3']) replaceFile(vfs, path, new Uint8Array(1)); // the main files
    const log = (path: string, timeline: number): TestLog =>
      new TestLog(vfs, { path, segmentSize: 2048, identity: { ...IDENTITY, timeline } });
    const third = log('a-3', 3);
    third.commitSynced();
    third.close();
    const first = log('a', 1);
    first.fillTo(3, 300);
    const before = picture(vfs);
    // a-3-wal is not a stranger to a, and never replaced by its segment 3.
    expect(codeOf(() => first.fillTo(4, 300))).toBe('SOMBRA_WAL_EXISTS');
    first.close();
    expect(recoverAndClose(first.options)).toMatchObject({ digests: first.digests, strangers: [] });
    // Its segment 1 is not set aside, nor replaced, when a-1 wants a log.
    const second = { ...first.options, path: 'a-1', identity: { ...IDENTITY, timeline: 2 } };
    expect(codeOf(() => recoverAndClose(second))).toBe('SOMBRA_WAL_EXISTS');
    expect(codeOf(() => log('a-1', 2))).toBe('SOMBRA_WAL_EXISTS');
    expect(picture(vfs).length).toBe(before.length);
    expect(recoverAndClose(first.options).digests).toEqual(first.digests);
    expect(recoverAndClose(third.options).digests).toEqual(third.digests);
  });

  test('giving up segments leaves the log of such a neighbour alone', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { path: 'a', segmentSize: 2048 });
    log.fillTo(3, 300);
    log.wal.release(2);
    const neighbour = new TestLog(vfs, { path: 'a-1', identity: { ...IDENTITY, timeline: 2 } });
    neighbour.commitSynced();
    log.fillTo(5, 300);
    log.wal.release(5);
    log.wal.removeAll();
    neighbour.close();
    expect(vfs.list('.')).toEqual(['a-1-wal']);
    expect(recoverAndClose(neighbour.options).digests).toEqual(neighbour.digests);
  });

  test('a file that is used again, under its old name because the new one was not durable, is no stranger: it goes', () => {
    const { vfs, log } = segments(4);
    const lsn = log.records.findIndex(({ seq }) => seq === 3) + 1;
    const header = decodeSegmentHeader(contentOf(vfs, LIVE))!;
    patch(vfs, sealedPath(PATH, 1), 0, encodeSegmentHeader({ ...header, seq: 5, salt: new Random(1).bytes(8) }));
    const { strangers, digests } = recoverAndClose(log.options, log.startBehind(lsn));
    expect(strangers).toEqual([]);
    expect(digests).toEqual(log.digests.slice(lsn));
    expect(vfs.stat(sealedPath(PATH, 1))).toBeNull();
  });

  test('a main file older than the whole log is refused', () => {
    const { vfs, log } = segments(3);
    vfs.unlink(sealedPath(PATH, 1));
    refuses(vfs, log, 'SOMBRA_RESTORE_MISMATCH');
  });

  test('a main file newer than the log: the log is set aside', () => {
    const { log } = segments(4);
    const old = segments(1);
    const start = log.startBehind(log.lsn);
    const { wal, strangers } = recoverAndClose(old.log.options, start);
    expect(wal).toBeNull();
    expect(strangers.map(({ path }) => path)).toEqual([LIVE]);
  });

  test('later segments of another history are set aside, whatever their time: one by one, each names the one before', () => {
    const { vfs, log } = segments(3);
    const live = decodeSegmentHeader(contentOf(vfs, LIVE))!;
    let previous = { ...live.previous, salt: new Random(1).bytes(8) };
    for (const seq of [4, 5, 6]) {
      const salt = new Random(seq).bytes(8);
      const header = { ...live, seq, salt, previous, time: live.time + seq * 1000 };
      replaceFile(vfs, sealedPath(PATH, seq), encodeSegmentHeader(header));
      previous = { ...previous, salt };
    }
    const { digests, strangers } = recoverAndClose(log.options);
    expect(digests).toEqual(log.digests);
    expect(strangers.map(({ path }) => path).sort()).toEqual([4, 5, 6].map((seq) => sealedPath(PATH, seq)));
  });

  test('two histories of one database in one segment: the log of the other one is set aside', () => {
    const { vfs, log } = segments(1, { segmentSize: 1 << 20 });
    const base = contentOf(vfs, LIVE);
    const go = (digests: number): { log: TestLog; vfs: MemoryVfs } => {
      const copy = new MemoryVfs({ env: vfs.env });
      replaceFile(copy, LIVE, base);
      const other = new TestLog(new MemoryVfs());
      other.close();
      const next = Object.assign(other, { options: { ...log.options, vfs: copy }, records: [...log.records] });
      next.wal = recover(next.options).wal!;
      for (let i = 0; i < digests; i += 1) next.commitSynced(100 * digests);
      next.close();
      return { log: next, vfs: copy };
    };
    const [ours, theirs] = [go(2), go(5)];
    const start = ours.log.startBehind(ours.log.lsn);
    const { wal, strangers, digests } = recoverAndClose({ ...log.options, vfs: theirs.vfs }, start);
    expect([wal, digests]).toEqual([null, []]);
    expect(strangers.map(({ path }) => path)).toEqual([LIVE]);
    // And the other way round: our log ends before their position.
    expect(
      codeOf(() => recoverAndClose({ ...log.options, vfs: ours.vfs }, theirs.log.startBehind(theirs.log.lsn))),
    ).toBe('SOMBRA_WAL_DAMAGED');
  });
});

describe('old bytes of files that are used again', () => {
  test('are never accepted, wherever the new records end', () => {
    for (let extra = 0; extra < 12; extra += 1) {
      const vfs = new MemoryVfs();
      const log = new TestLog(vfs, { segmentSize: 2048 });
      log.fillTo(3, 250);
      const lsn = log.records.findIndex(({ seq }) => seq === 3);
      const start = log.startBehind(lsn);
      log.wal.release(3);
      log.fillTo(4, 250);
      for (let i = 0; i < extra && log.wal.tail.seq === 4; i += 1) log.commit(100);
      log.close();
      expect(recoverAndClose(log.options, start).digests).toEqual(log.digests.slice(lsn));
    }
  });

  test('nor does what they name as synced count as damage of the new segment', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.fillTo(3, 250);
    const lsn = log.records.findIndex(({ seq }) => seq === 3);
    const start = log.startBehind(lsn);
    log.wal.release(3);
    log.fillTo(4, 250);
    log.close();
    const last = log.records.at(-1)!;
    flipBit(vfs, LIVE, last.offset + 80);
    expect(recoverAndClose(log.options, start).digests).toEqual(log.digests.slice(lsn, -1));
  });
});

describe('errors of the disk while recovering', () => {
  test('come through, and the next try succeeds', () => {
    const { vfs: memory } = segments(3);
    const counting = new FaultyVfs(memory);
    const options = { ...segments(3).log.options, vfs: counting };
    const { digests } = recoverAndClose(options);
    const total = counting.calls;
    for (let nth = 1; nth <= total; nth += 1) {
      const vfs = new FaultyVfs(memory, [{ op: 'any', nth, action: 'EIO' }]);
      const code = codeOf(() => recoverAndClose({ ...options, vfs }));
      expect(['SOMBRA_IO', 'SOMBRA_SYNC']).toContain(code);
      vfs.heal();
      expect(recoverAndClose({ ...options, vfs }).digests).toEqual(digests);
    }
    expect(total).toBeGreaterThan(20);
  });

  test('a file that is shorter than it was, while it is written again, is damage', () => {
    const { vfs, log } = segments(1);
    let reads = 0;
    const shrinking = new FaultyVfs(vfs);
    const inner = shrinking.check.bind(shrinking);
    shrinking.check = (op, path, at) => {
      // The last read, from byte 0 on, is the one that writes the records again.
      if (op === 'pread' && at === 0 && (reads += 1) === 2)
        vfs.open(LIVE, { write: true }).truncate(SEGMENT_HEADER_SIZE + 8);
      return inner(op, path, at);
    };
    expect(codeOf(() => recoverAndClose({ ...log.options, vfs: shrinking }))).toBe('SOMBRA_WAL_DAMAGED');
  });
});

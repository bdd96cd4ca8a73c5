// The log of a database as an archive has it: bytes of segments and of placed pages, and a replay of them on a copy.
import { MemoryVfs, preadFully } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { LogStream, openSegment, SEGMENT_HEADER_SIZE } from '@sombra/wal';
import type { LogIdentity } from '@sombra/wal';
import { CopyRestore, placedCommits, placedPath, PlacedReader } from '../../src/index.ts';
import type { DatabaseCopy, PlacedHeader } from '../../src/index.ts';
import { PATH } from './life.ts';
import type { Random } from './random.ts';

/** What is kept of a database's log. */
export interface ArchivedLog {
  /** By number; each up to the end of its records. */
  readonly segments: Map<number, Uint8Array>;
  /** By commit. */
  readonly placed: Map<number, Uint8Array>;
}

export function contentOf(vfs: Vfs, path: string): Uint8Array {
  const file = vfs.open(path, { write: false });
  const bytes = new Uint8Array(file.stat().size);
  preadFully(file, bytes, 0);
  file.close();
  return bytes;
}

/** Copies a log away. @param end  where it ends in its live segment @param from  the first segment */
export function archiveOf(
  vfs: Vfs,
  identity: LogIdentity,
  end: { readonly seq: number; readonly offset: number },
  from = 1,
): ArchivedLog {
  const segments = new Map<number, Uint8Array>();
  for (let seq = from; seq <= end.seq; seq += 1) {
    const next = seq === end.seq ? undefined : openSegment(vfs, PATH, identity, seq + 1);
    next?.file.close();
    const opened = openSegment(vfs, PATH, identity, seq);
    if (opened === undefined) continue;
    const bytes = new Uint8Array(next?.header.previous.end ?? end.offset);
    preadFully(opened.file, bytes, 0);
    opened.file.close();
    segments.set(seq, bytes);
  }
  const placed = new Map(placedCommits(vfs, PATH).map((lsn) => [lsn, contentOf(vfs, placedPath(PATH, lsn))]));
  return { segments, placed };
}

/** What a copy says, and its bytes. */
export interface BaseCopy
  extends Pick<DatabaseCopy, 'lsn' | 'position' | 'pageSize' | 'databaseId' | 'sourceTimeline'> {
  readonly bytes: Uint8Array;
}

/**
 * Restores a copy and replays the log on it up to a commit.
 * @returns a file system with the database, and the commit that was reached
 */
export function replayed(
  base: BaseCopy,
  { segments, placed }: ArchivedLog,
  target: number,
  random: Random,
): { readonly vfs: Vfs; readonly lsn: number } {
  const vfs = new MemoryVfs();
  const restore = new CopyRestore(vfs, PATH, 'base');
  try {
    restore.push(base.bytes);
    const replay = restore.beginLog();
    const { pageSize, databaseId, sourceTimeline: timeline, position, lsn } = base;
    const stream = new LogStream({ pageSize, databaseId, timeline }, { ...position!, lsn });
    for (let { seq } = position!; replay.newest.lsn < target; seq += 1) {
      const bytes = segments.get(seq);
      if (bytes === undefined) break;
      stream.begin(bytes.subarray(0, SEGMENT_HEADER_SIZE), `segment ${seq}`);
      for (let at = stream.place.offset; at < bytes.length && replay.newest.lsn < target; ) {
        const count = Math.min(1 + random.below(9000), bytes.length - at);
        stream.push(bytes.subarray(at, at + count));
        at += count;
        while (replay.newest.lsn < target && stream.next()) {
          const { record } = stream;
          let header: PlacedHeader | undefined;
          const pages = placed.get(record.lsn);
          if (replay.begin(record) && pages !== undefined) {
            const reader = new PlacedReader(`pages of commit ${record.lsn}`, (page, found, from) =>
              replay.place(record, page, found, from),
            );
            for (let from = 0; from < pages.length; from += 5000) reader.push(pages.subarray(from, from + 5000));
            header = reader.end();
          }
          replay.apply(record, header);
        }
      }
    }
    return { vfs, lsn: (replay.finish(), restore.finish()).lsn };
  } finally {
    restore.abandon();
  }
}

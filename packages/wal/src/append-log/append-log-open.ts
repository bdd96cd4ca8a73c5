/**
 * Opening an append log. There is no file beside the segments that says where it begins: it begins with the oldest segment, and
 * that is safe because segments are given up one after the other, each removal durable before the next, so that a crash leaves
 * no gap. Steps:
 *
 * 1. The headers of all segments are read. They must be one chain: same log, consecutive numbers, each joining the one before
 *    as far as headers show. What is not part of it is refused, and nothing is changed.
 * 2. The newest segment is recovered (rules F5, F6). Older ones are sealed, which means synced: their records are read, and
 *    checked, when a reader asks for them. With `toLastGood` all of them are read now.
 * 3. Without any segment a new log begins.
 */
import { sameBytes, StateError } from '@sombra/vfs';
import type { ResolvedAppendLogOptions } from './append-log-options.ts';
import { damaged, unreadableHeader } from '../segment/found-segments.ts';
import type { RecordView } from '../record/record.ts';
import { recoverLog } from '../log/recovery.ts';
import type { LogIdentity, SegmentHeader } from '../segment/segment.ts';
import { livePath, sameLog, SALT_SIZE, SEGMENT_HEADER_SIZE } from '../segment/segment.ts';
import { namedSegments, readHeader } from '../segment/segment-names.ts';
import { Wal } from '../log/wal.ts';
import type { WalOptions } from '../segment/wal-options.ts';

/** Page size in the headers of a log that has no pages. */
export const NO_PAGES = 0;

/** An append log as it was found or made. */
export interface OpenedAppendLog {
  readonly wal: Wal;
  /** Headers of all segments, oldest first; the last one is live. */
  readonly headers: SegmentHeader[];
  /** Position of the last record; 0 when there never was one. */
  readonly last: number;
  /** Bytes of records behind damage or of a torn tail. */
  readonly droppedBytes: number;
}

/** Opens, creating and recovering as needed. @throws see `AppendLog.open` */
export function openAppendLog(options: ResolvedAppendLogOptions): OpenedAppendLog {
  const { vfs, path, segmentSize, syncMode, toLastGood } = options;
  const headers = readChain(options);
  const [oldest] = headers;
  const where = (identity: LogIdentity): WalOptions => ({ vfs, path, identity, segmentSize, syncMode });
  if (oldest === undefined) return create(where({ pageSize: NO_PAGES, databaseId: vfs.env.random(16), timeline: 1 }));
  const first = toLastGood ? oldest : headers.at(-1)!;
  let last = first.baseLsn;
  const visit = (record: RecordView): void => {
    last = record.lsn;
  };
  const start = {
    position: { seq: first.seq, offset: SEGMENT_HEADER_SIZE },
    salt: first.salt,
    chain: first.chain,
    lsn: first.baseLsn,
  };
  const { wal, droppedBytes } = recoverLog(where(oldest), start, { toLastGood, keepBefore: true }, visit);
  if (wal === null) throw damaged(`segment ${first.seq} of ${path} was replaced meanwhile`, { path });
  const kept = headers.filter(({ seq }) => seq < wal.tail.seq);
  return { wal, headers: [...kept, liveHeader(where(oldest))], last, droppedBytes };
}

function create(options: WalOptions): OpenedAppendLog {
  const wal = Wal.create(options, { seq: 1, lsn: 0, previous: { salt: new Uint8Array(SALT_SIZE), end: 0, chain: 0 } });
  return { wal, headers: [liveHeader(options)], last: 0, droppedBytes: 0 };
}

/** Header of the live segment. @throws CorruptionError SOMBRA_WAL_DAMAGED */
export function liveHeader({ vfs, path }: Pick<WalOptions, 'vfs' | 'path'>): SegmentHeader {
  const file = vfs.open(livePath(path), { write: false });
  try {
    const header = readHeader(file);
    if (header === undefined) throw damaged(`the header of ${livePath(path)} cannot be read`, { path: livePath(path) });
    return header;
  } finally {
    file.close();
  }
}

/** Step 1. With `toLastGood`, what follows a gap or a header that cannot be read is left out. */
function readChain({ vfs, path, toLastGood }: ResolvedAppendLogOptions): SegmentHeader[] {
  const chain: SegmentHeader[] = [];
  for (const file of namedSegments(vfs, path)) {
    const { header } = file;
    const before = chain.at(-1);
    if (header === undefined) {
      if (toLastGood && before !== undefined) break;
      throw unreadableHeader(file);
    }
    if (header.pageSize !== NO_PAGES) {
      throw new StateError(
        'SOMBRA_WAL_FOREIGN',
        `${file.path} belongs to a database and not to an append log: choose another path`,
        {
          details: { path: file.path },
        },
      );
    }
    const misnamed = file.seq !== Infinity && file.seq !== header.seq;
    if (misnamed || (before !== undefined && (!sameLog(before, header) || header.seq <= before.seq))) {
      throw new StateError('SOMBRA_WAL_FOREIGN', `${file.path} does not belong to the log of ${path}: move it away`, {
        details: { path: file.path },
      });
    }
    if (before !== undefined && !follows(before, header)) {
      if (toLastGood) break;
      throw damaged(`segment ${before.seq + 1} of ${path} is missing, and segment ${header.seq} is there`, {
        seq: before.seq + 1,
      });
    }
    chain.push(header);
  }
  return chain;
}

function follows(before: SegmentHeader, header: SegmentHeader): boolean {
  return (
    header.seq === before.seq + 1 &&
    sameBytes(header.previous.salt, 0, before.salt, 0, SALT_SIZE) &&
    header.baseLsn >= before.baseLsn
  );
}

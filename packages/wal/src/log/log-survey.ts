/**
 * What lies under the names of a log, for operators: read only, judging each file by itself. Unlike recovery it goes on past damage, needs
 * no locks and may see a record that is just being written.
 */
import { CorruptionError, IoError, sameBytes } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type { RecoveryStart } from './recovery-options.ts';
import { RecordView } from '../record/record.ts';
import { joins, sameLog, SALT_SIZE, SEGMENT_HEADER_SIZE } from '../segment/segment.ts';
import type { LogIdentity, SegmentHeader } from '../segment/segment.ts';
import { namedSegments } from '../segment/segment-names.ts';
import type { NamedSegment } from '../segment/segment-names.ts';
import { SegmentReader } from '../segment/segment-reader.ts';
import type { ChainState } from '../segment/record-chain.ts';

/** Tries while others rename segments. */
const TRIES = 5;

/** A file with the name of a segment. */
export interface SurveyedSegment {
  readonly path: string;
  /** Number that the header gives, or the name if the header cannot be read; null for the live name then. */
  readonly seq: number | null;
  /** Has it the name of the segment that is written? */
  readonly live: boolean;
  /** bytes of the file */
  readonly size: number;
  /**
   * `replayed`: recovery reads it; `checkpointed`: it lies before the replay position; `other log`: of another database, timeline or
   * history; `newer format`; `unreadable`: its header is damaged.
   */
  readonly state: 'replayed' | 'checkpointed' | 'other log' | 'newer format' | 'unreadable';
  /** null when it cannot be read */
  readonly header: SegmentHeader | null;
  /** Commits that were read, from the replay position on; 0 when the segment is not replayed. */
  readonly records: number;
  /** Commit behind which the segment ends, as far as it was read. */
  readonly lastLsn: number;
  /** Time of the last commit that was read, ms; 0 without one. */
  readonly lastTime: number;
  /** Offset behind the last record that was read. */
  readonly end: number;
  /** Where synced bytes cannot be read, and up to where they were synced; null when nothing shows damage. */
  readonly damage: { readonly offset: number; readonly durable: number } | null;
}

/**
 * Lists the files of a log.
 * @param start  the replay position that the database names
 * @returns sealed segments ascending, then the live one
 * @throws IoError SOMBRA_IO
 */
export function surveyLog(
  where: { readonly vfs: Vfs; readonly path: string; readonly identity: LogIdentity },
  start: RecoveryStart,
): SurveyedSegment[] {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return new Survey(where, start).run();
    } catch (error) {
      const renamed = error instanceof IoError && error.details['errno'] === 'ENOENT';
      if (!renamed || attempt === TRIES) throw error;
    }
  }
}

function stopAt(offset: number, durable = offset): { readonly offset: number; readonly durable: number } {
  return { offset, durable };
}

class Survey {
  private readonly vfs: Vfs;
  private readonly identity: LogIdentity;
  private readonly start: RecoveryStart;
  private readonly named: readonly NamedSegment[];

  constructor(
    where: { readonly vfs: Vfs; readonly path: string; readonly identity: LogIdentity },
    start: RecoveryStart,
  ) {
    this.vfs = where.vfs;
    this.identity = where.identity;
    this.start = start;
    this.named = namedSegments(where.vfs, where.path);
  }

  run(): SurveyedSegment[] {
    return this.named.map((file) => this.survey(file));
  }

  private survey(file: NamedSegment): SurveyedSegment {
    const { header, path } = file;
    const size = this.vfs.stat(path)?.size ?? 0;
    const live = file.seq === Infinity;
    const seq = header?.seq ?? (live ? null : file.seq);
    const unread = { path, seq, live, size, records: 0, lastTime: 0, damage: null };
    if (header === undefined) {
      const state = file.isNewer ? 'newer format' : 'unreadable';
      return { ...unread, header: null, state, lastLsn: 0, end: 0 };
    }
    const { position } = this.start;
    const nothing = { ...unread, header, lastLsn: header.baseLsn, end: SEGMENT_HEADER_SIZE };
    if (!sameLog(header, this.identity) || !this.isOfThisHistory(header)) return { ...nothing, state: 'other log' };
    if (header.seq < position.seq) return { ...nothing, state: 'checkpointed' };
    return { ...nothing, ...this.read(path, header), state: 'replayed' };
  }

  /** The segment of the replay position is known by its salt, the one behind it by what it joins. */
  private isOfThisHistory(header: SegmentHeader): boolean {
    const { position, salt, chain } = this.start;
    if (header.seq === position.seq) return sameBytes(header.salt, 0, salt, 0, SALT_SIZE);
    if (header.seq !== position.seq + 1) return true;
    return this.find(position.seq) !== undefined || joins(header, salt, position.offset, chain);
  }

  private find(seq: number): SegmentHeader | undefined {
    return this.named.find(({ header }) => header?.seq === seq && sameLog(header, this.identity))?.header;
  }

  private read(
    path: string,
    header: SegmentHeader,
  ): Pick<SurveyedSegment, 'records' | 'lastLsn' | 'lastTime' | 'end' | 'damage'> {
    const { position, chain, lsn } = this.start;
    const begins = header.seq === position.seq;
    const state: ChainState = begins
      ? { offset: position.offset, chain, lsn }
      : { offset: SEGMENT_HEADER_SIZE, chain: header.chain, lsn: header.baseLsn };
    const file = this.vfs.open(path, { write: false });
    try {
      const reader = new SegmentReader(file, header);
      const record = new RecordView(header.pageSize);
      let records = 0;
      try {
        while (reader.next(state, record)) records += 1;
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error; // a record of an unknown kind: what follows is not read
        return { records, lastLsn: state.lsn, lastTime: record.time, end: state.offset, damage: stopAt(state.offset) };
      }
      const next = this.find(header.seq + 1);
      const durable = Math.max(reader.durableThrough(state.offset), next?.previous.end ?? 0);
      const damage = durable > state.offset ? stopAt(state.offset, durable) : null;
      return { records, lastLsn: state.lsn, lastTime: record.time, end: state.offset, damage };
    } finally {
      file.close();
    }
  }
}

/**
 * Records in the shm file with figures of each connection, so that another process can say how a database performs where it is in use
 * (`sombra-inspect stats`). They are information: nothing that the database does depends on them, and a record that cannot be read
 * counts as none.
 * Source: docs/format/shm.md; format.test.ts compares the tables.
 *
 *   offset  size  field
 *        0     4  magic 'SFIG'
 *        4     4  process id
 *        8     8  opened, ms
 *       16     8  written, ms
 *       24     8  page reads that the cache answered
 *       32     8  page reads that it did not
 *       40     8  commits
 *       48     8  P95 of the newest ones, ns
 *       56     8  short reads that were measured
 *       64     8  P95 of the newest ones, ns
 *      124     4  checksum of bytes [0, 124)
 *
 * The record of FIGURES slot n lies at 6144 + n * 128. It counts while the slot is locked.
 */
import { readSafe64, readU32, writeU32, writeU64, xxh32 } from '@sombra/vfs';

export const FIGURES_OFFSET = 6144;
export const FIGURES_SIZE = 128;
export const FIGURES_MAGIC = 0;
export const FIGURES_PID = FIGURES_MAGIC + 4;
export const FIGURES_OPENED = FIGURES_PID + 4;
export const FIGURES_WRITTEN = FIGURES_OPENED + 8;
export const FIGURES_HITS = FIGURES_WRITTEN + 8;
export const FIGURES_MISSES = FIGURES_HITS + 8;
export const FIGURES_COMMITS = FIGURES_MISSES + 8;
export const FIGURES_COMMIT_P95 = FIGURES_COMMITS + 8;
export const FIGURES_READS = FIGURES_COMMIT_P95 + 8;
export const FIGURES_READ_P95 = FIGURES_READS + 8;
export const FIGURES_RESERVED = FIGURES_READ_P95 + 8;
export const FIGURES_CHECKSUM = FIGURES_SIZE - 4;
const MAGIC = 0x47494653;
const SEED = 0x53_46_49_00;
const NS_PER_SECOND = 1_000_000_000;

/** What a connection says of itself. */
export interface ConnectionFigures {
  readonly pid: number;
  /** When the connection was opened, and when it wrote this, ms since 1970. */
  readonly opened: number;
  readonly written: number;
  /** Page reads that the cache answered, and that it did not, since it was opened. */
  readonly hits: number;
  readonly misses: number;
  readonly commits: number;
  /** 95 of 100 of the newest commits took at most so long, seconds; undefined without any. */
  readonly commitP95: number | undefined;
  /** Short reads that were measured. */
  readonly reads: number;
  /** As `commitP95`, of the newest ones that were measured. */
  readonly readP95: number | undefined;
}

/** Writes a record into 128 bytes. */
export function encodeFigures(figures: ConnectionFigures): Uint8Array {
  const bytes = new Uint8Array(FIGURES_SIZE);
  writeU32(bytes, FIGURES_MAGIC, MAGIC);
  writeU32(bytes, FIGURES_PID, figures.pid);
  writeU64(bytes, FIGURES_OPENED, figures.opened);
  writeU64(bytes, FIGURES_WRITTEN, figures.written);
  writeU64(bytes, FIGURES_HITS, figures.hits);
  writeU64(bytes, FIGURES_MISSES, figures.misses);
  writeU64(bytes, FIGURES_COMMITS, figures.commits);
  writeU64(bytes, FIGURES_COMMIT_P95, nanoseconds(figures.commitP95));
  writeU64(bytes, FIGURES_READS, figures.reads);
  writeU64(bytes, FIGURES_READ_P95, nanoseconds(figures.readP95));
  writeU32(bytes, FIGURES_CHECKSUM, xxh32(bytes, 0, FIGURES_CHECKSUM, SEED));
  return bytes;
}

function nanoseconds(seconds: number | undefined): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.round((seconds ?? 0) * NS_PER_SECOND));
}

/** Reads a record; undefined when its bytes are none, or only half of one. */
export function decodeFigures(bytes: Uint8Array): ConnectionFigures | undefined {
  if (bytes.length < FIGURES_SIZE || readU32(bytes, FIGURES_MAGIC) !== MAGIC) return undefined;
  if (readU32(bytes, FIGURES_CHECKSUM) !== xxh32(bytes, 0, FIGURES_CHECKSUM, SEED)) return undefined;
  const number = (at: number): number => Math.max(0, readSafe64(bytes, at));
  const [commits, reads] = [number(FIGURES_COMMITS), number(FIGURES_READS)];
  return {
    pid: readU32(bytes, FIGURES_PID),
    opened: number(FIGURES_OPENED),
    written: number(FIGURES_WRITTEN),
    hits: number(FIGURES_HITS),
    misses: number(FIGURES_MISSES),
    commits,
    commitP95: commits === 0 ? undefined : number(FIGURES_COMMIT_P95) / NS_PER_SECOND,
    reads,
    readP95: reads === 0 ? undefined : number(FIGURES_READ_P95) / NS_PER_SECOND,
  };
}

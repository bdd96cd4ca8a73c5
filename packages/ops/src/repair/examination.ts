/**
 * A database file as it is: its header, its log and its pages, each as far as it can be read, and what is wrong with them. No byte
 * of it is changed. Beside other processes it is read as by any other reader; otherwise it cannot be opened by others meanwhile.
 */
import { Pager, readFileHeader } from '@sombra/pager';
import type { FileHeader, HeaderSlot } from '@sombra/pager';
import { DataError, SombraError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { surveyLog } from '@sombra/wal';
import type { SurveyedSegment } from '@sombra/wal';

/** Something that is wrong, or worth knowing. */
export interface Finding {
  /** Stable, one of docs/reference/errors.md. */
  readonly code: string;
  readonly message: string;
  /** Names and figures for programs. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Errors that say that this is no database, or that it cannot be looked at now: not damage. */
const NOT_DAMAGE: ReadonlySet<string> = new Set([
  'SOMBRA_NOT_A_DATABASE',
  'SOMBRA_NETWORK_FILE_SYSTEM',
  'SOMBRA_LOCKS_UNAVAILABLE',
  'SOMBRA_LOCK_FILE',
]);

/** The path of a database without symbolic links. @throws DataError SOMBRA_NOT_FOUND; IoError */
export function locateDatabase(vfs: Vfs, path: string): string {
  try {
    return vfs.realpath(path);
  } catch (error) {
    if (!(error instanceof SombraError) || error.details['errno'] !== 'ENOENT') throw error;
    throw new DataError('SOMBRA_NOT_FOUND', `${path} does not exist: check the path`, { details: { path } });
  }
}

/** Lists the segments of the log; none when no slot of the header says which log it is. */
export function logSegments(vfs: Vfs, path: string, { newest }: FileHeader): SurveyedSegment[] {
  if (newest === null) return [];
  return surveyLog(
    { vfs, path, identity: newest },
    {
      position: { seq: newest.replaySeq, offset: newest.replayOffset },
      salt: newest.logSalt,
      chain: newest.chain,
      lsn: newest.checkpointLsn,
    },
  );
}

/** What is wrong with the slots of the header, and with the segments of the log. */
export function fileFindings(
  header: FileHeader,
  segments: readonly SurveyedSegment[],
): { readonly damage: Finding[]; readonly warnings: Finding[] } {
  const damaged = header.slots.filter(({ state }) => state === 'damaged').map((slot) => slotFinding(header, slot));
  // A crash may tear the slot that is being written; after a clean close none is.
  const torn = header.newest !== null && (!header.newest.clean || segments.length > 0);
  return {
    damage: [...(torn ? [] : damaged), ...segments.flatMap((segment) => segmentFinding(header, segment) ?? [])],
    warnings: torn ? damaged : [],
  };
}

function slotFinding({ path, newest }: FileHeader, { offset }: HeaderSlot): Finding {
  const what = newest === null ? 'and so is the other one: restore a backup' : 'and the other one is used';
  const message = `${path}: the superblock slot at byte ${offset} is damaged, ${what}`;
  return { code: newest === null ? 'SOMBRA_SUPERBLOCK' : 'SOMBRA_SUPERBLOCK_SLOT', message, details: { offset } };
}

function segmentFinding({ newest }: FileHeader, segment: SurveyedSegment): Finding | undefined {
  const { path, damage, state, seq } = segment;
  if (damage !== null) {
    const { offset, durable } = damage;
    const message = `${path} cannot be read from byte ${offset} on, and was synced up to byte ${durable}`;
    return { code: 'SOMBRA_WAL_DAMAGED', message, details: { path, offset, durable } };
  }
  // Below the replay position lies what a checkpoint has made superfluous.
  if ((state !== 'unreadable' && state !== 'newer format') || (seq ?? Infinity) < (newest?.replaySeq ?? 0))
    return undefined;
  if (state === 'newer format')
    return { code: 'SOMBRA_FORMAT_VERSION', message: `${path} was written by a newer release`, details: { path } };
  return {
    code: 'SOMBRA_WAL_DAMAGED',
    message: `the header of ${path} cannot be read`,
    details: { path, offset: 0 },
  };
}

/** An open look at a file. Close it. */
export class Examination {
  readonly vfs: Vfs;
  /** Without symbolic links. */
  readonly path: string;
  readonly header: FileHeader;
  readonly segments: readonly SurveyedSegment[];
  /** null when the file cannot be read as a whole. */
  readonly pager: Pager | null;
  readonly damage: readonly Finding[];
  readonly warnings: readonly Finding[];

  /**
   * @param busyTimeoutMs  how long to wait for a process that is opening or closing it
   * @throws DataError SOMBRA_NOT_FOUND, SOMBRA_NOT_A_DATABASE; IoError SOMBRA_BUSY, SOMBRA_PERMISSION, SOMBRA_IO
   */
  constructor(vfs: Vfs, path: string, busyTimeoutMs: number) {
    this.vfs = vfs;
    this.path = locateDatabase(this.vfs, path);
    let pager: Pager | null = null;
    let refusal: SombraError | null = null;
    try {
      pager = Pager.open({ vfs: this.vfs, path: this.path, inspect: true, busyTimeoutMs });
    } catch (error) {
      if (!(error instanceof SombraError) || !isAboutTheFile(error)) throw error;
      refusal = error;
    }
    this.pager = pager;
    try {
      this.header = readFileHeader(this.vfs, this.path);
      this.segments = logSegments(this.vfs, this.path, this.header);
    } catch (error) {
      pager?.close();
      throw error;
    }
    const seen = fileFindings(this.header, this.segments);
    const met = [...(pager?.damage ?? []), ...(refusal === null ? [] : [refusal])]
      .map(findingOf)
      .filter(({ code }) => code !== 'SOMBRA_SUPERBLOCK' || seen.damage.every((slot) => slot.code !== code));
    const known = new Set(met.map(placeOf));
    this.damage = [...met, ...seen.damage.filter((finding) => !known.has(placeOf(finding)))];
    const slots = seen.warnings.length + seen.damage.length > 0;
    const noticed = (pager?.warnings ?? []).filter(({ code }) => !slots || code !== 'SOMBRA_SUPERBLOCK_SLOT');
    this.warnings = [...noticed.map(({ code, message }) => ({ code, message, details: {} })), ...seen.warnings];
  }

  close(): void {
    this.pager?.close();
  }
}

function isAboutTheFile(error: SombraError): boolean {
  if (error.name === 'CorruptionError') return true;
  return (error.name === 'DataError' || error.name === 'StateError') && !NOT_DAMAGE.has(error.code);
}

/** An error as a finding. */
export function findingOf({ code, message, details }: SombraError): Finding {
  return { code, message, details };
}

/** The same damage, however it is worded. */
function placeOf({ code, details }: Finding): string {
  return JSON.stringify([code, details['path'], details['offset']]);
}

import { NodeVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkOptions } from '../base/check-options.ts';
import { BEGINNING } from './audit-entry.ts';
import type { AuditEntry, AuditPoint } from './audit-entry.ts';
import { readTrail } from './read-trail.ts';
import type { TrailLine } from './read-trail.ts';

/** Something that is wrong with a trail. */
export interface AuditProblem {
  readonly file: string;
  /** From 1; null: it is about the file. */
  readonly line: number | null;
  readonly message: string;
}

/** What a trail is worth. */
export interface AuditReport {
  readonly path: string;
  /** Is every entry the one that was written, with none missing in between? */
  readonly ok: boolean;
  readonly files: number;
  readonly entries: number;
  /** Number of the first entry, and the last one; null without entries. Keep `last` elsewhere as an anchor. */
  readonly first: number | null;
  readonly last: AuditPoint | null;
  /** Bytes of a line at the end that was being written, or that a crash has cut short. */
  readonly tornBytes: number;
  /** At most 16. */
  readonly problems: readonly AuditProblem[];
}

/** Options of `verifyAudit`. */
export interface VerifyAuditOptions {
  /**
   * Points of this trail that were noted elsewhere: `last` of an earlier report. The trail must reach each of them, or begin right
   * behind it. Only they reveal that the end of a trail was cut off, or that all of it was written anew; and they let a
   * trail begin later, whose oldest files were moved to an archive.
   */
  readonly anchors?: readonly AuditPoint[] | undefined;
  /** Default: the files of the machine. */
  readonly vfs?: Vfs | undefined;
}

const PROBLEMS_MAX = 16;

/**
 * Reads a trail and checks the chain of its hashes. It may be written to meanwhile.
 * @throws DataError SOMBRA_AUDIT_NOT_FOUND; IoError SOMBRA_IO, SOMBRA_PERMISSION
 */
export function verifyAudit(path: string, options: VerifyAuditOptions = {}): AuditReport {
  checkOptions('verifyAudit', options, ['anchors', 'vfs']);
  const check = new ChainCheck(options.anchors ?? []);
  const lines = readTrail(options.vfs ?? new NodeVfs(), path);
  let step = lines.next();
  for (; step.done !== true; step = lines.next()) check.line(step.value);
  const { files, live } = step.value;
  if (!live) check.problem(path, null, 'the file that is being written is missing');
  check.end(path);
  const { entries, first, last, tornBytes, problems } = check;
  const point = last === undefined ? null : { seq: last.seq, hash: last.hash };
  return {
    path,
    ok: problems.length === 0,
    files,
    entries,
    first: first?.seq ?? null,
    last: point,
    tornBytes,
    problems,
  };
}

/** Follows the chain of a trail. After a problem it goes on with what it has found. */
class ChainCheck {
  entries = 0;
  first: AuditEntry | undefined;
  last: AuditEntry | undefined;
  tornBytes = 0;
  readonly problems: AuditProblem[] = [];
  private readonly anchors: readonly AuditPoint[];
  private readonly reached = new Set<AuditPoint>();

  constructor(anchors: readonly AuditPoint[]) {
    this.anchors = anchors;
  }

  line({ file, line, length, entry, torn }: TrailLine): void {
    if (torn) this.tornBytes = length;
    else if (typeof entry === 'string') this.problem(file, line, entry);
    else this.entry(entry, file, line);
  }

  /** The last line has been seen. */
  end(path: string): void {
    for (const anchor of this.anchors) {
      if (this.reached.has(anchor) || (anchor.seq === 0 && anchor.hash === BEGINNING.hash)) continue;
      const found = this.last === undefined ? 'has no entries' : `ends with entry ${this.last.seq}`;
      this.problem(path, null, `the trail ${found} and does not contain the anchor ${anchor.seq}`);
    }
  }

  problem(file: string, line: number | null, message: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ file, line, message });
  }

  private entry(entry: AuditEntry, file: string, line: number): void {
    const { last } = this;
    if (last === undefined) this.begin(entry, file, line);
    else if (entry.seq !== last.seq + 1) this.problem(file, line, `entry ${entry.seq} follows entry ${last.seq}`);
    else if (entry.previous !== last.hash)
      this.problem(file, line, `entry ${entry.seq} was written behind another entry ${last.seq}`);
    for (const anchor of this.anchors) if (anchor.seq === entry.seq) this.meet(anchor, entry.hash, file, line);
    this.first ??= entry;
    this.last = entry;
    this.entries += 1;
  }

  private begin(entry: AuditEntry, file: string, line: number): void {
    const before = this.anchors.find(({ seq }) => seq === entry.seq - 1) ?? BEGINNING;
    if (entry.seq !== before.seq + 1) {
      this.problem(file, line, `the trail begins with entry ${entry.seq}: older files are missing`);
      return;
    }
    if (before !== BEGINNING) this.meet(before, entry.previous, file, line);
    else if (entry.previous !== BEGINNING.hash) this.problem(file, line, 'entry 1 was written behind another entry');
  }

  private meet(anchor: AuditPoint, hash: string, file: string, line: number): void {
    this.reached.add(anchor);
    if (hash !== anchor.hash)
      this.problem(file, line, `entry ${anchor.seq} is not the one of the anchor: the trail was written anew`);
  }
}

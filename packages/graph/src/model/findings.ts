import { CorruptionError } from '@sombra/vfs';
import type { Steps } from './steps.ts';

/** What a finding concerns: pages that cannot be read, trees and page use, records, adjacency, indexes and counts. */
export type FindingKind = 'checksumFailures' | 'structureErrors' | 'recordErrors' | 'adjacencyErrors' | 'indexErrors';

/** Something that a check found. */
export interface VerifyFinding {
  readonly kind: FindingKind;
  /** Stable: of the error that reading gives, or what a finding of this kind has. */
  readonly code: string;
  /** Page that it was found in; null when it concerns none, or several. */
  readonly page: number | null;
  readonly message: string;
}

/** Codes of findings that no error of reading gave. */
const CODES: Readonly<Record<FindingKind, string>> = {
  checksumFailures: 'SOMBRA_PAGE_CHECKSUM',
  structureErrors: 'SOMBRA_TREE_PAGE',
  recordErrors: 'SOMBRA_RECORD',
  adjacencyErrors: 'SOMBRA_ADJACENCY',
  indexErrors: 'SOMBRA_INDEX_DIFFERS',
};

/** Codes of pages that cannot be built from file and log. */
const PAGE_CODES: ReadonlySet<string> = new Set([
  'SOMBRA_PAGE_CHECKSUM',
  'SOMBRA_PAGE_MISDIRECTED',
  'SOMBRA_PAGE_LSN',
  'SOMBRA_FILE_TRUNCATED',
  'SOMBRA_DELTA_BASE',
  'SOMBRA_WAL_ENTRY',
]);
/** Codes of inconsistent trees; the check of the trees reports them. */
const TREE_CODES: ReadonlySet<string> = new Set([
  'SOMBRA_TREE_PAGE',
  'SOMBRA_TREE_ORDER',
  'SOMBRA_OVERFLOW_CHAIN',
  'SOMBRA_PAGE_RANGE',
]);

/** Is a page unreadable, whatever it is for? */
export function isPageCode(code: string): boolean {
  return PAGE_CODES.has(code);
}

/** What a check has found: counts by kind, and the first messages. */
export class Findings {
  readonly counts: Record<FindingKind, number> = {
    checksumFailures: 0,
    structureErrors: 0,
    recordErrors: 0,
    adjacencyErrors: 0,
    indexErrors: 0,
  };
  /** The first ones. */
  readonly list: VerifyFinding[] = [];
  /** Leaf whose entry is being looked at; 0 for none. */
  page = 0;
  private readonly most: number;

  /** @param most  messages to keep */
  constructor(most: number) {
    this.most = most;
  }

  get isEmpty(): boolean {
    return Object.values(this.counts).every((count) => count === 0);
  }

  /** @param code  default: that of the kind @param page  default: the leaf whose entry is being looked at */
  add(kind: FindingKind, message: string, code: string = CODES[kind], page: number = this.page): void {
    this.counts[kind] += 1;
    if (this.list.length < this.most) this.list.push({ kind, code, page: page === 0 ? null : page, message });
  }

  /**
   * Runs a part of the check. Damage that it meets becomes a finding, unless the check of pages and trees has reported
   * it already.
   * @returns false when it was cut short
   */
  attempt(kind: FindingKind, what: string, part: () => void): boolean {
    try {
      part();
      return true;
    } catch (error) {
      this.take(kind, what, error);
      return false;
    }
  }

  /** As `attempt`, for a part in steps. */
  *attemptSteps(kind: FindingKind, part: Steps<void>): Steps<boolean> {
    try {
      yield* part;
      return true;
    } catch (error) {
      this.take(kind, '', error);
      return false;
    }
  }

  /** Makes a finding of damage, and throws what is none. */
  private take(kind: FindingKind, what: string, error: unknown): void {
    if (!(error instanceof CorruptionError)) throw error;
    if (!isPageCode(error.code) && !TREE_CODES.has(error.code))
      this.add(kind, what === '' ? error.message : `${what}: ${error.message}`, error.code);
  }
}

/** Checks a database file, whatever its state, and says what is wrong with it, by kind and page. No byte of it is changed. */
import { Graph } from '@sombra/graph';
import type { VerifyPhase } from '@sombra/graph';
import { scanPages } from '@sombra/pager';
import type { Problem } from '@sombra/pager';
import { DataError, NodeVfs, SombraError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkCount, checkOptions } from '../base/check-options.ts';
import { Examination, findingOf } from './examination.ts';
import type { Finding } from './examination.ts';
import { kindOf } from './finding-kind.ts';
import type { DamageKind } from './finding-kind.ts';

/**
 * How much is checked. `checksums`: header, log and the checksum of every page. `fast`: also the structure of trees and free pages.
 * `full`: also records, edges, indexes and counts.
 */
export type VerifyDepth = 'checksums' | 'fast' | 'full';

/** Options of `verifyDatabase`. */
export interface VerifyDatabaseOptions {
  /** Default `full`. */
  readonly depth?: VerifyDepth | undefined;
  /** Findings to keep; 0 for all. Default 16. What is beyond is still counted. */
  readonly maxErrors?: number | undefined;
  /** Milliseconds to wait for a process that is opening or closing the database. Default 5000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Ends it with SOMBRA_ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a phase begins. What it throws ends the check. */
  readonly onProgress?: ((progress: { readonly phase: VerifyPhase }) => void) | undefined;
  /** Default: that of Node. */
  readonly vfs?: Vfs | undefined;
}

/** Something that is wrong. */
export interface DamageFinding extends Finding {
  readonly kind: DamageKind;
  /** null when it concerns none, or several. */
  readonly page: number | null;
}

/** What was checked, and what was found. */
export interface DatabaseReport {
  readonly path: string;
  readonly isClean: boolean;
  readonly depth: VerifyDepth;
  /** Could everything be checked that was asked for? Not where what leads to it is damaged. */
  readonly complete: boolean;
  /** Number of the newest commit; null when the file could not be read as a whole. */
  readonly commit: number | null;
  readonly checkedPages: number;
  readonly checkedNodes: number;
  readonly checkedEdges: number;
  /** Superblock slots, and what else cannot be read of the file as a whole. */
  readonly headerErrors: number;
  readonly logErrors: number;
  /** Pages that cannot be read. */
  readonly checksumFailures: number;
  /** Trees that do not hang together, pages that are lost or used twice. */
  readonly structureErrors: number;
  readonly recordErrors: number;
  readonly adjacencyErrors: number;
  readonly indexErrors: number;
  /** All of them. */
  readonly findingCount: number;
  /** The first ones. */
  readonly findings: readonly DamageFinding[];
  /** The same ones, as texts. */
  readonly errors: readonly string[];
  /** No damage, and worth knowing. */
  readonly warnings: readonly Finding[];
  /** The superblock says that it was in use, and there is no log. */
  readonly walMissing: boolean;
  /** It was copied while it was being written (rule P3). */
  readonly fuzzyCopy: boolean;
}

const DEPTHS: readonly VerifyDepth[] = ['checksums', 'fast', 'full'];
const MAX_ERRORS = 16;
const BUSY_TIMEOUT_MS = 5000;
/** Problems of a file without a graph that are counted. */
const PROBLEMS_MAX = 100_000;

/** What was checked besides header and log. */
interface Checked
  extends Pick<DatabaseReport, 'commit' | 'checkedPages' | 'checkedNodes' | 'checkedEdges' | 'complete'> {
  readonly counts: Partial<Record<DamageKind, number>>;
  /** The first ones. */
  readonly findings: readonly DamageFinding[];
  /** Why it is not complete, when that is no damage. */
  readonly warnings: readonly Finding[];
}

const NOTHING = {
  commit: null,
  checkedPages: 0,
  checkedNodes: 0,
  checkedEdges: 0,
  complete: false,
  warnings: [],
} as const;

/**
 * Checks a database. Beside other processes it reads like any other reader; otherwise it cannot be opened by others meanwhile.
 * @returns damage is reported, not thrown
 * @throws DataError SOMBRA_NOT_FOUND, SOMBRA_NOT_A_DATABASE, SOMBRA_OPTION; IoError SOMBRA_BUSY, SOMBRA_PERMISSION, SOMBRA_IO;
 *   StateError SOMBRA_ABORTED
 */
export async function verifyDatabase(path: string, options: VerifyDatabaseOptions = {}): Promise<DatabaseReport> {
  const names = ['depth', 'maxErrors', 'busyTimeoutMs', 'signal', 'onProgress', 'vfs'];
  checkOptions('verifyDatabase', options, names);
  checkCount('maxErrors', options.maxErrors, 0);
  checkCount('busyTimeoutMs', options.busyTimeoutMs, 0);
  const depth = options.depth ?? 'full';
  if (!DEPTHS.includes(depth))
    throw new DataError('SOMBRA_OPTION', `depth is one of ${DEPTHS.join(', ')}, not ${String(depth)}`);
  const most = (options.maxErrors ?? MAX_ERRORS) || Infinity;
  const seen = new Examination(options.vfs ?? new NodeVfs(), path, options.busyTimeoutMs ?? BUSY_TIMEOUT_MS);
  try {
    return reportOf(path, depth, seen, await check(seen, depth, most, options), most);
  } finally {
    seen.close();
  }
}

function reportOf(path: string, depth: VerifyDepth, seen: Examination, checked: Checked, most: number): DatabaseReport {
  const { counts, findings: more, warnings: why, ...rest } = checked;
  const damage = seen.damage.map(damageOf);
  const all = [...damage, ...more];
  const count = (kind: DamageKind): number =>
    damage.filter((finding) => finding.kind === kind).length + (counts[kind] ?? 0);
  const kinds = {
    headerErrors: count('headerErrors'),
    logErrors: count('logErrors'),
    checksumFailures: count('checksumFailures'),
    structureErrors: count('structureErrors'),
    recordErrors: count('recordErrors'),
    adjacencyErrors: count('adjacencyErrors'),
    indexErrors: count('indexErrors'),
  };
  const findingCount = Object.values(kinds).reduce((sum, number) => sum + number, 0);
  const findings = all.slice(0, most);
  const warnings = [...seen.warnings, ...why];
  return {
    path,
    isClean: findingCount === 0,
    depth,
    ...rest,
    ...kinds,
    findingCount,
    findings,
    errors: findings.map(({ code, message }) => `${code}: ${message}`),
    warnings,
    walMissing: warnings.some(({ code }) => code === 'SOMBRA_WAL_MISSING'),
    fuzzyCopy: seen.segments.length === 0 && all.some(({ code }) => code === 'SOMBRA_PAGE_LSN'),
  };
}

function damageOf(finding: Finding): DamageFinding {
  const page = finding.details['page'] ?? finding.details['pageNumber'];
  return { ...finding, kind: kindOf(finding.code), page: typeof page === 'number' ? page : null };
}

async function check(
  seen: Examination,
  depth: VerifyDepth,
  most: number,
  { signal, onProgress }: VerifyDatabaseOptions,
): Promise<Checked> {
  const { pager } = seen;
  if (pager === null) return scan(seen, most);
  let graph: Graph;
  try {
    graph = Graph.open(pager);
  } catch (error) {
    if (!(error instanceof SombraError)) throw error;
    // No graph, or none that can be read: the pages can be checked all the same.
    const isDamage = error.name === 'CorruptionError';
    const met = isDamage ? [damageOf(findingOf(error))] : [];
    const pages = pager.check({ maxProblems: PROBLEMS_MAX }).map(problemOf);
    const { lsn, pageCount } = pager.view;
    return {
      ...NOTHING,
      commit: lsn,
      checkedPages: pageCount,
      warnings: isDamage ? [] : [findingOf(error)],
      ...counted([...met, ...pages.filter((page) => !met.some((one) => isSame(one, page)))], seen),
    };
  }
  const report = await graph.verifyIntegrityAsync({
    checksumOnly: depth === 'checksums',
    pagesOnly: depth === 'fast',
    maxErrors: most === Infinity ? 0 : most,
    signal,
    onProgress,
  });
  const { checksumFailures, structureErrors, recordErrors, adjacencyErrors, indexErrors } = report;
  return {
    commit: pager.view.lsn,
    checkedPages: report.checkedPages,
    checkedNodes: report.checkedNodes,
    checkedEdges: report.checkedEdges,
    complete: true,
    warnings: [],
    counts: { checksumFailures, structureErrors, recordErrors, adjacencyErrors, indexErrors },
    findings: report.findings.map(({ kind, code, page, message }) => ({
      kind,
      code,
      page,
      message,
      details: page === null ? {} : { page },
    })),
  };
}

/** Page by page: what is left when a file cannot be opened. */
function scan(seen: Examination, most: number): Checked {
  const { vfs, path, header } = seen;
  if (header.newest === null) return { ...NOTHING, counts: {}, findings: [] };
  const { checkedPages, problems, problemCount } = scanPages(vfs, path, header.newest, Math.max(most, PROBLEMS_MAX));
  const kept = counted(problems.map(problemOf), seen);
  const beyond = problemCount - problems.length;
  const { checksumFailures = 0 } = kept.counts;
  return { ...NOTHING, checkedPages, ...kept, counts: { ...kept.counts, checksumFailures: checksumFailures + beyond } };
}

/** Counts findings by kind; what opening the file has met already is left out. */
function counted(findings: readonly DamageFinding[], { damage }: Examination): Pick<Checked, 'counts' | 'findings'> {
  const known = damage.map(damageOf);
  const fresh = findings.filter((finding) => !known.some((one) => isSame(one, finding)));
  const counts: Partial<Record<DamageKind, number>> = {};
  for (const { kind } of fresh) counts[kind] = (counts[kind] ?? 0) + 1;
  return { counts, findings: fresh };
}

function isSame(one: DamageFinding, other: DamageFinding): boolean {
  return one.code === other.code && (one.page === other.page || one.code === 'SOMBRA_FILE_TRUNCATED');
}

function problemOf({ code, message, page }: Problem): DamageFinding {
  return { kind: kindOf(code), code, message, page: page === 0 ? null : page, details: { page } };
}

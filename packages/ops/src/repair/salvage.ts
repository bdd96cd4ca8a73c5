/** Reads what can be read of a damaged database into a new one, and reports everything that is lost. */
import { Graph, GraphSalvage } from '@sombra/graph';
import type { BulkEdge, BulkNode, LostName, LostRecords, SalvagedIndex } from '@sombra/graph';
import { FilePages, Pager } from '@sombra/pager';
import { CorruptionError, InvariantError, NodeVfs, SombraError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { throwIfAborted } from '../base/abort.ts';
import { checkCount, checkOptions } from '../base/check-options.ts';
import { Examination, locateDatabase } from './examination.ts';
import type { Finding } from './examination.ts';
import { kindOf } from './finding-kind.ts';
import { refuseOwnName, TargetFile } from './target-file.ts';

/** What a salvage does. */
export type SalvagePhase = 'searching' | 'nodes' | 'edges' | 'adjacency' | 'indexes' | 'publish' | 'verifying';

/** How far it is. */
export interface SalvageProgress {
  readonly phase: SalvagePhase;
  /** Of this phase. */
  readonly rows: number;
}

/** Options of `salvageDatabase`. */
export interface SalvageOptions {
  /**
   * Also takes records of pages that cannot be proved to be in use, because the freelist is damaged. Deleted nodes and edges may come
   * back, and old versions of others. Default false.
   */
  readonly unproven?: boolean | undefined;
  /** Only reads and reports: no target is written. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Milliseconds to wait for a process that is opening or closing the database. Default 5000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Ends it with SOMBRA_ABORTED; nothing is left of the target. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SalvageProgress) => void) | undefined;
  /** Default: that of Node. */
  readonly vfs?: Vfs | undefined;
}

/** What became of a property index. */
export interface IndexOutcome extends SalvagedIndex {
  readonly outcome: 'created' | 'dropped';
  /** Why it was dropped. */
  readonly why: string | null;
}

/** What was salvaged, and what is lost. */
export interface SalvageReport {
  readonly source: string;
  readonly target: string;
  readonly dryRun: boolean;
  /** Is nothing lost? */
  readonly isComplete: boolean;
  /** The commit that was read. */
  readonly commit: number;
  /** Could the catalogue be read? Otherwise main was read as of its last checkpoint, page by page, without the log. */
  readonly catalogue: boolean;
  readonly nodes: LostRecords;
  readonly edges: LostRecords;
  /** Names that are lost, and what stands in their place. */
  readonly names: readonly LostName[];
  readonly indexes: readonly IndexOutcome[];
  /** Definitions of indexes that are known to be lost. */
  readonly lostIndexes: number;
  /** May other definitions of indexes, and names, be lost? */
  readonly dictionaryDamaged: boolean;
  /** Leaves that cannot be proved to be in use: left out, or taken with `unproven`. */
  readonly unprovenLeaves: number;
  /** Damage of header and log, and what follows from it. */
  readonly damage: readonly Finding[];
}

const BUSY_TIMEOUT_MS = 5000;
/** Rows from one look at the signal to the next. */
const ROWS_PER_LOOK = 1024;

/**
 * Salvages a database. The source is only read, in whatever state it is; nodes and edges keep their ids. The target has an identity of its
 * own.
 * @param target  a new file
 * @throws DataError SOMBRA_NOT_FOUND, SOMBRA_NOT_A_DATABASE, SOMBRA_FILE_EXISTS, SOMBRA_BACKUP_TARGET, SOMBRA_OPTION; CorruptionError SOMBRA_SUPERBLOCK when both
 *   slots are damaged, so that no page can be checked; IoError SOMBRA_BUSY, SOMBRA_PERMISSION, SOMBRA_IO, SOMBRA_DISK_FULL; StateError
 *   SOMBRA_ABORTED. Nothing is left of the target then
 */
export async function salvageDatabase(
  source: string,
  target: string,
  options: SalvageOptions = {},
): Promise<SalvageReport> {
  checkOptions('salvageDatabase', options, ['unproven', 'dryRun', 'busyTimeoutMs', 'signal', 'onProgress', 'vfs']);
  checkCount('busyTimeoutMs', options.busyTimeoutMs, 0);
  const vfs = options.vfs ?? new NodeVfs();
  refuseOwnName(vfs, locateDatabase(vfs, source), target);
  const file = new TargetFile(vfs, target);
  const seen = new Examination(vfs, source, options.busyTimeoutMs ?? BUSY_TIMEOUT_MS);
  const opened: { close(): void }[] = [seen];
  try {
    options.onProgress?.({ phase: 'searching', rows: 0 });
    const { salvage, pageSize, commit } = open(seen, options.unproven ?? false, opened);
    const indexes =
      options.dryRun === true ? drain(salvage, options) : await load(salvage, vfs, file, pageSize, options);
    const { nodes, edges } = salvage.lost();
    const damage = [...seen.damage, ...notApplied(seen)];
    const { lostNames, dictionaryDamaged, unprovenLeaves } = salvage;
    const isComplete =
      [nodes, edges].every(({ records, ranges }) => records.length === 0 && ranges.length === 0) &&
      lostNames.length === 0 &&
      indexes.every(({ outcome }) => outcome === 'created') &&
      salvage.indexes.damaged === 0 &&
      !dictionaryDamaged &&
      !(unprovenLeaves > 0 && options.unproven === true) &&
      !damage.some(({ code }) => kindOf(code) === 'logErrors' || code === 'SOMBRA_FORMAT_VERSION');
    return {
      source,
      target,
      dryRun: options.dryRun ?? false,
      isComplete,
      commit,
      catalogue: seen.pager !== null,
      nodes,
      edges,
      names: lostNames,
      indexes,
      lostIndexes: salvage.indexes.damaged,
      dictionaryDamaged,
      unprovenLeaves,
      damage,
    };
  } finally {
    for (const one of opened.reverse()) one.close();
  }
}

/** Finds what is left. */
function open(
  seen: Examination,
  unproven: boolean,
  opened: { close(): void }[],
): { readonly salvage: GraphSalvage; readonly pageSize: number; readonly commit: number } {
  const { pager, header, vfs, path } = seen;
  if (pager !== null) {
    const view = pager.snapshot({ exempt: true });
    opened.push({ close: () => view.release() });
    return { salvage: GraphSalvage.ofCommit(pager, view, unproven), pageSize: pager.pageSize, commit: view.lsn };
  }
  const { newest } = header;
  if (newest === null) {
    throw new CorruptionError(
      'SOMBRA_SUPERBLOCK',
      `both superblock slots of ${path} are damaged: without the salt that they hold no page can be checked, so nothing is salvaged; restore a backup`,
      { details: { path } },
    );
  }
  const pages = new FilePages(vfs, path, newest);
  opened.push(pages);
  return { salvage: GraphSalvage.ofFile(pages, unproven), pageSize: newest.pageSize, commit: newest.checkpointLsn };
}

/** Without the catalogue the log is of no use. */
function notApplied({ pager, segments, path }: Examination): Finding[] {
  const commits = pager === null ? segments.reduce((sum, segment) => sum + segment.records, 0) : 0;
  if (commits === 0) return [];
  const message = `${path}: the log has ${commits} commits after the last checkpoint, which cannot be applied without the catalogue: they are not in the target`;
  return [{ code: 'SOMBRA_WAL_DAMAGED', message, details: { commits } }];
}

/** Reads everything, and keeps nothing. */
function drain(salvage: GraphSalvage, { signal, onProgress }: SalvageOptions): IndexOutcome[] {
  for (const phase of ['nodes', 'edges'] as const) {
    let rows = 0;
    for (const row of salvage[phase]()) {
      rows += row.id > 0 ? 1 : 0;
      if (rows % ROWS_PER_LOOK !== 0) continue;
      throwIfAborted(signal);
      onProgress?.({ phase, rows });
    }
  }
  return salvage.indexes.found.map((index) => ({ ...index, outcome: 'created', why: null }));
}

async function load(
  salvage: GraphSalvage,
  vfs: Vfs,
  file: TargetFile,
  pageSize: number,
  options: SalvageOptions,
): Promise<IndexOutcome[]> {
  try {
    const pager = Pager.open({ vfs, path: file.temporary, pageSize });
    let outcomes: IndexOutcome[];
    try {
      outcomes = await fill(salvage, pager, options);
    } finally {
      pager.close();
    }
    file.publish();
    return outcomes;
  } finally {
    file.abandon();
  }
}

async function fill(salvage: GraphSalvage, pager: Pager, options: SalvageOptions): Promise<IndexOutcome[]> {
  const { signal, onProgress } = options;
  const graph = Graph.open(pager);
  const source: { nodes: Iterable<BulkNode>; edges: Iterable<BulkEdge>; ids: GraphSalvage['next'] } = {
    nodes: salvage.nodes(),
    edges: salvage.edges(),
    ids: salvage.next,
  };
  await graph.bulkLoadAsync(source, { signal, onProgress: ({ phase, rows }) => onProgress?.({ phase, rows }) });
  const outcomes: IndexOutcome[] = [];
  for (const index of salvage.indexes.found) {
    onProgress?.({ phase: 'indexes', rows: outcomes.length });
    outcomes.push(await createIndex(graph, index, signal));
  }
  onProgress?.({ phase: 'verifying', rows: 0 });
  const report = await graph.verifyIntegrityAsync({ maxErrors: 1, signal });
  if (!report.isClean) throw new InvariantError(`what was salvaged does not verify: ${report.errors[0]!}`);
  return outcomes;
}

async function createIndex(graph: Graph, index: SalvagedIndex, signal: AbortSignal | undefined): Promise<IndexOutcome> {
  const { on, name, keys, unique } = index;
  try {
    if (on === 'node') await graph.createPropertyIndexAsync(name, keys, { unique, signal });
    else await graph.createEdgePropertyIndexAsync(name, keys, { unique, signal });
    return { ...index, outcome: 'created', why: null };
  } catch (error) {
    if (!(error instanceof SombraError) || error.name !== 'DataError') throw error;
    return { ...index, outcome: 'dropped', why: error.message };
  }
}

/** Drops property indexes and builds them again from the records. */
import { Graph } from '@sombra/graph';
import type { PropertyIndexName } from '@sombra/graph';
import { Pager } from '@sombra/pager';
import { DataError, NodeVfs, SombraError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkCount, checkOptions } from '../base/check-options.ts';
import { locateDatabase } from './examination.ts';

/** Options of `rebuildIndexes`. */
export interface RebuildOptions {
  /** Label or edge type whose indexes are built again. Default: all. */
  readonly name?: string | undefined;
  /** Only says which ones there are. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Milliseconds to wait while another process writes. Default 5000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Ends it with SOMBRA_ABORTED; the index that is being built is not there then. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each index. */
  readonly onProgress?: ((progress: { readonly index: PropertyIndexName }) => void) | undefined;
  /** Default: that of Node. */
  readonly vfs?: Vfs | undefined;
}

/** What became of an index. */
export interface RebuiltIndex extends PropertyIndexName {
  /** `kept`: a dry run. `lost`: it was dropped, and could not be built again. */
  readonly outcome: 'rebuilt' | 'kept' | 'lost';
  /** Why it is lost. */
  readonly why: string | null;
  /** Pages of the old one are damaged, and stay behind until a vacuum. */
  readonly leftPages: boolean;
}

const BUSY_TIMEOUT_MS = 5000;

/**
 * Builds property indexes again, one after the other, beside other processes: writers wait while one is built, readers do not.
 * @throws DataError SOMBRA_NOT_FOUND, SOMBRA_INDEX_NOT_FOUND for a name that has none, SOMBRA_OPTION; CorruptionError when the records
 *   cannot be read: salvage it instead; IoError SOMBRA_BUSY, SOMBRA_IO; StateError SOMBRA_ABORTED
 */
export async function rebuildIndexes(path: string, options: RebuildOptions = {}): Promise<RebuiltIndex[]> {
  checkOptions('rebuildIndexes', options, ['name', 'dryRun', 'busyTimeoutMs', 'signal', 'onProgress', 'vfs']);
  checkCount('busyTimeoutMs', options.busyTimeoutMs, 0);
  const { name, dryRun, signal, onProgress } = options;
  const vfs = options.vfs ?? new NodeVfs();
  const pager = Pager.open({
    vfs,
    path: locateDatabase(vfs, path),
    createIfMissing: false,
    busyTimeoutMs: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
  });
  try {
    const graph = Graph.open(pager);
    const indexes = graph.reader.propertyIndexes().filter((index) => name === undefined || index.name === name);
    if (name !== undefined && indexes.length === 0) {
      throw new DataError('SOMBRA_INDEX_NOT_FOUND', `${path} has no property index on ${name}: see sombra index list`, {
        details: { name },
      });
    }
    const done: RebuiltIndex[] = [];
    for (const { on, name: label, keys, unique } of indexes) {
      const index = { on, name: label, keys, unique };
      onProgress?.({ index });
      if (dryRun === true) done.push({ ...index, outcome: 'kept', why: null, leftPages: false });
      else done.push(await rebuild(graph, index, signal));
    }
    return done;
  } finally {
    pager.close();
  }
}

async function rebuild(graph: Graph, index: PropertyIndexName, signal: AbortSignal | undefined): Promise<RebuiltIndex> {
  try {
    const { leftPages } = await graph.rebuildPropertyIndexAsync(index, { signal });
    return { ...index, outcome: 'rebuilt', why: null, leftPages };
  } catch (error) {
    if (!(error instanceof SombraError) || error.code !== 'SOMBRA_UNIQUE') throw error;
    return { ...index, outcome: 'lost', why: error.message, leftPages: false };
  }
}

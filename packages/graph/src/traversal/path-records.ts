/** Paths with their nodes and edges, instead of the ids of these. */
import { danglingEdge, missingNode } from '../model/damage.ts';
import { flagOption } from '../model/options.ts';
import type { Steps } from '../model/steps.ts';
import type { EdgeRecord, NodeRecord, Path, RecordPath } from '../model/types.ts';
import type { ReadSource } from './read-source.ts';

/** Records that are read from one slice to the next. */
const SLICE_RECORDS = 1024;

/** The option `records`, checked. @throws DataError SOMBRA_OPTION */
export function recordsOption(options: { readonly records?: boolean } | undefined): boolean {
  return flagOption(options?.records, false, 'records');
}

/**
 * Reads the nodes and edges of a path, in slices.
 * @returns undefined when one of them has been deleted since the path was found: by the caller, in its own transaction
 * @throws CorruptionError SOMBRA_ADJACENCY when one is missing otherwise
 */
export function* recordSteps(source: ReadSource, path: Path): Steps<RecordPath | undefined> {
  const { reader, changing, watch } = source;
  const nodes: NodeRecord[] = [];
  const edges: EdgeRecord[] = [];
  for (const id of path.nodes) {
    const node = id === 0 ? undefined : reader.getNode(id);
    if (node === undefined) {
      if (changing) return undefined;
      throw missingNode(id);
    }
    nodes.push(node);
    watch?.step();
    if (nodes.length % SLICE_RECORDS === 0) yield;
  }
  for (const id of path.edges) {
    const edge = id === 0 ? undefined : reader.getEdge(id);
    if (edge === undefined) {
      if (changing) return undefined;
      throw danglingEdge(id);
    }
    edges.push(edge);
    watch?.step();
    if (edges.length % SLICE_RECORDS === 0) yield;
  }
  const { length, weight } = path;
  return weight === undefined ? { nodes, edges, length } : { nodes, edges, length, weight };
}

/** As `recordSteps`, in one go. */
export function recordsOf(source: ReadSource, path: Path): RecordPath | undefined {
  const steps = recordSteps(source, path);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

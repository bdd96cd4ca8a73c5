import { BTree } from '@sombra/btree';
import type { Problem, View } from '@sombra/pager';
import { Dictionary } from '../names/dictionary.ts';
import { type FindingKind, Findings, isPageCode } from '../model/findings.ts';
import { checkOptions, countOption, flagOption } from '../model/options.ts';
import { indexNumberOf } from '../indexes/definition.ts';
import type { GraphStore } from '../store/store.ts';
import { verifyAdjacency } from './verify-adjacency.ts';
import { verifyIndexes } from './verify-indexes.ts';
import { verifyPropertyIndexes } from './verify-property-indexes.ts';
import { verifyRecords } from './verify-records.ts';

/** Options of `verify`. */
export interface VerifyOptions {
  /** Only read every page and check the use of pages by the file itself. Default false. */
  readonly checksumOnly?: boolean | undefined;
  /** Messages to keep; 0 for all. Default 100. What is beyond is still counted. */
  readonly maxErrors?: number | undefined;
}

/** What `verify` found. */
export interface VerifyReport {
  /** Was nothing found? */
  readonly isClean: boolean;
  /** Pages of the file. */
  readonly checkedPages: number;
  readonly checkedNodes: number;
  readonly checkedEdges: number;
  /** Pages that cannot be read. */
  readonly checksumFailures: number;
  /** Pages that are lost, or used twice; trees that do not hang together; damage of the dictionary. */
  readonly structureErrors: number;
  /** Nodes and edges whose records make no sense. */
  readonly recordErrors: number;
  /** Edges that are missing or different in one of the directions, wrong degrees, damaged blocks. */
  readonly adjacencyErrors: number;
  /** Labels, types and properties that differ from their index, wrong counts. */
  readonly indexErrors: number;
  /** The first messages. */
  readonly errors: readonly string[];
}

const MAX_ERRORS = 100;
/** Findings about pages and trees that are kept at most: each takes memory. */
const PROBLEMS_MAX = 100_000;

/**
 * Checks the newest commit: every page, every tree, the freelist against what is used, every record, both directions of every
 * edge, degrees, indexes and counts against the records. Damage is reported, not thrown, and does not hide the rest as far as
 * that can be read. Memory: one bit per edge and direction.
 * @throws DataError SOMBRA_OPTION; StateError SOMBRA_CLOSED; IoError SOMBRA_IO
 */
export function verifyGraph(store: GraphStore, options: VerifyOptions | undefined): VerifyReport {
  options = checkOptions(options, ['checksumOnly', 'maxErrors'], 'verify');
  const checksumOnly = flagOption(options?.checksumOnly, false, 'checksumOnly');
  const findings = new Findings(countOption(options?.maxErrors, MAX_ERRORS, 'maxErrors') || Infinity);
  const { pager } = store;
  checkPages(store, checksumOnly, findings);
  let nodes = 0;
  let edges = 0;
  if (!checksumOnly) {
    findings.attempt('structureErrors', '', () => {
      // Read afresh: the names in memory are no proof of what is in the tree.
      new Dictionary(() => undefined).refresh(pager.view, store.dictionaryTree);
      store.catchUp(pager.view);
    });
    const records = verifyRecords(store, pager.view, findings);
    verifyAdjacency(store, pager.view, 'out', records, findings);
    verifyAdjacency(store, pager.view, 'in', records, findings);
    verifyIndexes(store, pager.view, records, findings);
    verifyPropertyIndexes(store, pager.view, findings);
    nodes = records.nodes;
    edges = records.edges;
  }
  const { counts, errors, isEmpty } = findings;
  return {
    isClean: isEmpty,
    checkedPages: pager.view.pageCount,
    checkedNodes: nodes,
    checkedEdges: edges,
    ...counts,
    errors,
  };
}

/** Trees of property indexes, those that are being dropped, too. */
function indexTrees(view: View): BTree[] {
  return view
    .trees()
    .filter(({ name }) => indexNumberOf(name) > 0)
    .map(({ name }) => BTree.open(view, name)!);
}

/** Checks pages, freelist and trees. */
function checkPages(store: GraphStore, checksumOnly: boolean, findings: Findings): void {
  const { pager } = store;
  const ofTrees: Problem[] = [];
  const trees = [
    store.nodes,
    store.edges,
    store.out.tree,
    store.in.tree,
    store.labelIndex.tree,
    store.typeIndex.tree,
    store.dictionaryTree,
    store.statistics.tree,
  ];
  const reachable = (mark: (page: number) => void): void => {
    // Looked up here, as the check of the pager has gone to the newest commit.
    for (const tree of [...trees, ...indexTrees(pager.view)]) ofTrees.push(...tree.check(pager.view, mark));
  };
  const problems = pager.check({ maxProblems: PROBLEMS_MAX, ...(checksumOnly ? {} : { reachable }) });
  const report = (kind: FindingKind, code: string, message: string): void => findings.add(kind, `${code}: ${message}`);
  for (const { code, message } of problems) {
    report(isPageCode(code) ? 'checksumFailures' : 'structureErrors', code, message);
  }
  // Every page was read: one that cannot be is reported already, by its own number.
  const unreadable = findings.counts.checksumFailures > 0;
  for (const { code, message } of ofTrees) {
    if (!isPageCode(code)) report('structureErrors', code, message);
    else if (!unreadable) report('checksumFailures', code, message);
  }
}

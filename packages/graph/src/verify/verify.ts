import { BTree } from '@sombra/btree';
import type { Problem, View } from '@sombra/pager';
import { Dictionary } from '../names/dictionary.ts';
import { type FindingKind, Findings, isPageCode, type VerifyFinding } from '../model/findings.ts';
import { callbackOption, checkOptions, countOption, flagOption } from '../model/options.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';
import type { Steps } from '../model/steps.ts';
import { indexNumberOf } from '../indexes/definition.ts';
import type { GraphStore } from '../store/store.ts';
import { verifyAdjacency } from './verify-adjacency.ts';
import { verifyIndexes } from './verify-indexes.ts';
import { verifyPropertyIndexes } from './verify-property-indexes.ts';
import { verifyRecords } from './verify-records.ts';

/** What `verifyIntegrity` does: checks pages and trees, records, both directions of adjacency, indexes and counts. */
export type VerifyPhase = 'pages' | 'records' | 'adjacency' | 'indexes';

/** How far `verifyIntegrity` is. */
export interface VerifyProgress {
  readonly phase: VerifyPhase;
}

/** Options of `verifyIntegrity`. What `onProgress` throws ends it. */
export interface VerifyOptions extends RunOptions {
  /** Only read every page and check the use of pages by the file itself. Default false. */
  readonly checksumOnly?: boolean | undefined;
  /** Only check pages and trees: no records, edges and indexes. Default false. */
  readonly pagesOnly?: boolean | undefined;
  /** Messages to keep; 0 for all. Default 100. What is beyond is still counted. */
  readonly maxErrors?: number | undefined;
  /** Called when a phase begins. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

/** What `verifyIntegrity` found. */
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
  /** The first ones, as texts. */
  readonly errors: readonly string[];
  /** The same ones, with kind, code and page. */
  readonly findings: readonly VerifyFinding[];
}

/** Codes of damage behind which pages are that cannot be found. */
const HIDES_PAGES: ReadonlySet<string> = new Set([
  'SOMBRA_TREE_PAGE',
  'SOMBRA_OVERFLOW_CHAIN',
  'SOMBRA_PAGE_RANGE',
  'SOMBRA_FREELIST',
  'SOMBRA_ROOTS',
]);
const MAX_ERRORS = 100;
/** Findings about pages and trees that are kept at most: each takes memory. */
const PROBLEMS_MAX = 100_000;

/** What a check was asked for, once the options are known to be right. */
export interface VerifyAsked {
  readonly checksumOnly: boolean;
  readonly pagesOnly: boolean;
  readonly maxErrors: number;
  readonly onProgress: VerifyOptions['onProgress'];
}

/** @throws DataError SOMBRA_OPTION */
export function parseVerify(given: VerifyOptions | undefined): VerifyAsked {
  const known = ['checksumOnly', 'pagesOnly', 'maxErrors', 'onProgress', ...RUN_OPTIONS];
  const options = checkOptions(given, known, 'verifyIntegrity');
  return {
    checksumOnly: flagOption(options?.checksumOnly, false, 'checksumOnly'),
    pagesOnly: flagOption(options?.pagesOnly, false, 'pagesOnly'),
    maxErrors: countOption(options?.maxErrors, MAX_ERRORS, 'maxErrors') || Infinity,
    onProgress: callbackOption(options?.onProgress, 'onProgress'),
  };
}

/**
 * Checks the newest commit: every page, every tree, the freelist against what is used, every record, both directions of every
 * edge, degrees, indexes and counts against the records. Damage is reported, not thrown, and does not hide the rest as far as
 * that can be read. Memory: one bit per edge and direction. The commit is kept until the end, however long it takes.
 * @throws StateError SOMBRA_CLOSED; IoError SOMBRA_IO; what `onProgress` throws
 */
export function* verifyGraph(store: GraphStore, asked: VerifyAsked): Steps<VerifyReport> {
  const view = store.pager.snapshot({ exempt: true });
  try {
    return yield* verifyView(store, view, asked);
  } finally {
    view.release();
  }
}

function* verifyView(store: GraphStore, view: View, asked: VerifyAsked): Steps<VerifyReport> {
  const { checksumOnly, pagesOnly, maxErrors, onProgress } = asked;
  const findings = new Findings(maxErrors);
  onProgress?.({ phase: 'pages' });
  yield;
  yield* checkPages(store, view, checksumOnly, findings);
  let nodes = 0;
  let edges = 0;
  if (!checksumOnly && !pagesOnly) {
    findings.attempt('structureErrors', '', () => {
      // Read afresh: the names in memory are no proof of what is in the tree.
      new Dictionary(() => undefined).refresh(view, store.dictionaryTree);
      store.catchUp(view);
    });
    onProgress?.({ phase: 'records' });
    yield;
    const records = yield* verifyRecords(store, view, findings);
    onProgress?.({ phase: 'adjacency' });
    yield;
    yield* verifyAdjacency(store, view, 'out', records, findings);
    yield* verifyAdjacency(store, view, 'in', records, findings);
    onProgress?.({ phase: 'indexes' });
    yield;
    yield* verifyIndexes(store, view, records, findings);
    yield* verifyPropertyIndexes(store, view, findings);
    nodes = records.nodes;
    edges = records.edges;
  }
  const { counts, list, isEmpty } = findings;
  return {
    isClean: isEmpty,
    checkedPages: view.pageCount,
    checkedNodes: nodes,
    checkedEdges: edges,
    ...counts,
    errors: list.map(textOf),
    findings: list,
  };
}

/** Findings about pages and trees begin with their code. */
function textOf({ kind, code, message }: VerifyFinding): string {
  return kind === 'checksumFailures' || kind === 'structureErrors' ? `${code}: ${message}` : message;
}

/** Trees of property indexes, those that are being dropped, too. */
function indexTrees(view: View): BTree[] {
  return view
    .trees()
    .filter(({ name }) => indexNumberOf(name) > 0)
    .map(({ name }) => BTree.open(view, name)!);
}

/** Checks pages, freelist and trees. */
function* checkPages(store: GraphStore, view: View, checksumOnly: boolean, findings: Findings): Steps<void> {
  const ofTrees: Problem[] = [];
  const trees = [
    store.nodes.tree,
    store.edges.tree,
    store.out.tree,
    store.in.tree,
    store.nodes.byName.tree,
    store.edges.byName.tree,
    store.dictionaryTree,
    store.statistics.tree,
  ];
  function* reachable(mark: (page: number) => void): Generator<undefined, void, undefined> {
    for (const tree of [...trees, ...indexTrees(view)]) ofTrees.push(...(yield* tree.checkSteps(view, mark)));
  }
  const options = { maxProblems: PROBLEMS_MAX, ...(checksumOnly ? {} : { reachable }) };
  const problems = yield* store.pager.checkSteps(view, options);
  const report = (kind: FindingKind, { code, message, page }: Problem): void => findings.add(kind, message, code, page);
  const incomplete = [...problems, ...ofTrees].some(({ code }) => isPageCode(code) || HIDES_PAGES.has(code));
  for (const problem of problems) {
    // Whatever names the page may be what cannot be read.
    if (problem.code === 'SOMBRA_PAGE_LOST' && incomplete) continue;
    report(isPageCode(problem.code) ? 'checksumFailures' : 'structureErrors', problem);
  }
  // Every page was read: one that cannot be is reported already, by its own number.
  const unreadable = findings.counts.checksumFailures > 0;
  for (const problem of ofTrees) {
    if (!isPageCode(problem.code)) report('structureErrors', problem);
    else if (!unreadable) report('checksumFailures', problem);
  }
}

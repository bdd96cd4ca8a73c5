/** `verify`: checks everything, and says what is wrong. */
import { Graph } from '@sombra/graph';
import { scanPages } from '@sombra/pager';
import { SombraError } from '@sombra/vfs';
import { parseCount } from '../shell/options.ts';
import { EXIT } from '../shell/shell.ts';
import { count } from '../shell/tables.ts';
import { Examination, findingOf } from './examination.ts';
import type { Finding } from './examination.ts';
import { findingLines } from './report.ts';
import type { Parts } from '../shell/program.ts';
import { addVerbOptions } from './verb-options.ts';
import type { VerbOptions } from './verb-options.ts';

/** What was checked, and what was found besides header and log. */
interface Checked {
  /** Of the newest commit; null when the file could not be read as a whole. */
  readonly commit: number | null;
  readonly checkedPages: number;
  readonly checkedNodes: number;
  readonly checkedEdges: number;
  /** Were records, edges and indexes checked, too? */
  readonly complete: boolean;
  /** The first ones. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  /** Why it is not complete, when that is no damage. */
  readonly warnings: readonly Finding[];
}

/** Problems of a file without a graph that are counted. */
const PROBLEMS_MAX = 100_000;
const NOTHING = {
  commit: null,
  checkedPages: 0,
  checkedNodes: 0,
  checkedEdges: 0,
  complete: false,
  warnings: [],
} as const;

/** Adds the verb. */
export function addVerify({ program, shell, exit }: Parts): void {
  addVerbOptions(program.command('verify'))
    .description('check header, log, every page, record, edge and index; exit code 2 when something is wrong')
    .option('--checksum-only', 'check header, log and pages only')
    .option('--max-errors <count>', 'findings to print; 0 for all', parseCount, 16)
    .action(
      async (path: string, options: VerbOptions & { readonly checksumOnly?: boolean; readonly maxErrors: number }) => {
        const out = shell(options.json);
        const most = options.maxErrors || Infinity;
        const seen = new Examination(path, options.busyTimeout);
        try {
          const {
            findings,
            findingCount,
            warnings: why,
            ...checked
          } = await check(seen, options.checksumOnly ?? false, most, out.signals.first);
          const all = [...seen.damage, ...findings];
          const total = seen.damage.length + findingCount;
          const clean = total === 0;
          const fuzzyCopy = isFuzzyCopy(seen, all);
          const shown = all.slice(0, most);
          const warnings = [...seen.warnings, ...why];
          const walMissing = warnings.some(({ code }) => code === 'SOMBRA_WAL_MISSING');
          const data = {
            path,
            clean,
            walMissing,
            fuzzyCopy,
            ...checked,
            findingCount: total,
            findings: shown,
            warnings,
          };
          await out.signals.turn();
          out.result(data, () => {
            const what = `${count(checked.checkedPages)} pages, ${count(checked.checkedNodes)} nodes, ${count(checked.checkedEdges)} edges checked`;
            const of = checked.commit === null ? '' : `, commit ${count(checked.commit)}`;
            const head = clean
              ? `${path} is clean: ${what}${of}`
              : `${path} is damaged: ${count(total)} found, ${what}${of}`;
            const lines = [head, ...findingLines(out, shown, warnings)];
            if (total > shown.length) lines.push(`… ${count(total - shown.length)} more; --max-errors 0 shows all`);
            if (fuzzyCopy) lines.push('', FUZZY);
            if (!clean) lines.push('', 'restore a backup');
            return lines.join('\n');
          });
          if (!clean) exit(EXIT.damaged);
        } finally {
          seen.close();
        }
      },
    );
}

const FUZZY =
  'this is a fuzzy copy: it has pages that are newer than its superblock, and no log. It was copied while it was being written, or its log was removed; copy it with sombra-repair checkpoint DB --hold -- cp DB COPY';

/** P3: a page newer than its superblock, in a file without log. */
function isFuzzyCopy({ segments }: Examination, findings: readonly Finding[]): boolean {
  return segments.length === 0 && findings.some(({ code }) => code === 'SOMBRA_PAGE_LSN');
}

async function check(seen: Examination, checksumOnly: boolean, most: number, signal: AbortSignal): Promise<Checked> {
  const { pager } = seen;
  if (pager === null) return scan(seen, most);
  let graph: Graph;
  try {
    graph = Graph.open(pager);
  } catch (error) {
    if (!(error instanceof SombraError)) throw error;
    // No graph, or none that can be read: the pages can be checked all the same.
    const problems = pager.check({ maxProblems: Math.min(most, PROBLEMS_MAX) });
    const isDamage = error.name === 'CorruptionError';
    const findings = [
      ...(isDamage ? [findingOf(error)] : []),
      ...problems.map(({ code, message, page }) => ({ code, message, details: { page } })),
    ];
    const { lsn, pageCount } = pager.view;
    return {
      ...NOTHING,
      commit: lsn,
      checkedPages: pageCount,
      warnings: isDamage ? [] : [findingOf(error)],
      findings,
      findingCount: findings.length,
    };
  }
  const report = await graph.verifyIntegrityAsync({ checksumOnly, maxErrors: most === Infinity ? 0 : most, signal });
  const { checksumFailures, structureErrors, recordErrors, adjacencyErrors, indexErrors } = report;
  return {
    commit: pager.view.lsn,
    checkedPages: report.checkedPages,
    checkedNodes: report.checkedNodes,
    checkedEdges: report.checkedEdges,
    complete: !checksumOnly,
    warnings: [],
    findings: report.errors.map(wordedFinding),
    findingCount: checksumFailures + structureErrors + recordErrors + adjacencyErrors + indexErrors,
  };
}

/** Page by page: what is left when a file cannot be opened. */
function scan({ vfs, path, header }: Examination, most: number): Checked {
  if (header.newest === null) return { ...NOTHING, findings: [], findingCount: 0 };
  const { checkedPages, problems, problemCount } = scanPages(vfs, path, header.newest, most);
  const findings = problems.map(({ code, message, page }) => ({ code, message, details: { page } }));
  return { ...NOTHING, checkedPages, findings, findingCount: problemCount };
}

/** Findings about pages and trees begin with their code. */
function wordedFinding(text: string): Finding {
  const [, code, message] = /^(SOMBRA_[A-Z0-9_]+): (.*)$/s.exec(text) ?? [];
  return { code: code ?? null, message: message ?? text, details: {} };
}

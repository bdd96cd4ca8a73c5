import type { Connection } from '../connection/connection.ts';
import type { View } from '../reading/view.ts';
import { readRootsPage, rootsPage } from '../format/roots-page.ts';
import { walkFreelist } from './freelist-walk.ts';

/** Something that `check` found. */
export interface Problem {
  /** Stable code, of the error that reading would give or SOMBRA_PAGE_LOST, SOMBRA_PAGE_TWICE. */
  readonly code: string;
  /** Page number, 0 when it concerns none. */
  readonly page: number;
  readonly message: string;
}

/** What `Pager.check` examines besides the pager's own structures. */
export interface CheckOptions {
  /**
   * Reports every page that the layers above use, each once. Without it, lost pages are not looked for.
   * It may throw: what it throws becomes a problem.
   */
  readonly reachable?: ((mark: (pageNumber: number) => void) => void) | undefined;
  /** Stop after so many problems. Default 1000. */
  readonly maxProblems?: number | undefined;
}

/** As CheckOptions, for a check in steps: `reachable` takes steps, too. */
export interface CheckStepsOptions extends Pick<CheckOptions, 'maxProblems'> {
  readonly reachable?: ((mark: (pageNumber: number) => void) => Iterable<undefined>) | undefined;
}

const USED = 1;
const FREE_PAGE = 2;
/** Pages that are read from one step to the next. */
const STEP_PAGES = 64;
const NO_STEPS: readonly undefined[] = [];

/** Checks a commit in one go; see `checkPagesSteps`. */
export function checkPages(
  connection: Connection,
  view: View,
  { reachable, maxProblems }: CheckOptions = {},
): Problem[] {
  const steps = checkPagesSteps(connection, view, {
    maxProblems,
    reachable:
      reachable === undefined
        ? undefined
        : (mark) => {
            reachable(mark);
            return NO_STEPS;
          },
  });
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/**
 * Checks a commit: every page in use can be built and is valid, the catalogue and the freelist make sense, and no
 * page is lost or used twice.
 * @param view  sees the commit, and keeps it until the end
 * @returns what is wrong, nothing when all is well
 */
export function* checkPagesSteps(
  connection: Connection,
  view: View,
  options: CheckStepsOptions = {},
): Generator<undefined, Problem[], undefined> {
  const { cache, reader } = connection;
  const { catalogue: published } = view;
  const { pageSize } = cache;
  const max = options.maxProblems ?? 1000;
  const problems: Problem[] = [];
  const report = (code: string, page: number, message: string): void => {
    if (problems.length < max) problems.push({ code, page, message });
  };
  const caught = (error: unknown, page: number): void => {
    if (view.limit < 0) view.counter(0); // the view has ended, before or through this call: that is not damage, so it is thrown
    const { code, message, details } = error as { code?: string; message?: string; details?: { pageNumber?: unknown } };
    const named = details?.pageNumber;
    report(
      code ?? 'SOMBRA_INVARIANT',
      page === 0 && typeof named === 'number' ? named : page,
      message ?? String(error),
    );
  };
  const roots = rootsPage(pageSize);
  const { pageCount } = published;
  const use = new Uint8Array(pageCount);
  const scratch = new Uint8Array(pageSize);
  use[roots] = USED;

  // The freelist: bounded by the page count, since no page may be in it twice.
  let free = 0;
  const markFree = (pageNumber: number, trunk: number): boolean => {
    if (pageNumber <= roots || pageNumber >= pageCount) {
      report('SOMBRA_FREELIST', trunk, `freelist page ${trunk} names page ${pageNumber}, which does not exist`);
      return false;
    }
    if (use[pageNumber] !== 0) {
      report('SOMBRA_PAGE_TWICE', pageNumber, `page ${pageNumber} is on the freelist twice`);
      return false;
    }
    use[pageNumber] = FREE_PAGE;
    free += 1;
    return true;
  };
  try {
    yield* walkFreelist(reader, published, pageSize, markFree);
    if (free !== published.freeCount)
      report('SOMBRA_FREELIST', roots, `the freelist has ${free} pages, the roots page says ${published.freeCount}`);
  } catch (error) {
    caught(error, 0);
  }

  // The catalogue, as the file has it.
  try {
    reader.read(roots, published.lsn, scratch, 0);
    if (readRootsPage(scratch, 0, pageSize, published.lsn, pageCount).differsFrom(published)) {
      report('SOMBRA_ROOTS', roots, 'the roots page differs from the catalogue in memory');
    }
  } catch (error) {
    caught(error, roots);
  }

  if (options.reachable !== undefined) {
    try {
      yield* options.reachable((pageNumber) => {
        if (!(pageNumber > roots && pageNumber < pageCount))
          report('SOMBRA_PAGE_RANGE', pageNumber, `page ${pageNumber} is used and does not exist`);
        else if (use[pageNumber] === FREE_PAGE)
          report('SOMBRA_PAGE_TWICE', pageNumber, `page ${pageNumber} is used and on the freelist`);
        else if (use[pageNumber] === USED) report('SOMBRA_PAGE_TWICE', pageNumber, `page ${pageNumber} is used twice`);
        else use[pageNumber] = USED;
      });
      for (let page = roots + 1; page < pageCount; page += 1) {
        if (use[page] === 0) report('SOMBRA_PAGE_LOST', page, `page ${page} is neither used nor free`);
      }
    } catch (error) {
      caught(error, 0);
    }
  }

  for (let page = roots + 1, read = 0; page < pageCount; page += 1) {
    if (use[page] === FREE_PAGE) continue; // what a free page holds does not matter
    read += 1;
    if (read % STEP_PAGES === 0) yield;
    try {
      reader.read(page, published.lsn, scratch, 0);
    } catch (error) {
      caught(error, page);
    }
  }
  return problems;
}

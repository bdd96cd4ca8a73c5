import { isClosed } from './every.ts';
import type { Series } from './series.ts';
import { FailureReport } from './failure-report.ts';
import type { Listener } from './failure-report.ts';

/**
 * What one database, pager or log tells in a scrape.
 *
 * A registry asks each of its collectors in one turn, so that figures read for the first of them serve all the others: one `stats()` for
 * a scrape. What a read throws ends in this object: the series stay away, `sombra_up` is 0, and other sources are not concerned.
 */
export class Source<F> {
  /** Value of the label `database`. */
  readonly name: string;
  readonly series: readonly Series<F>[];
  private readonly readFigures: () => F | undefined;
  private readonly report: FailureReport;
  private figures: F | undefined;
  private isFresh = false;
  private isWatched = true;

  /** @param read  gives the figures; undefined, or an error SOMBRA_CLOSED, when it is closed */
  constructor(name: string, series: readonly Series<F>[], read: () => F | undefined, listener: Listener) {
    this.name = name;
    this.series = series;
    this.readFigures = read;
    this.report = new FailureReport(listener);
  }

  /** false: it gives no series any more, `sombra_up` neither. */
  get watched(): boolean {
    return this.isWatched;
  }

  unwatch(): void {
    this.isWatched = false;
    this.figures = undefined;
  }

  /** Figures of this turn; undefined when they cannot be read: closed, or the read failed. */
  read(): F | undefined {
    if (this.isFresh) return this.figures;
    this.isFresh = true;
    queueMicrotask(() => {
      this.isFresh = false;
      this.figures = undefined;
    });
    try {
      this.figures = this.readFigures();
      this.report.worked();
    } catch (error) {
      this.figures = undefined;
      // A closed database is no failure: `sombra_up` says so.
      if (!isClosed(error))
        this.report.failed(`the figures of ${this.name} cannot be read (%), its metrics are missing`, error);
    }
    return this.figures;
  }
}

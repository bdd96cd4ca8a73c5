/** Rows from one step of a long call to the next. */
const STEP_ROWS = 512;
/** Rows from one report to the next, unless the caller says otherwise. */
const REPORT_ROWS = 10_000;

/** How far a long call is. */
export interface ProgressReport<Phase extends string> {
  readonly phase: Phase;
  readonly rows: number;
}

/** Counts the rows of a long call: when to yield, and when to tell the caller how far it is. */
export class Progress<Phase extends string> {
  private readonly tell: ((progress: ProgressReport<Phase>) => void) | undefined;
  private readonly every: number;
  private phase: Phase;
  private rows = 0;
  private told = 0;
  private next: number;

  /** @param tell  what it throws ends the call */
  constructor(first: Phase, tell: ((progress: ProgressReport<Phase>) => void) | undefined, every = REPORT_ROWS) {
    this.phase = first;
    this.tell = tell;
    this.every = tell === undefined ? Infinity : every;
    this.next = this.every;
  }

  /** A phase begins, or goes on after `rows` rows. Yield then. */
  begin(phase: Phase, rows = 0): void {
    this.phase = phase;
    this.rows = rows;
    this.report();
  }

  /** A row is done. @returns is it time to yield? */
  row(): boolean {
    this.rows += 1;
    if (this.rows < this.next) return this.rows % STEP_ROWS === 0;
    this.report();
    return true;
  }

  /** A phase ends, or a part of it. */
  end(): void {
    if (this.rows !== this.told) this.report();
  }

  private report(): void {
    this.told = this.rows;
    this.next = this.rows + this.every;
    this.tell?.({ phase: this.phase, rows: this.rows });
  }
}

import { describe } from '../model/options.ts';
import { DataError } from '@sombra/vfs';
import type { Rows } from '../model/rows.ts';
import type { FindPlan } from './find.ts';
import type { ParameterValues } from './parameters.ts';
import type { Find, OpenFind } from './query.ts';

/** What runs finds: a database, a snapshot, a transaction. */
export interface FindRunner {
  /** @internal */
  runFind(find: Find): Rows<unknown>;
  /** @internal */
  runFirst(find: Find): unknown;
  /** @internal */
  runCount(find: Find): number;
  /** @internal */
  runExplain(find: Find, options: { readonly analyze?: boolean } | undefined): FindPlan;
}

/**
 * A find that is checked and planned once, and run many times with other values. Values are given by the names of `param`.
 * `Row`: what it gives.
 */
export class PreparedFind<Row> {
  /** Names of its parameters. */
  readonly parameters: readonly string[];
  private readonly open: OpenFind;
  private readonly runner: FindRunner;

  /** @internal Use `prepareNodes` and `prepareEdges`. */
  constructor(runner: FindRunner, open: OpenFind) {
    this.runner = runner;
    this.open = open;
    this.parameters = open.parameters;
  }

  /** Its rows, one after the other. @throws DataError SOMBRA_OPTION for values that are missing, unknown or do not fit */
  rows(values?: ParameterValues): Rows<Row> {
    return this.runner.runFind(this.open.bind(values)) as Rows<Row>;
  }

  /** Its rows as a list. @throws as `rows` */
  all(values?: ParameterValues): Row[] {
    return this.rows(values).all();
  }

  /** Its first row; undefined when there is none. @throws as `rows` */
  first(values?: ParameterValues): Row | undefined {
    return this.runner.runFirst(this.open.bind(values)) as Row | undefined;
  }

  /** The number of its rows, were there no limit, `skip` and `after`. @throws as `rows` */
  count(values?: ParameterValues): number {
    return this.runner.runCount(this.open.bind(values));
  }

  /** How it is carried out. @throws as `rows` */
  explain(values?: ParameterValues, options?: { readonly analyze?: boolean }): FindPlan {
    return this.runner.runExplain(this.open.bind(values), options);
  }

  /** The same find on something else: a snapshot, or inside a transaction. */
  on(runner: FindRunner): PreparedFind<Row> {
    if (typeof (runner as FindRunner | undefined)?.runFind === 'function') return new PreparedFind(runner, this.open);
    throw new DataError('SOMBRA_OPTION', `on takes a database, a snapshot or a transaction, not ${describe(runner)}`);
  }
}

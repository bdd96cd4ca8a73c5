import type { GraphStats } from '@sombra/graph';
import type { PagerStats } from '@sombra/pager';

/** Figures of an open database. */
export interface DatabaseStats {
  readonly path: string;
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Number of the newest commit. */
  readonly lsn: number;
  readonly nodes: number;
  readonly edges: number;
  /** Counters of pages, cache, log and checkpoints. */
  readonly pager: PagerStats;
  /** Counters of graph operations. */
  readonly graph: GraphStats;
}

/** The memory that searches work in, kept from one to the next; one per open graph. */
import { BreadthFirst } from './breadth-first.ts';
import { DepthFirst } from './depth-first.ts';
import { Pool } from './pool.ts';
import { WeightedPath, type WeightedSource } from './weighted-path.ts';

export class Workspace {
  /** For calls that run no code of the caller. */
  readonly breadthFirst: BreadthFirst;
  /** For calls that run code of the caller, which may use the graph, or that end later. */
  readonly breadthFirsts: Pool<BreadthFirst>;
  readonly depthFirsts: Pool<DepthFirst>;
  readonly costSearches: Pool<WeightedPath>;

  constructor(source: WeightedSource) {
    this.breadthFirst = new BreadthFirst(source);
    this.breadthFirsts = new Pool(() => new BreadthFirst(source));
    this.depthFirsts = new Pool(() => new DepthFirst(source));
    this.costSearches = new Pool(() => new WeightedPath(source));
  }
}

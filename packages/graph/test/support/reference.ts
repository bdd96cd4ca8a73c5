// Traversals as a textbook has them, over plain Maps: what the engine's must give.
import type { Direction, Path } from '../../src/model/types.ts';

export interface ReferenceEdge {
  readonly source: number;
  readonly target: number;
  readonly type: string;
  readonly weight?: number;
}

export interface Options {
  readonly direction?: Direction;
  readonly type?: string | readonly string[];
}

interface Step {
  readonly to: number;
  readonly edge: number;
}

export class Reference {
  readonly edges: ReadonlyMap<number, ReferenceEdge>;
  private readonly out = new Map<number, Step[]>();
  private readonly in = new Map<number, Step[]>();

  constructor(edges: ReadonlyMap<number, ReferenceEdge>) {
    this.edges = edges;
    for (const [edge, { source, target }] of edges) {
      add(this.out, source, { to: target, edge });
      add(this.in, target, { to: source, edge });
    }
  }

  /** Where one edge leads from a node. */
  steps(node: number, { direction = 'out', type }: Options): Step[] {
    const types = typeof type === 'string' ? [type] : type;
    const allowed = ({ edge }: Step): boolean => types === undefined || types.includes(this.edges.get(edge)!.type);
    const out = direction === 'in' ? [] : (this.out.get(node) ?? []);
    const into = direction === 'out' ? [] : (this.in.get(node) ?? []);
    return [...out, ...into].filter(allowed);
  }

  /** Distance of every node that can be reached. */
  distances(start: number, options: Options, maxDepth = Infinity): Map<number, number> {
    const found = new Map([[start, 0]]);
    let level = [start];
    for (let depth = 1; depth <= maxDepth && level.length > 0; depth += 1) {
      const next: number[] = [];
      for (const node of level) {
        for (const { to } of this.steps(node, options)) {
          if (found.has(to)) continue;
          found.set(to, depth);
          next.push(to);
        }
      }
      level = next;
    }
    return found;
  }

  /** Where walks of exactly so many edges end. */
  walkEnds(start: number, hops: number, options: Options): Set<number> {
    let ends = new Set([start]);
    for (let hop = 0; hop < hops; hop += 1) {
      ends = new Set([...ends].flatMap((node) => this.steps(node, options).map(({ to }) => to)));
    }
    return ends;
  }

  /** Least sum of weights to every node, by relaxing edges until nothing changes (Bellman-Ford). */
  costs(start: number, options: Options): Map<number, number> {
    const cost = new Map([[start, 0]]);
    for (let queue = [start]; queue.length > 0; ) {
      const next = new Set<number>();
      for (const node of queue) {
        for (const { to, edge } of this.steps(node, options)) {
          const sum = cost.get(node)! + this.edges.get(edge)!.weight!;
          if (sum >= (cost.get(to) ?? Infinity)) continue;
          cost.set(to, sum);
          next.add(to);
        }
      }
      queue = [...next];
    }
    return cost;
  }

  /** What is wrong with a path between two nodes; empty when every edge of it leads on, in the direction and of the types asked for. */
  faults(path: Path, from: number, to: number, options: Options): string[] {
    const faults: string[] = [];
    const { nodes, edges } = path;
    if (nodes[0] !== from || nodes.at(-1) !== to) faults.push(`leads from ${nodes[0]} to ${nodes.at(-1)}`);
    if (nodes.length !== edges.length + 1 || path.length !== edges.length)
      faults.push('has not one node more than edges');
    edges.forEach((edge, i) => {
      if (!this.steps(nodes[i]!, options).some((step) => step.edge === edge && step.to === nodes[i + 1])) {
        faults.push(`edge ${edge} does not lead from ${nodes[i]} to ${nodes[i + 1]}`);
      }
    });
    return faults;
  }
}

function add(steps: Map<number, Step[]>, node: number, step: Step): void {
  const known = steps.get(node);
  if (known === undefined) steps.set(node, [step]);
  else known.push(step);
}

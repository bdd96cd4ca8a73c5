import type { BulkEdge, BulkNode, BulkSource } from '@sombra/graph';
import type { SchemaRules } from './schema-rules.ts';

/**
 * What a bulk load takes, each row checked against a schema before it is loaded. Ends are known by row only, so the
 * labels of the rows are kept: one number per node. An invalid source or row is passed on to the load, which refuses it.
 */
export function checkedSource(source: BulkSource, rules: SchemaRules): BulkSource {
  if (!isIterable(source?.nodes) || !isIterable(source.edges)) return source;
  const kinds = new Map<string, number>();
  const labelsOfKind: (readonly string[])[] = [];
  const kindOfRow: number[] = [];

  function* nodes(): IterableIterator<BulkNode> {
    for (const node of source.nodes) {
      if (!isRow(node)) {
        yield node;
        continue;
      }
      rules.checkNode(node.labels, node.properties);
      const labels = [node.labels ?? []].flat();
      const key = JSON.stringify(labels);
      let kind = kinds.get(key);
      if (kind === undefined) {
        kind = labelsOfKind.push(labels) - 1;
        kinds.set(key, kind);
      }
      kindOfRow.push(kind);
      yield node;
    }
  }

  function* edges(): IterableIterator<BulkEdge> {
    for (const edge of source.edges) {
      if (!isRow(edge)) {
        yield edge;
        continue;
      }
      rules.checkEdge(edge.type, edge.properties);
      const [from, to] = [labelsOfKind[kindOfRow[edge.source]!], labelsOfKind[kindOfRow[edge.target]!]];
      if (from !== undefined && to !== undefined) rules.checkEnds(edge.type, from, to);
      yield edge;
    }
  }
  return { nodes: nodes(), edges: edges() };
}

function isIterable(given: unknown): boolean {
  return typeof (given as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function';
}

function isRow(given: unknown): boolean {
  return typeof given === 'object' && given !== null;
}

import type { EdgeRecord, NodeRecord } from './types.ts';

/** The part of a reader that traversals and algorithms use. */
export interface RecordSource {
  getNode(id: number): NodeRecord | undefined;
  getEdge(id: number): EdgeRecord | undefined;
  hasNode(id: number): boolean;
  nodeCount(label?: string): number;
  edgeCount(type?: string): number;
}

import type { View } from '@sombra/pager';
import type { GraphStore } from '../store/store.ts';
import type { EdgeRecord, NodeRecord } from '../model/types.ts';
import type { Watch } from './watch.ts';

/** The part of a reader that traversals and algorithms use. */
export interface RecordSource {
  getNode(id: number): NodeRecord | undefined;
  getEdge(id: number): EdgeRecord | undefined;
  hasNode(id: number): boolean;
  nodeCount(label?: string): number;
  edgeCount(type?: string): number;
}

/** What traversals and algorithms read from: a reader with what it stands on. */
export interface ReadSource {
  readonly reader: RecordSource;
  readonly store: GraphStore;
  /** What the reader sees. */
  readonly view: View;
  /** undefined: nothing ends the call early. */
  readonly watch: Watch | undefined;
}

/** What differs between nodes and edges, apart from the trees that they are kept in: names, counters, bytes. */
import { COUNTER } from '../model/counters.ts';
import { EDGE_PROPERTIES_OFFSET } from '../records/record-format.ts';
import { NAME_KIND, type NameKind } from './dictionary.ts';

export type RecordOn = 'node' | 'edge';

export interface RecordKind {
  readonly on: RecordOn;
  readonly plural: 'nodes' | 'edges';
  /** The option that chooses some of them. */
  readonly option: 'label' | 'type';
  /** Names of labels, of types. */
  readonly names: NameKind;
  /** Counters: the id that the next one gets, and how many names there are. */
  readonly nextId: number;
  readonly nameCount: number;
  /** Bytes before the properties in a record. */
  readonly propertiesAt: number;
}

export const RECORD_KINDS: { readonly node: RecordKind; readonly edge: RecordKind } = {
  node: {
    on: 'node',
    plural: 'nodes',
    option: 'label',
    names: NAME_KIND.label,
    nextId: COUNTER.nextNodeId,
    nameCount: COUNTER.labels,
    propertiesAt: 0,
  },
  edge: {
    on: 'edge',
    plural: 'edges',
    option: 'type',
    names: NAME_KIND.edgeType,
    nextId: COUNTER.nextEdgeId,
    nameCount: COUNTER.edgeTypes,
    propertiesAt: EDGE_PROPERTIES_OFFSET,
  },
};

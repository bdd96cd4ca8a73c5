import type {
  AddManyInput,
  AddManyResult,
  EdgeId,
  NodeId,
  PropertyInput,
  ReadonlyValue,
  Upserted,
} from '@sombra/graph';
import { ReadMethods } from '../reading/read-methods.ts';
import type { Transaction } from '../writing/transaction.ts';

/** Writes of a database, each a transaction of its own. */
export abstract class SingleWrites extends ReadMethods {
  /** Runs a write as a transaction of its own. */
  protected abstract write<T>(write: (tx: Transaction) => T): T;

  /**
   * `Transaction.addNode` as a transaction of its own, like all writes of the database.
   * @throws StateError SOMBRA_TRANSACTION_ACTIVE inside a `transaction(fn)`; IoError SOMBRA_BUSY while a transaction of
   *   `beginTransaction` is open
   */
  addNode(labels: string | readonly string[], properties?: PropertyInput): NodeId {
    return this.write((tx) => tx.addNode(labels, properties));
  }

  /** `Transaction.addEdge` as a transaction of its own. @throws as `addNode` */
  addEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): EdgeId {
    return this.write((tx) => tx.addEdge(source, target, type, properties));
  }

  /** `Transaction.setNodeProperty` as a transaction of its own. */
  setNodeProperty(id: NodeId, key: string, value: ReadonlyValue | null): void {
    this.write((tx) => tx.setNodeProperty(id, key, value));
  }

  /** `Transaction.removeNodeProperty` as a transaction of its own. */
  removeNodeProperty(id: NodeId, key: string): boolean {
    return this.write((tx) => tx.removeNodeProperty(id, key));
  }

  /** `Transaction.replaceNodeProperties` as a transaction of its own. */
  replaceNodeProperties(id: NodeId, properties: PropertyInput): void {
    this.write((tx) => tx.replaceNodeProperties(id, properties));
  }

  /** `Transaction.updateNodeProperties` as a transaction of its own. */
  updateNodeProperties(id: NodeId, properties: PropertyInput): void {
    this.write((tx) => tx.updateNodeProperties(id, properties));
  }

  /** `Transaction.setEdgeProperty` as a transaction of its own. */
  setEdgeProperty(id: EdgeId, key: string, value: ReadonlyValue | null): void {
    this.write((tx) => tx.setEdgeProperty(id, key, value));
  }

  /** `Transaction.removeEdgeProperty` as a transaction of its own. */
  removeEdgeProperty(id: EdgeId, key: string): boolean {
    return this.write((tx) => tx.removeEdgeProperty(id, key));
  }

  /** `Transaction.replaceEdgeProperties` as a transaction of its own. */
  replaceEdgeProperties(id: EdgeId, properties: PropertyInput): void {
    this.write((tx) => tx.replaceEdgeProperties(id, properties));
  }

  /** `Transaction.updateEdgeProperties` as a transaction of its own. */
  updateEdgeProperties(id: EdgeId, properties: PropertyInput): void {
    this.write((tx) => tx.updateEdgeProperties(id, properties));
  }

  /** `Transaction.addLabel` as a transaction of its own. */
  addLabel(id: NodeId, label: string): boolean {
    return this.write((tx) => tx.addLabel(id, label));
  }

  /** `Transaction.removeLabel` as a transaction of its own; with a schema also SOMBRA_SCHEMA for ends of edges. */
  removeLabel(id: NodeId, label: string): boolean {
    return this.write((tx) => tx.removeLabel(id, label));
  }

  /** `Transaction.deleteNode` as a transaction of its own. */
  deleteNode(id: NodeId, options?: { readonly cascade?: boolean }): void {
    this.write((tx) => tx.deleteNode(id, options));
  }

  /** `Transaction.deleteEdge` as a transaction of its own. */
  deleteEdge(id: EdgeId): void {
    this.write((tx) => tx.deleteEdge(id));
  }

  /** `Transaction.addMany` as a transaction of its own. */
  addMany(input: AddManyInput): AddManyResult {
    return this.write((tx) => tx.addMany(input));
  }

  /** `Transaction.upsertNode` as a transaction of its own. */
  upsertNode(
    label: string,
    match: Readonly<Record<string, ReadonlyValue>>,
    properties?: PropertyInput,
  ): Upserted<NodeId> {
    return this.write((tx) => tx.upsertNode(label, match, properties));
  }

  /** `Transaction.upsertEdge` as a transaction of its own. */
  upsertEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): Upserted<EdgeId> {
    return this.write((tx) => tx.upsertEdge(source, target, type, properties));
  }

  /** `Transaction.deleteNodes` as a transaction of its own. */
  deleteNodes(ids: Iterable<NodeId>, options?: { readonly cascade?: boolean }): number {
    return this.write((tx) => tx.deleteNodes(ids, options));
  }

  /** `Transaction.deleteEdges` as a transaction of its own. */
  deleteEdges(ids: Iterable<EdgeId>): number {
    return this.write((tx) => tx.deleteEdges(ids));
  }
}

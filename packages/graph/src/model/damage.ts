/** Damage that several readers meet. */
import { CorruptionError } from '@sombra/vfs';

/** A node that an edge leads to and that has no record. */
export function missingNode(id: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_ADJACENCY',
    `an edge leads to node ${id}, which does not exist; run verify, restore from a backup`,
    { details: { node: id } },
  );
}

/** An edge that adjacency names and that has no record. */
export function danglingEdge(edge: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_ADJACENCY',
    `edge ${edge} is in the adjacency of a node and has no record; run verify, restore from a backup`,
    {
      details: { edge },
    },
  );
}

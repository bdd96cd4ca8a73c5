import { GraphDB } from '@sombra/db';
import { MemoryVfs } from '@sombra/vfs';

/** A database in memory; `close` it. */
export function openDatabase(options: Parameters<typeof GraphDB.open>[1] = {}, path = 'graph.db'): GraphDB {
  return GraphDB.open(path, { vfs: new MemoryVfs(), ...options });
}

/** A graph in memory, and ways to damage its file. */
import { createHash } from 'node:crypto';
import { Graph } from '@sombra/graph';
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';

export const PAGE_SIZE = 4096;
export const PATH = 'g.db';

/** A database of `nodes` people who each know the next two, closed. */
export function peopleDatabase(nodes = 200, vfs = new MemoryVfs()): MemoryVfs {
  const pager = Pager.open({ vfs, path: PATH, pageSize: PAGE_SIZE });
  const graph = Graph.open(pager);
  const people = Array.from({ length: nodes }, (_, i) => ({
    labels: i % 4 === 0 ? ['Person', 'Admin'] : ['Person'],
    properties: { name: `person ${i}`, age: i % 90, text: 'x'.repeat(i % 200) },
  }));
  const knows = people.flatMap((_, i) =>
    [1, 2].map((step) => ({ source: i, target: (i + step) % nodes, type: 'KNOWS', properties: { since: 1900 + i } })),
  );
  graph.bulkLoad({ nodes: people, edges: knows });
  graph.createPropertyIndex('Person', 'age');
  pager.close();
  return vfs;
}

/** A file system with the same files. */
export function copyOf(source: MemoryVfs, vfs = new MemoryVfs()): MemoryVfs {
  for (const path of source.list('.')) {
    const file = vfs.open(path, { write: true, create: true });
    file.pwrite([bytesOf(source, path)], 0);
    file.close();
  }
  return vfs;
}

/** Bytes of a file. */
export function bytesOf(vfs: MemoryVfs, path = PATH): Uint8Array {
  const file = vfs.open(path, { write: false });
  const bytes = new Uint8Array(file.stat().size);
  file.pread(bytes, 0);
  file.close();
  return bytes;
}

/** Flips a bit of a byte of the file. */
export function flip(vfs: MemoryVfs, at: number, path = PATH): void {
  const file = vfs.open(path, { write: true });
  const byte = new Uint8Array(1);
  file.pread(byte, at);
  file.pwrite([Uint8Array.of(byte[0]! ^ 8)], at);
  file.close();
}

/** Every name and a hash of its bytes, for comparing. */
export function everything(vfs: MemoryVfs): Map<string, string> {
  return new Map(vfs.list('.').map((name) => [name, createHash('sha1').update(bytesOf(vfs, name)).digest('hex')]));
}

/** Opens the file, hands the graph to `use`, closes it. */
export function withGraph<T>(vfs: MemoryVfs, path: string, use: (graph: Graph, pager: Pager) => T): T {
  const pager = Pager.open({ vfs, path });
  try {
    return use(Graph.open(pager), pager);
  } finally {
    pager.close();
  }
}

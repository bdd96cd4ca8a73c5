// Goal: a directory does what every place for objects does, on each file system. Method: the conformance suite that ships in ./testing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryVfs } from '@sombra/vfs';
import { SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { openObjectStore } from '../src/index.ts';
import { objectStoreConformance } from '../src/testing/index.ts';

const functions = { describe, test, expect };

objectStoreConformance(
  'a directory',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sombra-ops-'));
    const location = join(directory, 'store');
    return {
      store: await openObjectStore(location),
      again: () => openObjectStore(location),
      cleanUp: () => rmSync(directory, { recursive: true }),
    };
  },
  functions,
  { listed: 300 },
);

for (const [name, make] of [
  ['MemoryVfs', () => new MemoryVfs()],
  ['SimDisk', () => new SimDisk({ seed: 3 })],
] as const) {
  objectStoreConformance(
    `a directory of ${name}`,
    async () => {
      const vfs = make();
      const again = () => openObjectStore('store', { vfs });
      return { store: await again(), again };
    },
    functions,
    { large: 3 << 20, listed: 300 },
  );
}

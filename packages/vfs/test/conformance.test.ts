// Goal: the three file systems behave alike. Method: the conformance suite that ships in ./testing runs on each.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MemoryVfs, NodeVfs } from '../src/index.ts';
import { FaultyVfs, SimDisk, vfsConformance } from '../src/testing/index.ts';

const functions = { describe, test, expect };

vfsConformance('MemoryVfs', () => ({ vfs: new MemoryVfs(), directory: '.' }), functions);
vfsConformance('MemoryVfs, in a directory', () => ({ vfs: new MemoryVfs(), directory: '/some/where' }), functions);
vfsConformance('SimDisk', () => ({ vfs: new SimDisk({ seed: 5 }), directory: 'dir' }), functions);
vfsConformance('FaultyVfs without faults', () => ({ vfs: new FaultyVfs(new MemoryVfs()), directory: '.' }), functions);
vfsConformance(
  'NodeVfs',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'sombra-vfs-'));
    return { vfs: new NodeVfs(), directory, cleanUp: () => rmSync(directory, { recursive: true }) };
  },
  functions,
);

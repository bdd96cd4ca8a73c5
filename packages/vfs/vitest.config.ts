import { project } from '../../tooling/vitest/project.ts';

// node-faults.test.ts stands between NodeVfs and node:fs, which no other file may have loaded before.
export default project('vfs', { isolate: true });

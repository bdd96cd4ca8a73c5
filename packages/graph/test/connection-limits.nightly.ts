// Goal and method as in connection-faults.nightly.ts, for what the system refuses: full disks, and descriptors that have run out.
import { expect, test } from 'vitest';
import { sweep, type Kind } from './support/shared-sweep.ts';

const FLOOR = 600;
const seed = Number(process.env['SOMBRA_SEED'] ?? 5);
let runs = 0;

const NAMES = ['open', 'link', 'rename', 'unlink'] as const;
const NOT_SHM = /^(?!.*-shm)/; // its blocks are all allocated when it is made
const KINDS: [name: string, kind: Kind, code: string][] = [
  ['the disk is full', { op: ['pwrite', 'truncate', ...NAMES], file: NOT_SHM, action: 'ENOSPC' }, 'SOMBRA_DISK_FULL'],
  ['descriptors have run out', { op: 'open', action: 'EMFILE' }, 'SOMBRA_IO'],
];

test.each(KINDS.flatMap(([name, kind, code]) => [false, true].map((sticky) => ({ name, kind, code, sticky }))))(
  '$name, until the end of the step: $sticky',
  async ({ kind, code, sticky }) => {
    const result = await sweep({ ...kind, sticky }, 1, seed);
    runs += result.runs;
    expect(result.wrong).toEqual([]);
    expect(result.codes).toContain(code);
    // What was refused did not happen: no commit is in doubt, and nothing is poisoned; but a rotation that is cut between its two
    // renames leaves names that only recovery puts right.
    expect([...result.codes]).not.toContain('SOMBRA_COMMIT_UNKNOWN');
    expect([...result.poisonedBy].filter((call) => call !== 'rename g.db-wal')).toEqual([]);
  },
);

test('the floor is reached', () => {
  console.log(`refusals beside another connection: ${runs} runs`);
  expect(runs).toBeGreaterThanOrEqual(FLOOR);
});

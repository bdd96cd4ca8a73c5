// Goal: whatever a power loss or a kill leaves of an audit trail, it opens, holds every entry that was acknowledged, in order, and goes on.
// Method: random scripts of appends of all sizes, rotations and reopenings on a simulated disk; a crash before every operation,
// each under several policies. Left out are disks that show foreign bytes in place of lost ones: docs/observability/audit.md says so.
import { CRASH_POLICIES, Random, seeds, SimDisk } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { auditFile, queryAudit, verifyAudit } from '../src/index.ts';
import { records } from './support/records.ts';

const POLICIES = CRASH_POLICIES.filter(({ lost }) => lost === 'shrink' || lost === 'zeros');
const quiet = { maxBytes: 3000, onWarning: (): void => undefined };

/** @returns images that were examined */
function sweep(seed: number): number {
  const random = new Random(seed);
  const dice = random.fork('load');
  const disk = new SimDisk({ seed });
  let acknowledged = 0;
  let attempted = 0;
  let images = 0;
  disk.onOperation = (operation) => {
    const policies = [0, 1, 2].map((turn) => POLICIES[(operation * 3 + turn) % POLICIES.length]!);
    for (const policy of policies) {
      const image = disk.crash(policy, random.fork(`${operation} ${JSON.stringify(policy)}`));
      examine(image, acknowledged, attempted);
    }
    examine(disk.kill(), acknowledged, attempted, true);
    images += policies.length + 1;
  };
  let sink = auditFile('audit.jsonl', { vfs: disk, ...quiet });
  for (let step = 0; step < 30; step += 1) {
    const count = dice.chance(0.2) ? 1 + dice.below(12) : 1;
    attempted = acknowledged + count;
    sink.append(records(acknowledged + 1, attempted));
    acknowledged = attempted;
    if (!dice.chance(0.15)) continue;
    sink.close();
    sink = auditFile('audit.jsonl', { vfs: disk, ...quiet });
  }
  sink.close();
  expect(acknowledged).toBeGreaterThan(30);
  return images;
}

function examine(image: SimDisk, acknowledged: number, attempted: number, killed = false): void {
  // What a kill leaves verifies as it is.
  if (killed && image.stat('audit.jsonl') !== null)
    expect(verifyAudit('audit.jsonl', { vfs: image }).problems).toEqual([]);
  const sink = auditFile('audit.jsonl', { vfs: image, ...quiet });
  const { seq } = sink.last;
  expect(seq).toBeGreaterThanOrEqual(acknowledged);
  expect(seq).toBeLessThanOrEqual(attempted);
  sink.append(records(seq + 1, seq + 1));
  sink.close();
  expect(verifyAudit('audit.jsonl', { vfs: image }).problems).toEqual([]);
  const found = [...queryAudit('audit.jsonl', { vfs: image })].map(({ transaction }) => transaction);
  expect(found).toEqual(Array.from({ length: seq + 1 }, (_, i) => i + 1));
}

test.each(seeds(4))('seed %i: a crash before every operation', (seed) => {
  expect(sweep(seed)).toBeGreaterThan(200);
});

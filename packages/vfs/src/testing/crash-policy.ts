/**
 * What a power loss leaves of the operations that no sync has made durable. Writes are kept or lost by sectors of 512
 * bytes, everything else whole; what is kept is applied in the order in which it was done.
 */
import type { Random } from './random.ts';

/** Writes tear at its multiples, bytes. */
export const SECTOR = 512;

/** Something that was done and is not durable yet. */
export type PendingOperation = PendingData | PendingName;

export interface PendingData {
  readonly kind: 'write' | 'truncate';
  /** as it was opened */
  readonly path: string;
  /** first byte of a write, new size of a truncation */
  readonly at: number;
  /** bytes written */
  readonly length: number;
  /** parts that are kept or lost for themselves, 1 for a truncation */
  readonly parts: number;
}

export interface PendingName {
  readonly kind: 'create' | 'link' | 'rename' | 'unlink' | 'mkdir';
  readonly path: string;
  readonly parts: 1;
}

/** Decides for part `part` of an operation, both counted from 0. */
export type KeepFunction = (operation: PendingOperation, index: number, part: number) => boolean;

/**
 * Which data survive.
 * - `none`: nothing
 * - `all`: everything
 * - `prefix`: everything up to a random point, over all files and directories
 * - `tornLast`: everything but a part of the last write
 * - `random`: each part by itself, with probability one half
 */
export type Keep = 'none' | 'all' | 'prefix' | 'tornLast' | 'random' | KeepFunction;

/**
 * What a file that grew holds where its data did not survive.
 * - `shrink`: the file did not grow
 * - `zeros`, `noise`: it grew, and holds that
 * - `old`: it grew, and holds what lay in those blocks before: earlier bytes of this file, or of another one
 */
export type Lost = 'shrink' | 'zeros' | 'old' | 'noise';

/**
 * Which changes of names survive.
 * - `like-data`: as `keep` says, under the order of everything
 * - `lost`: none: an unlink or a rename is undone, a new file is absent
 * - `kept`: all
 * - `random`: each by itself
 */
export type Names = 'like-data' | 'lost' | 'kept' | 'random';

export interface CrashPolicy {
  readonly keep: Keep;
  /** Default shrink. */
  readonly lost?: Lost;
  /** Default like-data. */
  readonly names?: Names;
}

const KEEPS: readonly Keep[] = ['none', 'all', 'prefix', 'tornLast', 'random'];
const LOSTS: readonly Lost[] = ['shrink', 'zeros', 'old', 'noise'];
const NAMES: readonly Names[] = ['like-data', 'lost', 'kept', 'random'];

/** Every combination, for sweeps: 80. */
export const CRASH_POLICIES: readonly CrashPolicy[] = KEEPS.flatMap((keep) =>
  LOSTS.flatMap((lost) => NAMES.map((names) => ({ keep, lost, names }))),
);

/** Says for each part of each operation whether it survives, by drawing from `random` in a fixed order. */
export function chooseSurvivors(
  operations: readonly PendingOperation[],
  policy: CrashPolicy,
  random: Random,
): boolean[][] {
  const names = policy.names ?? 'like-data';
  const kept = chooseByKeep(operations, policy.keep, random.fork('keep'));
  const coins = random.fork('names');
  return kept.map((parts, index) => {
    const { kind } = operations[index]!;
    if (kind === 'write' || kind === 'truncate' || names === 'like-data') return parts;
    const coin = coins.chance(0.5);
    return [names === 'kept' || (names === 'random' && coin)];
  });
}

function chooseByKeep(operations: readonly PendingOperation[], keep: Keep, random: Random): boolean[][] {
  const each = (decide: KeepFunction): boolean[][] =>
    operations.map((operation, index) =>
      Array.from({ length: operation.parts }, (_, part) => decide(operation, index, part)),
    );
  if (typeof keep === 'function') return each(keep);
  switch (keep) {
    case 'none':
      return each(() => false);
    case 'all':
      return each(() => true);
    case 'random':
      return each(() => random.chance(0.5));
    case 'prefix': {
      const total = operations.reduce((sum, { parts }) => sum + parts, 0);
      let left = random.below(total + 1);
      return each(() => {
        left -= 1;
        return left >= 0;
      });
    }
    case 'tornLast': {
      const last = operations.findLastIndex(({ kind }) => kind === 'write');
      const torn = last < 0 ? [] : tear(operations[last]!.parts, random);
      return each((_, index, part) => index !== last || torn[part]!);
    }
  }
}

/** Some of `parts`, never all: from the front, or any. */
function tear(parts: number, random: Random): boolean[] {
  const fromFront = random.chance(0.5);
  const count = random.below(parts);
  const torn = Array.from({ length: parts }, (_, part) => (fromFront ? part < count : random.chance(0.5)));
  if (torn.every(Boolean)) torn[random.below(parts)] = false;
  return torn;
}

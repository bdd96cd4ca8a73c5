/**
 * Byte-range locks as Linux keeps them for open file descriptions: they belong to a descriptor, a descriptor never
 * conflicts with itself, and a new lock replaces the mode of what it covers.
 */
import type { LockMode } from './vfs.ts';

interface Range {
  readonly owner: object;
  readonly from: number;
  /** exclusive */
  readonly to: number;
  readonly mode: LockMode;
}

/** The locks on one file. Offsets in bytes. */
export class LockRanges {
  private ranges: Range[] = [];

  /** Locks [at, at + length) for `owner` unless another owner is in the way; false then, and nothing changes. */
  tryLock(owner: object, at: number, length: number, mode: LockMode): boolean {
    const to = at + length;
    for (const held of this.ranges) {
      if (held.owner === owner || held.to <= at || held.from >= to) continue;
      if (mode === 'exclusive' || held.mode === 'exclusive') return false;
    }
    this.unlock(owner, at, length);
    this.ranges.push({ owner, from: at, to, mode });
    return true;
  }

  /** Gives [at, at + length) of `owner` back; what sticks out stays locked. */
  unlock(owner: object, at: number, length: number): void {
    const to = at + length;
    const kept: Range[] = [];
    for (const held of this.ranges) {
      if (held.owner !== owner || held.to <= at || held.from >= to) {
        kept.push(held);
        continue;
      }
      if (held.from < at) kept.push({ ...held, to: at });
      if (held.to > to) kept.push({ ...held, from: to });
    }
    this.ranges = kept;
  }

  /** Gives back everything of `owner`, as closing its descriptor does. */
  release(owner: object): void {
    this.ranges = this.ranges.filter((held) => held.owner !== owner);
  }
}

/** Ranges of ids, from the keys of a tree whose keys are ids of 6 bytes. */
import type { KeySpan } from '@sombra/btree';

/** Ids from `from` to `to`, both included. */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}

const ID_BYTES = 6;

/** The smallest id whose key is not below these bytes, which may be a shortened separator. */
export function idOfBound(bound: Uint8Array): number {
  let id = 0;
  for (let i = 0; i < ID_BYTES; i += 1) id = id * 256 + (bound[i] ?? 0);
  return id;
}

/** Ids of a span. @param next  the first id that was never given out */
export function idsOf({ low, high }: KeySpan, next: number): IdRange {
  const from = low === undefined ? 1 : idOfBound(low);
  if (high === undefined) return { from, to: next - 1 };
  return { from, to: high.length > ID_BYTES ? idOfBound(high) : idOfBound(high) - 1 };
}

/** What of `whole` none of the others covers. @param parts  in any order, may overlap */
export function uncovered(whole: readonly IdRange[], parts: readonly IdRange[]): IdRange[] {
  const sorted = [...parts].sort((a, b) => a.from - b.from);
  const found: IdRange[] = [];
  for (const { from, to } of [...whole].sort((a, b) => a.from - b.from)) {
    let at = Math.max(from, (found.at(-1)?.to ?? 0) + 1);
    for (const part of sorted) {
      if (part.to < at) continue;
      if (part.from > to) break;
      if (part.from > at) found.push({ from: at, to: part.from - 1 });
      at = part.to + 1;
    }
    if (at <= to) found.push({ from: at, to });
  }
  return found;
}

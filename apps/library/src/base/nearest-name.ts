/**
 * The known name that was probably meant.
 * @returns undefined when none is near
 */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  if (given.length > 64) return undefined;
  const plain = (name: string): string => name.replaceAll(/[-_\s]/g, '').toLowerCase();
  const wanted = plain(given);
  let best: string | undefined;
  let least = Math.max(2, wanted.length >> 2) + 1;
  for (const name of known) {
    const distance = editDistance(wanted, plain(name));
    if (distance >= least) continue;
    least = distance;
    best = name;
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = before[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, before[column]! + 1, next[column - 1]! + 1));
    }
    before = next;
  }
  return before[b.length]!;
}

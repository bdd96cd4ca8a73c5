/** Runs every step even when others throw, then throws the first error. */
export function runAll(steps: readonly (() => unknown)[]): void {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Runs every step of a clean-up. Their errors are dropped: the caller is about to throw the original one. */
export function giveBack(steps: readonly (() => unknown)[]): void {
  try {
    runAll(steps);
  } catch {
    // the error that the caller throws came first
  }
}

/** Takes every step, whatever the others throw, and then throws what the first one threw that failed. */
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

/** Takes every step to give back what was begun. What they throw is left out: the caller is about to throw why. */
export function giveBack(steps: readonly (() => unknown)[]): void {
  try {
    runAll(steps);
  } catch {
    // the error that the caller throws came first
  }
}

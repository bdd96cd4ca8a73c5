/** Code of the error that `run` throws; the name and text of another error. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  return 'no error';
}

/** Is this what reading damaged pages may throw? */
export function isDamage(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'CorruptionError';
}

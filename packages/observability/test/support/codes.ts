/** Code of what a call throws; 'no error' when it throws nothing, the message when it has no code. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return typeof code === 'string' ? code : `no code: ${String(message)}`;
  }
  return 'no error';
}

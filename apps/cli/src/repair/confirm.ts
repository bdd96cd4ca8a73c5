/** Asks for confirmation before something irreversible is done. */
import { createInterface } from 'node:readline';
import { StateError } from '@sombra/vfs';
import { Interrupted } from '../shell/signals.ts';

/** Where a person may be asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Is there a terminal to ask on? */
export function canAsk({ input, output }: Terminal): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/**
 * Asks. Anything but y or yes is a no, and so is the end of the input.
 * @param signal  ends the question
 * @throws StateError SOMBRA_NOT_CONFIRMED for a no; Interrupted
 */
export async function confirm({ input, output }: Terminal, signal: AbortSignal, question: string): Promise<void> {
  const lines = createInterface({ input, output, terminal: false });
  const close = (): void => lines.close();
  signal.addEventListener('abort', close);
  try {
    output.write(`${question} Continue? [y/N] `);
    const answer = await new Promise<string>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(''));
    });
    if (signal.aborted) throw new Interrupted('interrupted: nothing was done');
    if (!/^y(es)?$/i.test(answer.trim())) {
      throw new StateError('SOMBRA_NOT_CONFIRMED', 'nothing was done: the answer was not y');
    }
  } finally {
    signal.removeEventListener('abort', close);
    lines.close();
  }
}

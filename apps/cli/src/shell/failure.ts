/** How a command ends that could not do what it was asked to do. */
import { createRequire } from 'node:module';
import { CommanderError } from 'commander';
import { ReaderGone } from './output.ts';
import type { Output } from './output.ts';
import { EXIT } from './shell.ts';
import { Interrupted } from './signals.ts';
import type { Signals } from './signals.ts';
import { printable } from '../values/text.ts';

/** Version of this package. */
export function version(): string {
  return (createRequire(import.meta.url)('@sombra/cli/package.json') as { version: string }).version;
}

/**
 * Prints an error to stderr, as text or as JSON.
 * @param program  name of the command, for the hint
 * @returns the exit code
 */
export function fail(error: unknown, json: boolean, stderr: Output, signals: Signals, program: string): number {
  if (error instanceof ReaderGone) return EXIT.readerGone;
  if (signals.caused(error)) {
    stderr.write(`${error instanceof Interrupted ? error.message : 'interrupted'}\n`);
    return signals.exitCode;
  }
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  // Without a command, commander has printed the help to stderr.
  if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.error;
  const { code, message, details, stack, damaged } = describe(error, program);
  if (json) stderr.write(`${JSON.stringify({ error: { code, message, details } })}\n`);
  else stderr.write(`error ${code}: ${printable(message)}\n${printable(stack)}`);
  return damaged ? EXIT.damaged : EXIT.error;
}

interface Description {
  readonly code: string;
  readonly message: string;
  readonly details: unknown;
  readonly stack: string;
  readonly damaged: boolean;
}

function describe(error: unknown, program: string): Description {
  const { code, message, details, name, stack } = error as Record<string, unknown>;
  const known = typeof code === 'string' && code.startsWith('SOMBRA_');
  if (known)
    return { code, message: String(message), details: details ?? {}, stack: '', damaged: name === 'CorruptionError' };
  if (error instanceof CommanderError) {
    const text = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
    return {
      code: 'SOMBRA_USAGE',
      message: `${text}; ${program} --help lists commands and options`,
      details: {},
      stack: '',
      damaged: false,
    };
  }
  return {
    code: 'SOMBRA_UNEXPECTED',
    message: `${String(message)} (please report this)`,
    details: {},
    stack: `${String(stack)}\n`,
    damaged: false,
  };
}

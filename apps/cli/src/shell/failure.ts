/** How a command ends that could not do what it was asked for. */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { EXIT } from './shell.ts';
import type { Streams } from './shell.ts';
import { printable } from '../values/text.ts';

/** Version of this package. */
export function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/**
 * Prints an error to stderr, as text or as JSON.
 * @param program  name of the command, for the hint
 * @returns the exit code
 */
export function fail(error: unknown, json: boolean, streams: Streams, program: string): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  // Without a command, commander has printed the help to stderr.
  if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.error;
  const { code, message, details, stack, damaged } = describe(error, program);
  if (json) streams.stderr.write(`${JSON.stringify({ error: { code, message, details } })}\n`);
  else streams.stderr.write(`error ${code}: ${printable(message)}\n${printable(stack)}`);
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

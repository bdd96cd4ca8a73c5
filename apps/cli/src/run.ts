/** From arguments to an exit code. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addBfs } from './commands/bfs.ts';
import { addDegrees } from './commands/degrees.ts';
import { addFind } from './commands/find.ts';
import { addImport } from './commands/import.ts';
import { addNeighbors } from './commands/neighbors.ts';
import { addPath } from './commands/path.ts';
import { addStats } from './commands/stats.ts';
import { addVerify } from './commands/verify.ts';
import { EXIT, Shell } from './shell.ts';
import type { Streams } from './shell.ts';
import { printable } from './values.ts';

const HELP = `
Data goes to stdout, messages to stderr; --json gives one JSON document, also for an error.
Exit codes: 0 done, 1 error, 2 the database is damaged, 130 interrupted.`;

/**
 * Runs one command.
 * @param args  without node and the script
 * @returns 0; 1 for an error; 2 for a damaged database; 130 after SIGINT
 */
export async function run(args: readonly string[], streams: Streams): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command('sombra')
    .description('Sombra: an embedded graph database in one file')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showSuggestionAfterError()
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
      outputError: () => undefined,
    });
  const shell = (json: boolean | undefined): Shell => new Shell(streams, json ?? false);
  const exit = (value: number): void => void (code = value);
  addImport(program, shell, exit);
  addStats(program, shell);
  addFind(program, shell);
  addNeighbors(program, shell);
  addBfs(program, shell);
  addPath(program, shell);
  addDegrees(program, shell);
  addVerify(program, shell, exit);
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return fail(error, args.includes('--json'), streams);
  }
}

function version(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Prints an error to stderr, as text or as JSON. */
function fail(error: unknown, json: boolean, streams: Streams): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  // Without a command, commander has printed the help to stderr.
  if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.error;
  const { code, message, details, stack, damaged } = describe(error);
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

function describe(error: unknown): Description {
  const { code, message, details, name, stack } = error as Record<string, unknown>;
  const known = typeof code === 'string' && code.startsWith('SOMBRA_');
  if (known)
    return { code, message: String(message), details: details ?? {}, stack: '', damaged: name === 'CorruptionError' };
  if (error instanceof CommanderError) {
    const text = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
    return {
      code: 'SOMBRA_USAGE',
      message: `${text}; sombra --help lists commands and options`,
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

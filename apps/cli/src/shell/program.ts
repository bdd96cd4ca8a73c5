/** From arguments to an exit code: what the commands of this package have in common. */
import { Command } from 'commander';
import { fail, version } from './failure.ts';
import { Output } from './output.ts';
import { EXIT, Shell } from './shell.ts';
import type { Streams } from './shell.ts';
import { Signals } from './signals.ts';

/** What a command is added with. */
export interface Parts {
  readonly program: Command;
  /** What the command runs with. @param json  value of its `--json` */
  readonly shell: (json?: boolean) => Shell;
  /** Takes the exit code of a command that does not end with 0 or an error. */
  readonly exit: (code: number) => void;
}

/** What a program is. */
export interface ProgramDefinition {
  readonly name: string;
  readonly description: string;
  /** Behind the list of commands. */
  readonly help: string;
  readonly add: (parts: Parts) => void;
  /** Puts the arguments in order. */
  readonly order?: (args: readonly string[], program: Command, note: (message: string) => void) => readonly string[];
}

/** The commands, as they are registered. @param write  takes the texts of help */
export function makeProgram(
  { name, description, help, add }: ProgramDefinition,
  write: { readonly stdout: (text: string) => void; readonly stderr: (text: string) => void },
  shell: Parts['shell'],
  exit: Parts['exit'],
): Command {
  const program = new Command(name)
    .description(description)
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showSuggestionAfterError()
    .addHelpText('after', help)
    .exitOverride()
    .configureOutput({ writeOut: write.stdout, writeErr: write.stderr, outputError: () => undefined });
  add({ program, shell, exit });
  inherit(program);
  return program;
}

/**
 * Runs one command. It listens to signals and to the streams until it ends, so that a database is closed whatever happens.
 * @param args  without node and the script
 * @returns the exit code
 */
export async function runProgram(
  definition: ProgramDefinition,
  args: readonly string[],
  streams: Streams,
): Promise<number> {
  let code: number = EXIT.ok;
  const stdout = new Output(streams.stdout, 'stdout');
  const stderr = new Output(streams.stderr, 'stderr');
  const signals = new Signals();
  const shell = (json = false): Shell => new Shell(stdout, stderr, signals, json);
  const write = { stdout: (text: string) => stdout.write(text), stderr: (text: string) => stderr.write(text) };
  const program = makeProgram(definition, write, shell, (value) => void (code = value));
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const failed = (error: unknown): number => fail(error, own.includes('--json'), stderr, signals, definition.name);
  try {
    const note = (message: string): void => shell().note(message);
    await program.parseAsync(definition.order?.(args, program, note) ?? args, { from: 'user' });
  } catch (error) {
    code = failed(error);
  }
  try {
    await stdout.flush();
  } catch (error) {
    if (code === EXIT.ok) code = failed(error);
  } finally {
    signals.stop();
    // There is nowhere to report that stderr cannot be written; the exit code tells how the command ended.
    await stderr.flush().catch(() => undefined);
    stdout.release();
    stderr.release();
  }
  return code;
}

/** Passes the settings of a command to its subcommands. */
function inherit(command: Command): void {
  for (const below of command.commands) {
    below.copyInheritedSettings(command);
    inherit(below);
  }
}

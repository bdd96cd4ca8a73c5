/** What `sombra-inspect` and `sombra-repair` have in common: verbs, order of arguments, help, exit codes. */
import { Command } from 'commander';
import { fail, version } from '../shell/failure.ts';
import { EXIT, Shell } from '../shell/shell.ts';
import type { Streams } from '../shell/shell.ts';
import { verbFirst } from './argument-order.ts';

/** Options that take a value, for finding the verb among the arguments. */
const VALUED: ReadonlySet<string> = new Set(['--max-errors', '--busy-timeout']);

const HELP = `
DB and VERB may change places, as version 0.2.0 had them.
Data goes to stdout, messages to stderr; --json gives one JSON document, also for an error.
Exit codes: 0 done, 1 error, 2 the database is damaged, 130 interrupted.`;

/** What a verb is added with. */
export interface ToolParts {
  readonly program: Command;
  readonly shell: (json: boolean | undefined) => Shell;
  readonly exit: (code: number) => void;
}

/**
 * Runs a tool.
 * @param addVerbs  adds the verbs to `program`
 * @returns the exit code
 */
export async function runTool(
  name: string,
  description: string,
  addVerbs: (parts: ToolParts) => void,
  args: readonly string[],
  streams: Streams,
): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command(name)
    .description(description)
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
  addVerbs({ program, shell, exit: (value) => void (code = value) });
  for (const command of program.commands) command.copyInheritedSettings(program);
  const ordered = verbFirst(args, new Set(program.commands.map((command) => command.name())), VALUED);
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (ordered.legacy) {
    const [verb] = ordered.args;
    shell(false).note(`note: '${name} DB ${verb}' is the older order of arguments; write '${name} ${verb} DB'`);
  }
  try {
    await program.parseAsync(ordered.args, { from: 'user' });
    return code;
  } catch (error) {
    return fail(error, own.includes('--json'), streams, name);
  }
}

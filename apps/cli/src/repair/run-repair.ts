/** `sombra-repair`: looks like `sombra-inspect`, brings the log into the file, salvages, compacts, removes a lock whose machine is gone. */
import { addLookingVerbs } from '../inspect/run-inspect.ts';
import { runTool } from '../inspect/tool.ts';
import type { Streams } from '../shell/shell.ts';
import { addCheckpoint } from './checkpoint.ts';
import type { Terminal } from './confirm.ts';
import { addRebuildIndex } from './rebuild-index.ts';
import { addSalvage } from './salvage.ts';
import { addUnlock } from './unlock.ts';
import { addVacuum } from './vacuum.ts';
import type { Parts } from '../shell/program.ts';

/** The verbs that change something, or write a new file. */
export function addRepairVerbs(parts: Parts, terminal: Terminal): void {
  addCheckpoint(parts, terminal);
  addSalvage(parts);
  addVacuum(parts, terminal);
  addRebuildIndex(parts);
  addUnlock(parts, terminal);
}

/** `sombra repair` and `sombra inspect`: the same verbs as those of the tools. */
export function addTools(parts: Parts, terminal: Terminal = { input: process.stdin, output: process.stderr }): void {
  const group = (name: string, description: string): Parts => ({
    ...parts,
    program: parts.program.command(name).description(description),
  });
  addLookingVerbs(group('inspect', 'look at a database file in whatever state, without changing it'));
  addRepairVerbs(group('repair', 'checkpoint, salvage, vacuum, rebuild indexes, unlock'), terminal);
}

/**
 * @param args      without node and the script
 * @param terminal  where a person may be asked
 * @returns the exit code: 0, 1 for an error, 2 for damage; with `--hold` that of the command
 */
export function runRepair(
  args: readonly string[],
  streams: Streams,
  terminal: Terminal = { input: process.stdin, output: process.stderr },
): Promise<number> {
  return runTool(
    'sombra-repair',
    'Repairs Sombra databases: checkpoint, salvage, vacuum, indexes; and looks at them',
    (parts) => {
      addRepairVerbs(parts, terminal);
      addLookingVerbs(parts);
    },
    args,
    streams,
  );
}

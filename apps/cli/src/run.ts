/** The commands of `sombra`. */
import { addComponents, addPageRank, addTriangles } from './commands/algorithms.ts';
import { addArchive } from './commands/archive.ts';
import { addAudit } from './commands/audit.ts';
import { addBackup } from './commands/backup.ts';
import { addBfs } from './commands/bfs.ts';
import { addDegrees } from './commands/degrees.ts';
import { addExport } from './commands/export.ts';
import { addFind } from './commands/find.ts';
import { addImport } from './commands/import.ts';
import { addIndex } from './commands/index-command.ts';
import { addInstallScripts } from './commands/install-scripts.ts';
import { addNeighbors } from './commands/neighbors.ts';
import { addPath } from './commands/path.ts';
import { addRestore } from './commands/restore.ts';
import { addSchema } from './commands/schema.ts';
import { addServe } from './commands/serve.ts';
import { addStats } from './commands/stats.ts';
import { addVerify } from './inspect/verify.ts';
import { addTools } from './repair/run-repair.ts';
import { runProgram } from './shell/program.ts';
import type { ProgramDefinition } from './shell/program.ts';
import type { Streams } from './shell/shell.ts';

const HELP = `
Data goes to stdout, messages to stderr; --json gives one JSON document, also for an error.
Exit codes: 0 done, 1 error, 2 the database is damaged, 130 interrupted.
Also 143 after SIGTERM, 129 after SIGHUP, 141 when the reader of stdout has gone.`;

/** `sombra`. */
export const SOMBRA: ProgramDefinition = {
  name: 'sombra',
  description: 'Sombra: an embedded graph database in one file',
  help: HELP,
  add: (parts) => {
    addImport(parts);
    addExport(parts);
    addStats(parts);
    addSchema(parts);
    addFind(parts);
    addNeighbors(parts);
    addBfs(parts);
    addPath(parts);
    addDegrees(parts);
    addComponents(parts);
    addPageRank(parts);
    addTriangles(parts);
    addIndex(parts);
    addVerify(parts);
    addTools(parts);
    addBackup(parts);
    addRestore(parts);
    addArchive(parts);
    addInstallScripts(parts);
    addServe(parts);
    addAudit(parts);
  },
};

/** @param args  without node and the script. @returns the exit code, as the help says */
export function run(args: readonly string[], streams: Streams): Promise<number> {
  return runProgram(SOMBRA, args, streams);
}

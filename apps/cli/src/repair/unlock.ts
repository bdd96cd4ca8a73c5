/**
 * `unlock`: removes the lock that single-process mode left on another machine. A lock of this machine is taken over without it as soon
 * as its process is gone.
 */
import { removeLockFile } from '@sombra/pager';
import { NodeVfs } from '@sombra/vfs';
import { locateDatabase } from '@sombra/ops';
import { addJson } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { canAsk, confirm } from './confirm.ts';
import type { Terminal } from './confirm.ts';

interface Options {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly host: string;
}

/** Adds the verb. */
export function addUnlock({ program, shell, exit }: Parts, terminal: Terminal): void {
  addJson(program.command('unlock').argument('<db>', 'path of the database'))
    .description('remove the lock of a process of single-process mode whose machine is gone for good')
    .requiredOption('--host <name>', 'the machine, as SOMBRA_BUSY names it')
    .option('--yes', 'do not ask')
    .action(async (given: string, options: Options) => {
      const out = shell(options.json);
      const vfs = new NodeVfs();
      const path = locateDatabase(vfs, given);
      if (options.yes !== true && canAsk(terminal)) {
        await confirm(
          terminal,
          out.signals.first,
          `If a process on ${options.host} still uses ${given}, this destroys the database.`,
        );
      }
      const owner = removeLockFile(vfs, path, options.host);
      const lock =
        owner === null ? null : { pid: owner.pid, host: owner.host, since: new Date(owner.since).toISOString() };
      out.result({ path: given, removed: lock }, () =>
        lock === null
          ? `${given} has no lock of single-process mode`
          : `${given} is free: the lock of process ${lock.pid} on ${lock.host} since ${lock.since} was removed`,
      );
      exit(0);
    });
}

/**
 * `checkpoint`: brings the log into the file. Beside other processes it takes the lock of writers for a short time; a database that
 * was not closed properly is recovered first.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Pager } from '@sombra/pager';
import type { CheckpointResult, PagerOptions, PagerWarning } from '@sombra/pager';
import { NodeVfs, SombraError, StateError } from '@sombra/vfs';
import { behindReader, CHECKPOINT_MODES, completeCheckpoint, locateDatabase, logOf, planCheckpoint } from '@sombra/ops';
import type { CheckpointMode } from '@sombra/ops';
import { Option } from 'commander';
import type { Parts } from '../shell/program.ts';
import { addVerbOptions } from '../inspect/verb-options.ts';
import type { VerbOptions } from '../inspect/verb-options.ts';
import { EXIT } from '../shell/shell.ts';
import type { Shell } from '../shell/shell.ts';
import { count, plural } from '../shell/tables.ts';
import { usageError } from '../errors/usage-error.ts';
import { canAsk, confirm } from './confirm.ts';
import type { Terminal } from './confirm.ts';
import { runHeld } from './held-command.ts';

/** Pause between two attempts to pass a reader, in milliseconds. */
const RETRY_MS = 20;

interface Options extends VerbOptions {
  readonly yes?: boolean;
  readonly hold?: boolean;
  readonly toLastGood?: boolean;
  readonly mode: CheckpointMode;
  readonly dryRun?: boolean;
}

/** Adds the verb. */
export function addCheckpoint({ program, shell, exit }: Parts, terminal: Terminal): void {
  addVerbOptions(program.command('checkpoint'))
    .description('bring the log into the file, so that the file alone holds every commit')
    .argument('[command...]', 'with --hold, after --: a command to run while all writers are blocked')
    .addOption(
      new Option(
        '--mode <mode>',
        'full: every commit in the file; restart: and nothing left to replay; truncate: and no log',
      )
        .choices(CHECKPOINT_MODES)
        .default('full'),
    )
    .option('--dry-run', 'only say how much there is in the log')
    .option('--hold', 'block all writers while a command runs, so that cp is safe')
    .option('--to-last-good', 'if the log is damaged, keep the commits before the damage and set the rest aside')
    .option('--yes', 'do not ask')
    .action(async (path: string, command: readonly string[], options: Options) => {
      const [name, ...args] = command;
      if ((options.hold === true) !== (name !== undefined)) {
        throw usageError('--hold takes a command after --: sombra-repair checkpoint DB --hold -- cp DB COPY');
      }
      if (options.hold === true && options.json === true) {
        throw usageError('--json and --hold cannot be combined: stdout belongs to the command');
      }
      if (options.hold === true && (options.mode !== 'full' || options.dryRun === true)) {
        throw usageError('--hold cannot be combined with --mode and --dry-run: it keeps the file complete by itself');
      }
      const work = new CheckpointWork(path, options, shell(options.json), terminal);
      exit(await work.run(name === undefined ? null : [name, ...args]));
    });
}

/** One run of the verb. */
class CheckpointWork {
  private readonly given: string;
  private readonly path: string;
  private readonly vfs = new NodeVfs();
  private readonly options: Options;
  private readonly shell: Shell;
  private readonly terminal: Terminal;
  private readonly warnings: PagerWarning[] = [];

  constructor(path: string, options: Options, shell: Shell, terminal: Terminal) {
    this.given = path;
    this.path = locateDatabase(this.vfs, path);
    this.options = options;
    this.shell = shell;
    this.terminal = terminal;
  }

  /** @returns the exit code */
  async run(command: readonly [string, ...string[]] | null): Promise<number> {
    const { shell, given, terminal, options } = this;
    if (options.dryRun === true) return this.plan();
    if (options.yes !== true && canAsk(terminal)) {
      await confirm(
        terminal,
        shell.signals.first,
        `The log of ${given} will be brought into the file; other processes may go on using it.`,
      );
    }
    const pager = await this.open();
    let done: CheckpointResult;
    try {
      if (command !== null) return await this.hold(pager, command);
      done = await this.complete(pager, options.mode);
    } finally {
      pager.close();
    }
    const { lsn, pages } = done;
    const log = logOf(this.vfs, this.path);
    const warnings = this.warnings.map(({ code, message }) => ({ code, message }));
    shell.result(
      { path: given, mode: options.mode, dryRun: false, commit: lsn, pages, ...log, logCommits: 0, warnings },
      () =>
        options.mode === 'truncate' && log.logFiles > 0
          ? `${this.sentence(lsn, pages)}; ${plural(log.logFiles, 'file')} of the log waits for the archive`
          : this.sentence(lsn, pages),
    );
    return 0;
  }

  /** What there is to do. */
  private plan(): number {
    const { shell, given, vfs, path, options } = this;
    const plan = { ...planCheckpoint(vfs, path, options.mode), path: given };
    shell.result(plan, () =>
      plan.commit === null
        ? `the superblock of ${given} cannot be read: sombra-inspect header ${given}`
        : `${given} holds every commit up to ${count(plan.commit)}; ${plural(plan.logCommits, 'commit')} in ${plural(plan.logFiles, 'file')} of the log would be brought into it`,
    );
    return plan.commit === null ? EXIT.damaged : EXIT.ok;
  }

  private sentence(lsn: number, pages: number): string {
    return `${this.given} holds every commit up to ${count(lsn)}: ${plural(pages, 'page')} written`;
  }

  /** Opens, recovering if need be. */
  private async open(): Promise<Pager> {
    try {
      return this.openPager({});
    } catch (error) {
      if (!(error instanceof SombraError) || error.code !== 'SOMBRA_WAL_DAMAGED') throw error;
      if (this.options.toLastGood === true) return this.openToLastGood(error);
      this.shell.note(
        `sombra-repair checkpoint ${this.given} --to-last-good keeps the commits before the damage; sombra-inspect verify says more`,
      );
      throw error;
    }
  }

  /** Discards the commits after the damage, but only with consent. */
  private async openToLastGood(damage: SombraError): Promise<Pager> {
    const { shell, terminal, options, vfs, path, given } = this;
    const seen = Pager.open({ vfs, path, inspect: true, busyTimeoutMs: options.busyTimeout });
    const { lsn } = seen.view;
    seen.close();
    shell.note(damage.message);
    if (options.yes !== true) {
      if (!canAsk(terminal)) {
        throw new StateError(
          'SOMBRA_NOT_CONFIRMED',
          `nothing was done: commits of ${given} would be discarded; add --yes`,
        );
      }
      await confirm(
        terminal,
        shell.signals.first,
        `Commits after ${count(lsn)} of ${given} are discarded, and what is left of them is set aside.`,
      );
    }
    return this.openPager({ toLastGood: true });
  }

  private openPager(more: Partial<PagerOptions>): Pager {
    const { vfs, path, options, shell } = this;
    const warning = (one: PagerWarning): void => {
      this.warnings.push(one);
      shell.note(`warning ${one.code}: ${one.message}`);
    };
    const busyTimeoutMs = options.busyTimeout;
    const locking = options.mode === 'truncate' ? 'exclusive' : 'shared';
    return Pager.open({ vfs, path, createIfMissing: false, busyTimeoutMs, locking, hooks: { warning }, ...more });
  }

  private complete(pager: Pager, mode: CheckpointMode): Promise<CheckpointResult> {
    const { given: path, options, shell } = this;
    return completeCheckpoint(pager, { path, mode, busyTimeoutMs: options.busyTimeout, signal: shell.signals.first });
  }

  /** Keeps WRITE, with everything in the file, while the command runs. */
  private async hold(pager: Pager, command: readonly [string, ...string[]]): Promise<number> {
    const until = this.vfs.env.monotonicMs() + this.options.busyTimeout;
    for (;;) {
      await this.complete(pager, 'full');
      const tx = pager.begin();
      try {
        // Whatever was committed before the lock was ours.
        const result = pager.checkpoint();
        if (result.lsn === result.newestLsn) {
          this.shell.note(
            `${this.given} holds every commit up to ${count(result.lsn)}; no other process can write until ${command[0]} ends`,
          );
          return await runHeld(command);
        }
        if (this.vfs.env.monotonicMs() >= until) throw behindReader(pager, this.given, result);
      } finally {
        tx.rollback();
      }
      await delay(RETRY_MS);
      await this.shell.signals.turn();
    }
  }
}

/**
 * The observers of one database.
 *
 * Invariants:
 * 1. What one of them throws disturbs neither the others nor the call that it ran in.
 * 2. The list is replaced, never changed: an observer that is added or ended by another one counts from the next event on.
 */
import { callHook, DataError } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type { PagerHooks } from '@sombra/pager';
import type { Warning } from '../base/warning.ts';
import type { DatabaseHooks } from './hooks.ts';

/** See the top of the file. */
export class Observers {
  private readonly env: VfsEnv;
  private readonly path: string;
  private readonly onWarning: ((warning: Warning) => void) | undefined;
  private entries: readonly { readonly hooks: DatabaseHooks }[] = [];
  private isRecording = false;

  /** @param onWarning  is told warnings too; without it, and without an observer for them, they are printed */
  constructor(env: VfsEnv, path: string, onWarning: ((warning: Warning) => void) | undefined) {
    this.env = env;
    this.path = path;
    this.onWarning = onWarning;
  }

  /** Does an observer want to know what transactions write? */
  get recording(): boolean {
    return this.isRecording;
  }

  /** @returns ends it; harmless when repeated @throws DataError SOMBRA_OPTION */
  add(hooks: DatabaseHooks): () => void {
    checkHooks(hooks);
    const own = { hooks }; // the same hooks may be added twice
    this.replace([...this.entries, own]);
    return () => this.replace(this.entries.filter((each) => each !== own));
  }

  private replace(entries: readonly { readonly hooks: DatabaseHooks }[]): void {
    this.entries = entries;
    this.isRecording = entries.some(({ hooks }) => hooks.mutated !== undefined);
  }

  /** Calls a function of every observer that has it. */
  tell(call: (hooks: DatabaseHooks) => unknown): void {
    for (const { hooks } of this.entries) callHook(this.env, this.path, () => call(hooks));
  }

  /** Something noteworthy that is not the error of a call. */
  readonly warn = (warning: Warning): void => {
    const { onWarning } = this;
    if (onWarning !== undefined) callHook(this.env, this.path, () => onWarning(warning));
    const told = this.entries.some(({ hooks }) => hooks.warning !== undefined);
    this.tell((hooks) => hooks.warning?.(warning as Parameters<NonNullable<PagerHooks['warning']>>[0]));
    if (onWarning === undefined && !told) console.warn(`warning ${warning.code}: ${warning.message}`);
  };

  /** What the pager of the database calls. @param published  is told each commit, in their order */
  pagerHooks(published: (lsn: number) => void): PagerHooks {
    return {
      commit: (lsn, pages, logBytes) => {
        this.tell((hooks) => hooks.commit?.(lsn, pages, logBytes));
        published(lsn);
      },
      checkpoint: (lsn, pages, ms) => this.tell((hooks) => hooks.checkpoint?.(lsn, pages, ms)),
      recovered: (lsn, commits) => this.tell((hooks) => hooks.recovered?.(lsn, commits)),
      warning: this.warn,
      poisoned: (cause) => this.tell((hooks) => hooks.poisoned?.(cause)),
      corruption: (error) => this.tell((hooks) => hooks.corruption?.(error)),
      refused: (error) => this.tell((hooks) => hooks.refused?.(error)),
      rotated: (seq) => this.tell((hooks) => hooks.rotated?.(seq)),
      advanced: (lsn) => this.tell((hooks) => hooks.advanced?.(lsn)),
    };
  }
}

const NAMES: Readonly<Record<keyof DatabaseHooks, true>> = {
  opened: true,
  closed: true,
  begun: true,
  committed: true,
  rolledBack: true,
  mutated: true,
  slow: true,
  cacheResized: true,
  commit: true,
  checkpoint: true,
  recovered: true,
  warning: true,
  poisoned: true,
  corruption: true,
  refused: true,
  rotated: true,
  advanced: true,
};

function checkHooks(hooks: unknown): void {
  if (typeof hooks !== 'object' || hooks === null)
    throw new DataError(
      'SOMBRA_OPTION',
      `an observer is an object of functions, not ${hooks === null ? 'null' : typeof hooks}`,
    );
  for (const [name, hook] of Object.entries(hooks) as [string, unknown][]) {
    if (!Object.hasOwn(NAMES, name))
      throw new DataError(
        'SOMBRA_OPTION',
        `there is no event '${name}' to observe; there are ${Object.keys(NAMES).join(', ')}`,
      );
    if (hook !== undefined && typeof hook !== 'function')
      throw new DataError(
        'SOMBRA_OPTION',
        `what observes '${name}' is a function, not ${hook === null ? 'null' : typeof hook}`,
      );
  }
}

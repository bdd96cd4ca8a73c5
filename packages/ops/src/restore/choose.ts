/** Which backup a restore begins with, and what of the log it needs. */
import { DataError } from '@sombra/vfs';
import { gap, noTarget } from '../archive/errors.ts';
import { readLogIndex } from '../archive/index-of-log.ts';
import type { IndexedPiece, TimelineIndex } from '../archive/index-of-log.ts';
import { readPieceHeader } from '../archive/piece.ts';
import { backupsOf, chainOf, findBackup } from '../backup/catalogue.ts';
import type { Catalogue } from '../backup/catalogue.ts';
import type { Manifest } from '../backup/manifest.ts';
import type { ObjectStore } from '../base/object-store.ts';
import { commitAt, piecesTo } from './log-plan.ts';
import type { RestoreTarget } from './log-plan.ts';

/** Commits of the log that are applied to a backup. */
export interface LogPlan {
  readonly index: TimelineIndex;
  readonly pieces: readonly IndexedPiece[];
  /** The last one. */
  readonly lsn: number;
  /** The newest one that is archived, and when it was made, ms since 1970. */
  readonly newest: { readonly lsn: number; readonly time: number };
}

/** What a restore does. */
export interface RestorePlan {
  /** The full backup, and incremental ones behind it. */
  readonly chain: readonly Manifest[];
  /** undefined: the backup itself is what was asked for. */
  readonly log: LogPlan | undefined;
}

/** @throws DataError SOMBRA_OPTION */
export function checkTarget(at: unknown): asserts at is RestoreTarget | undefined {
  const isValid =
    at === undefined ||
    at === 'latest' ||
    (Number.isSafeInteger(at) && (at as number) >= 0) ||
    (at instanceof Date && !Number.isNaN(at.getTime()));
  if (!isValid)
    throw new DataError('SOMBRA_OPTION', `at is the number of a commit, a Date, or 'latest', not ${String(at)}`);
}

/**
 * @param id  of the backup to begin with, or `latest`: the newest one that does not lie behind the target
 * @param at  undefined: the backup itself
 * @throws as `findBackup`, `piecesTo`, `commitAt`, `readLogIndex`
 */
export async function planRestore(
  store: ObjectStore,
  catalogue: Catalogue,
  id: string,
  name: string | undefined,
  at: RestoreTarget | undefined,
  signal: AbortSignal | undefined,
): Promise<RestorePlan> {
  const found = findBackup(catalogue, store.location, id, name);
  if (at === undefined) return { chain: chainOf(catalogue, found), log: undefined };
  const base = id === 'latest' ? newestBefore(backupsOf(catalogue, found.name), at, found) : found;
  if (isBehind(base, at)) throw tooEarly([base], at);
  const chain = chainOf(catalogue, base);
  const index = (await readLogIndex(store, base.name, signal)).find(({ timeline }) => timeline === base.sourceTimeline);
  const last = index?.pieces.at(-1);
  const newestLsn = Math.max(base.lsn, last?.last ?? 0);
  const wanted =
    at === 'latest'
      ? newestLsn
      : typeof at === 'number'
        ? at
        : index === undefined
          ? isTime(base, at)
          : await commitAt(store, index, base, at.getTime(), signal);
  if (wanted === base.lsn) return { chain, log: undefined };
  if (index === undefined || base.position === null) {
    const why =
      base.position === null
        ? `backup ${base.id} does not say where the log goes on`
        : 'there is no archive of its log';
    throw gap(`commit ${wanted} cannot be reached from backup ${base.id} of commit ${base.lsn}: ${why}`, {
      backup: base.id,
      lsn: wanted,
    });
  }
  const pieces = piecesTo(index, base, wanted);
  const dated = index.pieces.findLast(({ before, last: end }) => end > before)!;
  const { lastTime: time } = await readPieceHeader(store, dated.key, { signal });
  return { chain, log: { index, pieces, lsn: wanted, newest: { lsn: newestLsn, time } } };
}

/** Without an archive only the commit of the backup itself is known. */
function isTime(base: Manifest, at: Date): number {
  if (Date.parse(base.time) === at.getTime()) return base.lsn;
  throw gap(`commits after ${base.time} cannot be reached from backup ${base.id}: there is no archive of its log`, {
    backup: base.id,
  });
}

/**
 * The newest backup that is not behind the target. A commit number is one of the timeline of the newest backup; a time is one of the timeline that the
 * database was on then: a backup that was made later may be of a database which was restored to an earlier commit meanwhile.
 */
function newestBefore(backups: readonly Manifest[], at: RestoreTarget, newest: Manifest): Manifest {
  const fits = (backup: Manifest): boolean =>
    !isBehind(backup, at) && (typeof at !== 'number' || backup.sourceTimeline === newest.sourceTimeline);
  const then = (backup: Manifest): boolean => !(at instanceof Date) || Date.parse(backup.created) <= at.getTime();
  const base = backups.findLast((backup) => fits(backup) && then(backup)) ?? backups.findLast(fits);
  if (base === undefined) throw tooEarly(backups, at);
  return base;
}

function isBehind({ lsn, time }: Manifest, at: RestoreTarget): boolean {
  if (at === 'latest') return false;
  return typeof at === 'number' ? lsn > at : Date.parse(time) > at.getTime();
}

function tooEarly(backups: readonly Manifest[], at: RestoreTarget): DataError {
  const first = backups[0];
  const asked = at instanceof Date ? at.toISOString() : `commit ${at}`;
  const has =
    first === undefined ? 'there is none' : `the first is ${first.id}, of commit ${first.lsn} at ${first.time}`;
  return noTarget(`no backup lies at or before ${asked}: ${has}`, { at: asked });
}

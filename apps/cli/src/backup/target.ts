/** To which commit a database is restored, as it is asked for and told. */
import { InvalidArgumentError } from 'commander';
import type { RestoreResult, RestoreTarget } from '@sombra/ops';
import { count, plural } from '../shell/tables.ts';

/** A date and a time that say their zone: without one, an hour of the machine's zone would be taken for one of another. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** The number of a commit, from 0. */
export function parseCommit(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It is the number of a commit.');
  return value;
}

/** `latest`, the number of a commit, or a time. */
export function parseTarget(text: string): RestoreTarget {
  if (text === 'latest') return text;
  if (/^\d+$/.test(text)) return parseCommit(text);
  const time = new Date(text);
  if (!TIME.test(text) || Number.isNaN(time.getTime()))
    throw new InvalidArgumentError(
      'It is latest, the number of a commit, or a time with its zone: 2026-12-01T12:00:00Z.',
    );
  return time;
}

/** What of the archived log was applied, and what was left out. */
export function describeLog(
  { objects, commits, newestLsn, newestTime, leftOut }: NonNullable<RestoreResult['log']>,
  would: boolean,
): string[] {
  const applied = `${plural(commits, 'commit')} ${would ? 'would be applied' : 'applied'} from ${plural(objects, 'object')} of the archive`;
  const left =
    leftOut === 0
      ? 'nothing that is archived is left out'
      : `${plural(leftOut, 'later commit')} left out, up to ${count(newestLsn)} of ${newestTime}`;
  return [`  ${applied}; ${left}`];
}

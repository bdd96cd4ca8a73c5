/** What `archive start` says: a line for each event, for people or for programs. */
import type { ArchiveEvent } from '@sombra/ops';
import type { Shell } from '../shell/shell.ts';
import { plural, size } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';

/** Times of day as JSON has them; 0 is none. */
export function timeOf(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString();
}

/** Code and message of whatever was thrown. */
export function told(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return { code: typeof code === 'string' ? code : 'SOMBRA_UNEXPECTED', message: String(message ?? error) };
}

/** What a program reads of an event. */
export function eventRecord(event: ArchiveEvent): Readonly<Record<string, unknown>> {
  switch (event.kind) {
    case 'archived': {
      const { lsn, time, objects, bytes, segments } = event.pass;
      return { event: 'archived', lsn, time: timeOf(time), objects, bytes, segments };
    }
    case 'failed': {
      const { failures, retryMs } = event;
      return { event: 'failed', error: told(event.error), failures, retryMs: Math.round(retryMs) };
    }
    case 'behind': {
      const { lsn, time, lagBytes, lagMs, failures } = event.stats;
      return { event: 'behind', lsn, time: timeOf(time), lagBytes, lagMs: Math.round(lagMs), failures };
    }
    case 'ended':
      return { event: 'ended', error: told(event.error) };
  }
}

/** What a person reads of it; of the end nothing, which the error of the command tells. */
function eventText(event: ArchiveEvent): string | undefined {
  switch (event.kind) {
    case 'archived': {
      const { lsn, objects, bytes } = event.pass;
      return `commit ${lsn} archived: ${size(bytes)} in ${plural(objects, 'object')}`;
    }
    case 'failed': {
      const { code, message } = told(event.error);
      return `failed, again in ${(event.retryMs / 1000).toFixed(1)} s: ${code}: ${oneLine(message)}`;
    }
    case 'behind':
      return `behind: ${lagText(event.stats)}`;
    case 'ended':
      return undefined;
  }
}

/** What is not archived. */
export function lagText({ lagBytes, lagMs }: { readonly lagBytes: number | null; readonly lagMs: number }): string {
  const bytes = lagBytes === null ? '' : `${size(lagBytes)} of the log, `;
  return `${bytes}${(lagMs / 1000).toFixed(1)} s not archived`;
}

/** Writes it: with `--json` all of it to stdout, else what is wrong to stderr. @throws ReaderGone; IoError SOMBRA_OUTPUT */
export async function tellEvent(out: Shell, event: ArchiveEvent): Promise<void> {
  if (out.json) return await out.rows(`${JSON.stringify(eventRecord(event))}\n`);
  const text = eventText(event);
  if (text === undefined) return;
  if (event.kind === 'archived') return await out.rows(`${text}\n`);
  out.note(text);
}

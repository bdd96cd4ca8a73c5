/**
 * Names in the archive of a log. Everything of one timeline lies in the folder `log/NAME/TIMELINE`, TIMELINE in 8 hexadecimal digits. A piece
 * of the log is named by its segment, the bytes of it that it holds, and the commits before and at its end:
 * `SEQ-FROM-TO-BEFORE-LAST.segment` when the segment is whole, `.tail` of the one that was being written; pages of a bulk load
 * `LSN.pages`. Numbers have leading zeros, so that names sort as the log goes on.
 */
import type { LockKind } from '../backup/lock.ts';
import type { ObjectStore } from '../base/object-store.ts';

/** What an object of an archive holds. */
export type PieceKind = 'segment' | 'tail' | 'pages';

/** What the name of a piece of the log says. */
export interface PieceName {
  readonly kind: 'segment' | 'tail';
  readonly timeline: number;
  readonly seq: number;
  /** Bytes of the segment, from the first to the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** The commit before its first one, and its last one. */
  readonly before: number;
  readonly last: number;
}

/** What the name of placed pages says. */
export interface PagesName {
  readonly kind: 'pages';
  readonly timeline: number;
  /** The commit of the bulk load. */
  readonly lsn: number;
}

const SEQ_DIGITS = 16;
const OFFSET_DIGITS = 12;
const PIECE = /^(\d{16})-(\d{12})-(\d{12})-(\d{16})-(\d{16})\.(segment|tail)$/;
const PAGES = /^(\d{16})\.pages$/;
const TIMELINE = /^[0-9a-f]{8}$/;

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** The folder of an archive, which ends with `/`. @param name  as that of backups */
export function archiveFolder(name: string): string {
  return `log/${name}/`;
}

function timelineFolder(name: string, timeline: number): string {
  return `${archiveFolder(name)}${timeline.toString(16).padStart(8, '0')}/`;
}

export function pieceKey(name: string, { kind, timeline, seq, from, to, before, last }: PieceName): string {
  const offsets = `${padded(from, OFFSET_DIGITS)}-${padded(to, OFFSET_DIGITS)}`;
  const commits = `${padded(before, SEQ_DIGITS)}-${padded(last, SEQ_DIGITS)}`;
  return `${timelineFolder(name, timeline)}${padded(seq, SEQ_DIGITS)}-${offsets}-${commits}.${kind}`;
}

export function pagesKey(name: string, { timeline, lsn }: PagesName): string {
  return `${timelineFolder(name, timeline)}${padded(lsn, SEQ_DIGITS)}.pages`;
}

/** What a key of this archive stands for; undefined when it is none of a piece. */
export function parseKey(name: string, key: string): PieceName | PagesName | undefined {
  const folder = archiveFolder(name);
  const [timelineText, file, ...more] = key.startsWith(folder) ? key.slice(folder.length).split('/') : [];
  if (timelineText === undefined || file === undefined || more.length > 0 || !TIMELINE.test(timelineText))
    return undefined;
  const timeline = Number.parseInt(timelineText, 16);
  const pages = PAGES.exec(file);
  if (pages !== null) return { kind: 'pages', timeline, lsn: Number(pages[1]) };
  const piece = PIECE.exec(file);
  if (piece === null) return undefined;
  const [seq, from, to, before, last] = piece.slice(1, 6).map(Number) as [number, number, number, number, number];
  if (![seq, from, to, before, last].every(Number.isSafeInteger) || from >= to || before > last) return undefined;
  return { kind: piece[6] as 'segment' | 'tail', timeline, seq, from, to, before, last };
}

/** One archiver at a time feeds an archive. */
export function archiveLock(name: string): LockKind {
  return { key: `${archiveFolder(name)}archive.lock`, code: 'SOMBRA_ARCHIVE_RUNNING', doing: 'archiving the log' };
}

/** The names of the archives in a place. @throws as `ObjectStore.list` */
export async function archivesIn(store: ObjectStore, signal: AbortSignal | undefined): Promise<string[]> {
  const names = new Set<string>();
  for await (const { key } of store.list('log/', { signal })) {
    const name = key.split('/')[1]!;
    if (parseKey(name, key) !== undefined) names.add(name);
  }
  return [...names];
}

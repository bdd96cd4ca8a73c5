/** `info`: what a file is, and its state. */
import type { Pager } from '@sombra/pager';
import { NodeVfs, toHex } from '@sombra/vfs';
import { EXIT } from '../shell/shell.ts';
import { count, plural, size } from '../shell/tables.ts';
import { Examination } from '@sombra/ops';
import type { Finding } from '@sombra/ops';
import { findingLines, moment, rowsToText } from './report.ts';
import type { Rows } from './report.ts';
import type { Parts } from '../shell/program.ts';
import { addVerbOptions } from './verb-options.ts';
import type { VerbOptions } from './verb-options.ts';

/** What `info` tells. Fields are null where the file cannot be read that far. */
export interface Info {
  readonly path: string;
  /** bytes of the file */
  readonly size: number;
  readonly pageSize: number | null;
  readonly pages: number | null;
  readonly freePages: number | null;
  /** Number of the newest commit. */
  readonly commit: number | null;
  /** Commit that the file holds without its log. */
  readonly checkpointCommit: number | null;
  readonly databaseId: string | null;
  readonly timeline: number | null;
  /** Was it closed properly? */
  readonly clean: boolean | null;
  /** When the superblock was written last. */
  readonly written: string | null;
  /** Files of the log and their bytes. */
  readonly logFiles: number;
  readonly logBytes: number;
  /** Do other processes have it open? */
  readonly openElsewhere: boolean;
  readonly damage: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Adds the verb. */
export function addInfo({ program, shell, exit }: Parts): void {
  addVerbOptions(program.command('info'))
    .description('what the file is, and its state')
    .action(async (path: string, { json, busyTimeout }: VerbOptions) => {
      const out = shell(json);
      const seen = new Examination(new NodeVfs(), path, busyTimeout);
      try {
        const info = infoOf(path, seen);
        await out.signals.turn();
        out.result(info, () =>
          [rowsToText(infoRows(info)), ...findingLines(out, info.damage, info.warnings)].join('\n'),
        );
        if (info.damage.length > 0) exit(EXIT.damaged);
      } finally {
        seen.close();
      }
    });
}

/** Gathers it. @param path  as the user named it */
export function infoOf(path: string, { header, segments, pager, damage, warnings }: Examination): Info {
  const { newest } = header;
  const stats = pager === null ? null : newestStats(pager);
  return {
    path,
    size: header.size,
    pageSize: newest?.pageSize ?? null,
    pages: stats?.pageCount ?? newest?.pageCount ?? null,
    freePages: stats?.freePages ?? null,
    commit: stats?.lsn ?? null,
    checkpointCommit: newest?.checkpointLsn ?? null,
    databaseId: newest === null ? null : toHex(newest.databaseId),
    timeline: newest?.timeline ?? null,
    clean: newest?.clean ?? null,
    written: newest === null ? null : moment(newest.time),
    logFiles: segments.length,
    logBytes: segments.reduce((sum, segment) => sum + segment.size, 0),
    openElsewhere: pager?.shared ?? false,
    damage,
    warnings,
  };
}

function newestStats(pager: Pager): ReturnType<Pager['stats']> {
  void pager.view.lsn; // the view follows the log first
  return pager.stats();
}

/** For people. */
export function infoRows(info: Info): Rows {
  const known = (value: number | null): string => (value === null ? 'unknown' : count(value));
  return [
    ['path', info.path],
    ['size', `${size(info.size)} (${count(info.size)} bytes)`],
    ['page size', known(info.pageSize)],
    ['pages', `${known(info.pages)}, ${info.freePages === null ? 'unknown' : count(info.freePages)} of them free`],
    ['newest commit', known(info.commit)],
    ['checkpoint at', known(info.checkpointCommit)],
    ['log', info.logFiles === 0 ? 'none' : `${size(info.logBytes)} in ${plural(info.logFiles, 'file')}`],
    ['closed properly', info.clean === null ? 'unknown' : info.clean ? 'yes' : 'no'],
    ['open elsewhere', info.openElsewhere ? 'yes' : 'no'],
    ['database id', info.databaseId ?? 'unknown'],
    ['timeline', known(info.timeline)],
    ['header written', info.written ?? 'unknown'],
  ];
}

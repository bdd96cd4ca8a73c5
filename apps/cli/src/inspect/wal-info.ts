/** `wal-info`: the files of the log. It takes no lock, so it works beside any process. */
import { readFileHeader } from '@sombra/pager';
import { NodeVfs, toHex } from '@sombra/vfs';
import type { SurveyedSegment } from '@sombra/wal';
import { EXIT } from '../shell/shell.ts';
import { count, plural, size, table } from '../shell/tables.ts';
import { fileFindings, locateDatabase, logSegments } from '@sombra/ops';
import { findingLines, moment } from './report.ts';
import type { Parts } from '../shell/program.ts';
import { addVerbOptions } from './verb-options.ts';
import type { VerbOptions } from './verb-options.ts';

/** Adds the verb. */
export function addWalInfo({ program, shell, exit }: Parts): void {
  addVerbOptions(program.command('wal-info'))
    .description('the files of the log: segments, commits that a checkpoint has still to bring to the file, damage')
    .action((path: string, { json }: VerbOptions) => {
      const out = shell(json);
      const vfs = new NodeVfs();
      const header = readFileHeader(vfs, locateDatabase(vfs, path));
      const { newest } = header;
      const survey = logSegments(vfs, header.path, header);
      const found = fileFindings(header, survey);
      const segments = survey.map(segmentToJson);
      const replay = newest === null ? null : { segment: newest.replaySeq, offset: newest.replayOffset };
      const data = {
        path,
        checkpointCommit: newest?.checkpointLsn ?? null,
        replay,
        segments,
        bytes: survey.reduce((sum, segment) => sum + segment.size, 0),
        commits: survey.reduce((sum, { records }) => sum + records, 0),
        damage: found.damage,
        warnings: found.warnings,
      };
      out.result(data, () =>
        [
          survey.length === 0
            ? `${path} has no log${newest === null ? ' that could be told from its header' : ''}`
            : `${path}: ${plural(data.commits, 'commit')} after the checkpoint at commit ${count(data.checkpointCommit ?? 0)}, ${size(data.bytes)} in ${plural(survey.length, 'file')}`,
          ...(survey.length === 0 ? [] : ['', segmentTable(out, survey)]),
          ...findingLines(out, found.damage, found.warnings),
        ].join('\n'),
      );
      if (found.damage.length > 0 || newest === null) exit(EXIT.damaged);
    });
}

function segmentToJson(segment: SurveyedSegment): Record<string, unknown> {
  const { path, seq, live, state, records, lastLsn, lastTime, end, damage, header } = segment;
  return {
    path,
    segment: seq,
    live,
    state,
    size: segment.size,
    end,
    commits: records,
    baseCommit: header?.baseLsn ?? null,
    lastCommit: lastLsn,
    lastTime: lastTime === 0 ? null : moment(lastTime),
    salt: header === null ? null : toHex(header.salt),
    damage,
  };
}

function segmentTable(out: Parameters<typeof table>[0], survey: readonly SurveyedSegment[]): string {
  return table(
    out,
    ['file', 'segment', 'state', 'bytes', 'used', 'commits', 'last commit', 'at'],
    survey.map(({ path, seq, state, size: bytes, end, records, lastLsn, lastTime, live }) => [
      path.slice(path.lastIndexOf('/') + 1),
      seq === null ? '?' : String(seq),
      live ? `${state}, live` : state,
      bytes,
      end,
      records,
      lastLsn,
      lastTime === 0 ? '' : moment(lastTime),
    ]),
  );
}

import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { AuditEntry, AuditPoint } from '@sombra/observability';
import { addJson, addLimit, cut, oneMore } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { EXIT } from '../shell/shell.ts';
import type { Shell } from '../shell/shell.ts';
import { count, plural, table } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';

interface VerifyOptions {
  readonly json?: boolean;
  readonly anchor?: AuditPoint[];
}

interface QueryOptions {
  readonly json?: boolean;
  readonly user?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly action?: string;
  readonly node?: number;
  readonly edge?: number;
  readonly limit: number;
}

/** Loaded by these commands only: the others start without its loggers. */
const observability = () => import('@sombra/observability');

/** Ids that a column of a table shows. */
const IDS_SHOWN = 8;

/** `sombra audit verify` and `query`: audit trails that `auditFile` of @sombra/observability has written. */
export function addAudit({ program, shell, exit }: Parts): void {
  const group = program.command('audit').description('verify and query an audit trail');
  addVerify(group, shell, exit);
  addQuery(group, shell);
}

function addVerify(group: Command, shell: Parts['shell'], exit: Parts['exit']): void {
  addJson(group.command('verify'))
    .description('check that no entry was changed, removed or moved; exit code 2 when one was')
    .argument('<file>', 'path of the audit trail; its rotated files are found beside it')
    .option(
      '--anchor <seq:hash>',
      'an entry that was noted before, which the trail must contain or begin behind; repeat it for several',
      parseAnchor,
    )
    .action(async (path: string, { json, anchor }: VerifyOptions) => {
      const out = shell(json);
      const { verifyAudit } = await observability();
      const report = verifyAudit(path, { anchors: anchor });
      const { ok, files, entries, last, tornBytes, problems } = report;
      out.result(report, () => {
        const what = `${plural(entries, 'entry', 'entries')} in ${plural(files, 'file')}`;
        const end = last === null ? [] : [`last entry ${last.seq}:${last.hash}`];
        const torn =
          tornBytes === 0 ? [] : [`${plural(tornBytes, 'byte')} at the end are of an entry that is not complete`];
        if (ok) return [`${path} verifies: ${what}`, ...end, ...torn].join('\n');
        const found = problems.map(
          ({ file, line, message }) => `  ${file}${line === null ? '' : `:${line}`}: ${message}`,
        );
        return [`${path} was changed, or is damaged: ${what}`, ...found, ...end, ...torn].map(oneLine).join('\n');
      });
      if (!ok) exit(EXIT.damaged);
    });
}

function addQuery(group: Command, shell: Parts['shell']): void {
  addLimit(addJson(group.command('query')))
    .description('list the entries that match, the oldest first')
    .argument('<file>', 'path of the audit trail; its rotated files are found beside it')
    .option('--user <name>', 'entries of this user')
    .option('--since <time>', 'not before this time: 2025-01-31, or 2025-01-31T12:00:00Z', parseTime)
    .option('--until <time>', 'before this time', parseTime)
    .option('--action <name>', 'entries of this action, such as deleteNode')
    .option('--node <id>', 'entries about this node', parseId)
    .option('--edge <id>', 'entries about this edge', parseId)
    .action(async (path: string, { json, limit, ...query }: QueryOptions) => {
      const out = shell(json);
      const { queryAudit } = await observability();
      const pace = out.pace();
      const found: AuditEntry[] = [];
      for (const entry of queryAudit(path, query)) {
        found.push(entry);
        if (found.length === oneMore(limit)) break;
        if (pace.row()) await pace.turn();
      }
      const { rows, truncated } = cut(found, limit);
      out.result({ path, entries: rows, truncated }, () => (rows.length === 0 ? 'no entry found' : toTable(out, rows)));
      if (truncated) out.note(`only the first ${plural(limit, 'entry', 'entries')}; --limit 0 shows all`);
    });
}

function toTable(out: Shell, entries: readonly AuditEntry[]): string {
  return table(
    out,
    ['entry', 'time', 'user', 'action', 'nodes', 'edges', 'commit'],
    entries.map(({ seq, timestamp, user, action, nodes, edges, lsn }) => [
      seq,
      timestamp,
      user ?? '(unknown)',
      action,
      ids(nodes),
      ids(edges),
      lsn,
    ]),
  );
}

function ids(all: readonly number[]): string {
  const more = all.length - IDS_SHOWN;
  return more > 0 ? `${all.slice(0, IDS_SHOWN).join(' ')} and ${count(more)} more` : all.join(' ');
}

function parseAnchor(text: string, before: AuditPoint[] | undefined): AuditPoint[] {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined)
    throw new InvalidArgumentError('It is the number and the hash of an entry, as verify prints them: 12:9f86d0….');
  return [...(before ?? []), { seq: Number(seq), hash }];
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('It is a date, or a date and a time: 2025-01-31T12:00:00Z.');
  return time;
}

function parseId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It is the id of a node or an edge.');
  return Number(text);
}

/** `header`: the superblock area, slot by slot. It takes no lock, so it works beside any process. */
import { readFileHeader } from '@sombra/pager';
import type { HeaderSlot, Superblock } from '@sombra/pager';
import { NodeVfs, toHex } from '@sombra/vfs';
import { EXIT } from '../shell/shell.ts';
import { count, table } from '../shell/tables.ts';
import { fileFindings, locateDatabase, logSegments } from '@sombra/ops';
import { findingLines, moment } from './report.ts';
import type { Parts } from '../shell/program.ts';
import { addVerbOptions } from './verb-options.ts';
import type { VerbOptions } from './verb-options.ts';

/** Adds the verb. */
export function addHeader({ program, shell, exit }: Parts): void {
  addVerbOptions(program.command('header'))
    .description('the contents of the superblock, slot by slot')
    .action((path: string, { json }: VerbOptions) => {
      const out = shell(json);
      const vfs = new NodeVfs();
      const header = readFileHeader(vfs, locateDatabase(vfs, path));
      const { newest } = header;
      // What concerns the log is the business of `wal-info`.
      const { damage, warnings } = fileFindings(header, logSegments(vfs, header.path, header));
      const own = damage.filter(({ code }) => code === 'SOMBRA_SUPERBLOCK' || code === 'SOMBRA_SUPERBLOCK_SLOT');
      const slots = header.slots.map((slot) => ({
        offset: slot.offset,
        state: slot.state,
        current: slot.superblock !== null && slot.superblock === newest,
        fields: slot.superblock === null ? null : fieldsOf(slot.superblock),
      }));
      const data = { path, size: header.size, slots, damage: own, warnings };
      out.result(data, () =>
        [
          `${path}: ${count(header.size)} bytes`,
          '',
          table(out, ['field', ...slots.map(({ offset }) => `slot at ${offset}`)], slotRows(header.slots, newest)),
          ...findingLines(out, own, warnings),
        ].join('\n'),
      );
      if (own.length > 0 || newest === null) exit(EXIT.damaged);
    });
}

/** The fields of a slot, for JSON. */
function fieldsOf(slot: Superblock): Record<string, unknown> {
  const { databaseId, logSalt, salt, time, ...rest } = slot;
  return {
    ...rest,
    databaseId: toHex(databaseId),
    salt: salt.toString(16).padStart(8, '0'),
    logSalt: toHex(logSalt),
    time: moment(time),
  };
}

const FIELDS = [
  ['page size', 'pageSize'],
  ['database id', 'databaseId'],
  ['timeline', 'timeline'],
  ['salt', 'salt'],
  ['sequence', 'sequence'],
  ['checkpoint commit', 'checkpointLsn'],
  ['pages', 'pageCount'],
  ['replay segment', 'replaySeq'],
  ['replay offset', 'replayOffset'],
  ['log salt', 'logSalt'],
  ['chain value', 'chain'],
  ['clean', 'clean'],
  ['written', 'time'],
] as const;

function slotRows(slots: readonly HeaderSlot[], newest: Superblock | null): string[][] {
  const state = (slot: HeaderSlot): string =>
    slot.superblock !== null && slot.superblock === newest ? `${slot.state}, current` : slot.state;
  const columns = slots.map(({ superblock }) => (superblock === null ? undefined : fieldsOf(superblock)));
  return [
    ['state', ...slots.map(state)],
    ...FIELDS.map(([name, key]) => [
      name,
      ...columns.map((column) => (column === undefined ? '' : String(column[key]))),
    ]),
  ];
}

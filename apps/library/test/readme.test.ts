// Goal: the tables of the README say what the code does. Method: they are parsed and compared with the fields of the
// configuration, their defaults, and the presets. That its example runs is shown where the packages are packed.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Config } from '../src/index.ts';
import { CONFIG_FIELDS, resolveConfig } from '../src/config/resolve-config.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Rows of the tables in a section, as cells without backquotes. */
function rowsOf(section: string): string[][] {
  const text = README.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

/** What a cell says of a value; undefined when it says none. */
function valueOf(cell: string | undefined): unknown {
  const number = /^[\d,]+$/.exec(cell ?? '')?.[0].replaceAll(',', '');
  if (number !== undefined) return Number(number);
  if (cell?.startsWith('null')) return null;
  return cell === 'true' ? true : cell === 'false' ? false : cell?.replaceAll("'", '');
}

describe('the table of fields', () => {
  const rows = rowsOf('Configuration');
  const fields = rows.filter(([name]) => /^[a-z]\w+$/.test(name ?? '') && !['field', 'preset'].includes(name!));

  it('has each field once', () => {
    expect(fields.map(([name]) => name).sort()).toEqual([...CONFIG_FIELDS].sort());
  });

  it('has the defaults', () => {
    const said = Object.fromEntries(fields.map(([name, value]) => [name, valueOf(value)]));
    const { pager } = resolveConfig();
    expect(said).toMatchObject({
      ...Config.default(),
      pageSize: 'the files own, 8192',
      syncMode: pager.syncMode,
      busyTimeoutMs: pager.busyTimeoutMs,
    });
  });

  it('has the numbers of every preset', () => {
    const names = rows.find(([first, second]) => first === 'preset' && second === 'cacheSize')?.slice(1) ?? [];
    const presets = rows.filter(([name]) => name?.startsWith('Config.'));
    const all = Object.keys(Config).filter((name) => name !== 'fromEnv' && name !== 'fieldsFromEnv');
    expect(presets.map(([name]) => name!.slice('Config.'.length, -2)).sort()).toEqual(all.sort());
    for (const [name, ...cells] of presets) {
      const preset = Config[name!.slice('Config.'.length, -2) as 'production']() as unknown as Record<string, unknown>;
      for (const [i, field] of names.entries()) {
        if (field !== 'others') {
          expect([name, field, valueOf(cells[i])]).toEqual([name, field, preset[field]]);
          continue;
        }
        const [, other, value] = /^(\w+) is (.+)$/.exec(cells[i] ?? '') ?? [];
        if (other !== undefined) expect([name, other, valueOf(value)]).toEqual([name, other, preset[other]]);
      }
    }
  });
});

import { readFileSync } from 'node:fs';

/** One row of a layout table in docs/format. `size` is NaN where the table says "rest" or names a formula. */
export interface FormatRow {
  readonly offset: number;
  readonly size: number;
  readonly field: string;
}

/**
 * Reads the layout table under a heading of a page in docs/format, so that a test can hold documentation and
 * constants together.
 * @param page     file name in docs/format, for example `page-header.md`
 * @param heading  text of the heading above the table, without the leading #
 * @throws Error when the heading or its `| offset | size | field |` table is missing
 */
export function readFormatTable(page: string, heading: string): FormatRow[] {
  const text = readFileSync(new URL(`../../docs/format/${page}`, import.meta.url), 'utf8');
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '').trim() === heading);
  if (at < 0) throw new Error(`${page} has no heading "${heading}"`);
  const rows: FormatRow[] = [];
  let inTable = false;
  for (const line of lines.slice(at + 1)) {
    if (/^#+ /.test(line)) break;
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells[1] === 'offset' && cells[2] === 'size' && cells[3] === 'field') inTable = true;
    else if (inTable && !line.startsWith('|')) break;
    else if (inTable && /^\d+$/.test(cells[1] ?? '')) {
      rows.push({ offset: Number(cells[1]), size: Number(cells[2]), field: (cells[3] ?? '').replaceAll('`', '') });
    }
  }
  if (rows.length === 0) throw new Error(`${page} has no layout table under "${heading}"`);
  return rows;
}

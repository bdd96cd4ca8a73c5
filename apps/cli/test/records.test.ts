// Goal: files give back the records that were written into them, whatever their line ends, quotes, packing and chunk
// borders, and an error names the line that a person would name. Method: random records against the list that made them;
// tables of damaged files.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineOfRecord, readBatches } from '../src/csv/records.ts';
import { inspectFile } from '../src/files/text-file.ts';
import { csvField, temporaryFolder, writeCsv } from './support/files.ts';

const folder = temporaryFolder();
const seed = Number(process.env['SOMBRA_SEED'] ?? 20_240_229);
const numRuns = Number(process.env['SOMBRA_RUNS'] ?? 150);

async function readAll(path: string, delimiter = ','): Promise<string[][]> {
  const records: string[][] = [];
  for await (const batch of readBatches(inspectFile(path), { delimiter })) {
    expect(batch.first).toBe(records.length);
    records.push(...batch.records);
  }
  return records;
}

async function problem(path: string): Promise<{ code: string; message: string; details: unknown }> {
  return await readAll(path).then(
    () => {
      throw new Error('no error');
    },
    (error: unknown) => error as never,
  );
}

describe('records', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('', 'a"b', 'x,y', 'line\r\nend', '\n', 'ü€😀', '"'),
  );
  // The very first cell: nothing that could be read as a byte order mark.
  const record = fc.array(cell, { minLength: 2, maxLength: 5 }).filter((cells) => !cells[0]!.startsWith('\ufeff'));

  it('come back as written, and each begins in its line', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 30 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        async (records, end, packed, blank) => {
          const texts = records.map((cells) =>
            cells.map((text) => csvField(text, text.includes('\r') || text === '')).join(','),
          );
          const lines: number[] = [];
          let text = '';
          for (const part of texts) {
            if (blank && lines.length % 3 === 1) text += end;
            lines.push(text.split('\n').length);
            text += part + end;
          }
          run += 1;
          const path = writeCsv(folder, `r${run}.csv${packed ? '.gz' : ''}`, text);
          expect(await readAll(path)).toEqual(records);
          const file = inspectFile(path);
          for (const at of [0, records.length >> 1, records.length - 1])
            expect(await lineOfRecord(file, at)).toBe(lines[at]);
        },
      ),
      { seed, numRuns },
    );
  });

  it('survive borders of chunks within a character', async () => {
    // 3-byte and 4-byte characters over more than two chunks of 256 KiB, at every phase.
    for (const shift of [0, 1, 2, 3]) {
      const long = `${'x'.repeat(shift)}${'€😀'.repeat(80_000)}`;
      expect(await readAll(writeCsv(folder, `long${shift}.csv`, `a\n${long}\n`))).toEqual([['a'], [long]]);
    }
  });

  it('skip the byte order mark and take another delimiter', async () => {
    expect(await readAll(writeCsv(folder, 'bom.csv', '\ufeffid;name\n1;a,b\n'), ';')).toEqual([
      ['id', 'name'],
      ['1', 'a,b'],
    ]);
  });

  it('are packed or not by content, not by name', async () => {
    const packed = writeCsv(folder, 'packed.csv.gz', 'a,b\n');
    expect(inspectFile(packed).gzip).toBe(true);
    expect(await readAll(packed)).toEqual([['a', 'b']]);
  });

  it('come in batches of bounded size', async () => {
    const path = writeCsv(folder, 'many.csv', `${'1,2\n'.repeat(2500)}`);
    const sizes: number[] = [];
    for await (const { records } of readBatches(inspectFile(path), { delimiter: ',' })) sizes.push(records.length);
    expect(sizes).toEqual([1000, 1000, 500]);
  });
});

describe('damage', () => {
  it.each([
    ['a quote within a plain field', 'a,b\n1,2\n3,5" disk\n', 'SOMBRA_CSV_SYNTAX', 3],
    ['a quote that never ends', 'a,b\n1,2\n3,"x\n4,5\n', 'SOMBRA_CSV_SYNTAX', 3],
    ['something after a quoted field', 'a,b\n1,"x"y\n', 'SOMBRA_CSV_SYNTAX', 2],
    ['a quoted line end of two bytes before it', 'a,b\r\n1,"x\r\ny"\r\n2,z"\r\n', 'SOMBRA_CSV_SYNTAX', 4],
  ])('%s', async (_name, text, code, line) => {
    const path = writeCsv(folder, 'bad.csv', text);
    const error = await problem(path);
    expect(error.code).toBe(code);
    expect(error.message).toContain(`bad.csv:${line}: `);
    expect(error.details).toMatchObject({ file: path, line });
  });

  it('names the line that is not UTF-8', async () => {
    const latin1 = Buffer.concat([Buffer.from('a,b\n1,2\n3,'), Buffer.from([0xe4]), Buffer.from('x\n')]);
    const error = await problem(writeCsv(folder, 'latin1.csv', latin1));
    expect(error.code).toBe('SOMBRA_IMPORT_FILE');
    expect(error.message).toContain('latin1.csv:3: this is not UTF-8');
  });

  it('refuses a character that the file breaks off', async () => {
    const error = await problem(writeCsv(folder, 'cut.csv', Buffer.from('a,b\n1,€').subarray(0, -1)));
    expect(error.message).toContain('cut.csv:2: this is not UTF-8');
  });

  it('refuses a packed file that breaks off', async () => {
    const whole = writeCsv(folder, 'whole.csv.gz', 'a,b\n'.repeat(100));
    const { readFileSync } = await import('node:fs');
    const error = await problem(writeCsv(folder, 'half.csv', readFileSync(whole).subarray(0, 20)));
    expect(error.code).toBe('SOMBRA_IMPORT_FILE');
    expect(error.message).toContain('cannot be unpacked');
  });

  it('refuses a file that is not there, and a folder', async () => {
    for (const path of [`${folder}/none.csv`, folder]) {
      const error = await problem(path);
      expect(error.code).toBe('SOMBRA_IMPORT_FILE');
      expect(error.message).toContain(path);
    }
  });
});

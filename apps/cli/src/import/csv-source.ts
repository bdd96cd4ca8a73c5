/** CSV files as the source of an import. */
import { lineOfRecord, readBatches } from '../csv/records.ts';
import { Converter } from './convert.ts';
import { IdTable } from './id-table.ts';
import type { Place } from '../errors/import-error.ts';
import type { FileSummary, ImportSource } from './import-source.ts';
import type { Feed, RowPlace } from './messages.ts';
import type { ImportPlan } from './plan.ts';

/** The files of a plan. */
export class CsvSource implements ImportSource {
  readonly bytes: number;
  private readonly plan: ImportPlan;

  constructor(plan: ImportPlan) {
    this.plan = plan;
    this.bytes = plan.bytes;
  }

  async feed(send: (feed: Feed) => Promise<boolean>, read: (bytes: number) => void): Promise<readonly FileSummary[]> {
    const ids = new IdTable();
    const files: FileSummary[] = [];
    const csv = { delimiter: this.plan.delimiter, quotedEmpty: this.plan.quotedEmpty, onBytes: read };
    let position = 0;
    for (const kind of ['nodes', 'edges'] as const) {
      for (const [at, filePlan] of this.plan.files.entries()) {
        if (filePlan.kind !== kind) continue;
        const converter = new Converter(this.plan, at, ids);
        let rows = 0;
        for await (const batch of readBatches(filePlan.file, csv)) {
          const converted = kind === 'nodes' ? await converter.nodes(batch, position) : await converter.edges(batch);
          rows += converted.rows.length;
          if (kind === 'nodes') position += converted.rows.length;
          if (!(await send(converted))) return files;
        }
        files.push({ file: filePlan.file.path, kind, rows });
      }
      if (!(await send({ kind: `${kind}-end` }))) return files;
    }
    return files;
  }

  async place({ file, record }: RowPlace): Promise<Place> {
    const { file: text } = this.plan.files[file]!;
    return { file: text.path, line: await lineOfRecord(text, record) };
  }
}

/** From nodes and edges of files to batches for the loading thread. */
import type { PropertyValue } from '@sombra/db';
import { importError } from '../errors/import-error.ts';
import type { ImportCode, Place } from '../errors/import-error.ts';
import type { EdgeLine, NodeLine } from '../jsonl/record.ts';
import { quote } from '../values/scalar.ts';
import type { FileId } from './id-table.ts';
import { IdGroup } from './id-table.ts';
import type { FileSummary } from './import-source.ts';
import type { Feed, Row } from './messages.ts';

/** Rows of a batch, at most. */
const BATCH_ROWS = 1000;
/** Characters of a batch, about. */
const BATCH_CHARACTERS = 1024 * 1024;

/** Properties that keep the ids of the files. */
export interface IdProperties {
  readonly node?: string | undefined;
  readonly edge?: string | undefined;
}

/** One reading of all files. A batch gathers in the fields below. */
export class RowFeed {
  readonly summaries: FileSummary[] = [];
  private readonly send: (feed: Feed) => Promise<boolean>;
  private readonly idProperties: IdProperties;
  private readonly valueCode: ImportCode;
  private readonly ids = new IdGroup();
  private nodes = 0;
  private rows: Row[] = [];
  private lines: number[] = [];
  private labels: (readonly string[])[] = [];
  private types: string[] = [];
  private sources: number[] = [];
  private targets: number[] = [];
  private characters = 0;

  /** @param valueCode  of the error for a property that has the name of one that keeps ids */
  constructor(send: (feed: Feed) => Promise<boolean>, idProperties: IdProperties, valueCode: ImportCode) {
    this.send = send;
    this.idProperties = idProperties;
    this.valueCode = valueCode;
  }

  /** Tells that all nodes, or all edges, have been sent. @returns false when nothing more is wanted */
  end(kind: 'node' | 'edge'): Promise<boolean> {
    return this.send({ kind: `${kind}s-end` });
  }

  /** Is it time for a `flush`? */
  get full(): boolean {
    return this.rows.length >= BATCH_ROWS || this.characters >= BATCH_CHARACTERS;
  }

  /**
   * Adds a node or an edge.
   * @param size  characters that it has in the file, about
   * @throws DataError SOMBRA_IMPORT_DUPLICATE_ID, SOMBRA_IMPORT_DANGLING_EDGE, and one with `valueCode`
   */
  add(place: Place & { readonly line: number }, size: number, one: NodeLine | EdgeLine): void {
    if (one.kind === 'node') this.addNode(one, place);
    else {
      this.sources.push(this.position(one.source, 'begins', place));
      this.targets.push(this.position(one.target, 'ends', place));
      this.types.push(one.type);
    }
    const row: (PropertyValue | undefined)[] = [];
    const idProperty = this.idProperties[one.kind];
    if (idProperty !== undefined && one.id !== undefined) {
      this.checkIdProperty(one, idProperty, place);
      row.push(idProperty, one.id);
    }
    for (const key of Object.keys(one.properties)) row.push(key, one.properties[key]);
    this.rows.push(row);
    this.lines.push(place.line);
    this.characters += size;
  }

  /** Sends what has been added, all of one kind and one file. @returns false when nothing more is wanted */
  async flush(kind: 'node' | 'edge', file: number): Promise<boolean> {
    if (this.rows.length === 0) return true;
    const common = {
      start: { file, record: this.lines[0]! },
      records: Float64Array.from(this.lines),
      keys: [],
      rows: this.rows,
    };
    const sent =
      kind === 'node'
        ? this.send({ ...common, kind: 'nodes', labels: [], rowLabels: this.labels })
        : this.send({
            ...common,
            kind: 'edges',
            type: '',
            rowTypes: this.types,
            sources: Float64Array.from(this.sources),
            targets: Float64Array.from(this.targets),
          });
    this.rows = [];
    this.lines = [];
    this.labels = [];
    this.types = [];
    this.sources = [];
    this.targets = [];
    this.characters = 0;
    return sent;
  }

  private addNode({ id, labels }: NodeLine, place: Place): void {
    if (!this.ids.add(id, this.nodes))
      throw importError('SOMBRA_IMPORT_DUPLICATE_ID', place, `the id ${shown(id)} was used before`);
    this.nodes += 1;
    this.labels.push(labels);
  }

  private checkIdProperty({ kind, properties }: NodeLine | EdgeLine, key: string, place: Place): void {
    if (!Object.hasOwn(properties, key)) return;
    const option = kind === 'node' ? '--id-property' : '--edge-id-property';
    throw importError(
      this.valueCode,
      place,
      `the ${kind} has a property ${quote(key)} already: give ${option} another name`,
    );
  }

  private position(id: FileId, verb: string, place: Place): number {
    const found = this.ids.get(id);
    if (found !== undefined) return found;
    const message = `the edge ${verb} at ${shown(id)}, which is the id of no node`;
    throw importError('SOMBRA_IMPORT_DANGLING_EDGE', place, message);
  }
}

/** An id for a message: a text in quotes, cut when it is long. */
function shown(id: FileId): string {
  return typeof id === 'string' ? quote(id) : String(id);
}

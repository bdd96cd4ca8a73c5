/**
 * JSON Lines as the source of an import. Files are read twice, for nodes and then for edges, so that lines may come in any
 * order. Standard input is read once, so that there nodes come before edges.
 */
import type { PropertyValue } from '@sombra/db';
import { CellError, quote } from '../values/scalar.ts';
import type { TextFile } from '../files/text-file.ts';
import { inspectFile, inspectStream } from '../files/text-file.ts';
import type { FileId } from './id-table.ts';
import { IdGroup } from './id-table.ts';
import { importError } from '../errors/import-error.ts';
import type { ImportCode, Place } from '../errors/import-error.ts';
import type { FileSummary, ImportSource } from './import-source.ts';
import type { Feed, Row, RowPlace } from './messages.ts';
import { usageError } from '../errors/usage-error.ts';
import { readLines } from '../files/lines.ts';
import type { EdgeLine, NodeLine } from '../jsonl/record.ts';
import { LineError, parseLine } from '../jsonl/record.ts';

/** Rows of a batch, at most. */
const BATCH_ROWS = 1000;
/** Characters of a batch, about. */
const BATCH_CHARACTERS = 1024 * 1024;
/** How lines begin that are skipped without being parsed when the other kind is wanted. */
const BEGINNING = Object.freeze({ node: '{"node"', edge: '{"edge"' });

/**
 * Looks at files.
 * @param paths       files, or `-` alone for standard input
 * @param idProperty  property that keeps the ids of nodes
 * @throws DataError SOMBRA_USAGE, SOMBRA_IMPORT_FILE
 */
export async function jsonlSource(paths: readonly string[], idProperty: string | undefined): Promise<ImportSource> {
  if (!paths.includes('-')) return new JsonlSource(paths.map(inspectFile), idProperty);
  if (paths.length > 1) throw usageError('--jsonl - reads standard input, and nothing beside it');
  return new JsonlSource([await inspectStream(process.stdin, 'stdin')], idProperty);
}

class JsonlSource implements ImportSource {
  readonly bytes: number;
  private readonly files: readonly TextFile[];
  private readonly idProperty: string | undefined;

  constructor(files: readonly TextFile[], idProperty: string | undefined) {
    this.files = files;
    this.idProperty = idProperty;
    this.bytes = 2 * files.reduce((sum, { size }) => sum + size, 0);
  }

  async feed(send: (feed: Feed) => Promise<boolean>, read: (bytes: number) => void): Promise<readonly FileSummary[]> {
    const feeding = new Feeding(send, this.idProperty);
    if (this.files[0]?.stream !== undefined) {
      await feeding.once(this.files[0], read);
    } else {
      for (const kind of ['node', 'edge'] as const) {
        for (const [at, file] of this.files.entries()) if (!(await feeding.pass(file, at, kind, read))) break;
        if (!(await feeding.end(kind))) break;
      }
    }
    return feeding.summaries;
  }

  place({ file, record }: RowPlace): Promise<Place> {
    return Promise.resolve({ file: this.files[file]!.path, line: record });
  }
}

/** One reading of all files. A batch gathers in the fields below. */
class Feeding {
  readonly summaries: FileSummary[] = [];
  private readonly send: (feed: Feed) => Promise<boolean>;
  private readonly idProperty: string | undefined;
  private readonly ids = new IdGroup();
  private nodes = 0;
  private rows: Row[] = [];
  private lines: number[] = [];
  private labels: (readonly string[])[] = [];
  private types: string[] = [];
  private sources: number[] = [];
  private targets: number[] = [];
  private characters = 0;

  constructor(send: (feed: Feed) => Promise<boolean>, idProperty: string | undefined) {
    this.send = send;
    this.idProperty = idProperty;
  }

  /** Reads the nodes, or the edges, of a file. @returns false when nothing more is wanted */
  async pass(file: TextFile, at: number, kind: 'node' | 'edge', read: (bytes: number) => void): Promise<boolean> {
    const skipped = kind === 'node' ? BEGINNING.edge : BEGINNING.node;
    let number = 0;
    let rows = 0;
    for await (const lines of readLines(file, read)) {
      for (const text of lines) {
        number += 1;
        if (text.startsWith(skipped) || text.trim() === '') continue;
        const line = readLine(file, number, text);
        if (line.kind !== kind) continue;
        this.add(file, number, text, line);
        rows += 1;
        if (this.full && !(await this.flush(kind, at))) return false;
      }
    }
    if (!(await this.flush(kind, at))) return false;
    if (rows > 0) this.summaries.push({ file: file.path, kind: `${kind}s`, rows });
    return true;
  }

  /** Reads all of a stream. */
  async once(file: TextFile, read: (bytes: number) => void): Promise<void> {
    let kind: 'node' | 'edge' = 'node';
    let number = 0;
    const rows = { node: 0, edge: 0 };
    for await (const lines of readLines(file, read)) {
      for (const text of lines) {
        number += 1;
        if (text.trim() === '') continue;
        const line = readLine(file, number, text);
        if (line.kind === 'node' && kind === 'edge') {
          const message = 'a node after the first edge: sort the lines, or import from a file, where any order will do';
          throw importError('SOMBRA_JSONL_SYNTAX', { file: file.path, line: number }, message);
        }
        if (line.kind === 'edge' && kind === 'node') {
          if (!(await this.flush('node', 0)) || !(await this.end('node'))) return;
          kind = 'edge';
        }
        this.add(file, number, text, line);
        rows[kind] += 1;
        if (this.full && !(await this.flush(kind, 0))) return;
      }
    }
    if (!(await this.flush(kind, 0))) return;
    if (kind === 'node' && !(await this.end('node'))) return;
    if (!(await this.end('edge'))) return;
    for (const one of ['node', 'edge'] as const)
      if (rows[one] > 0) this.summaries.push({ file: file.path, kind: `${one}s`, rows: rows[one] });
  }

  end(kind: 'node' | 'edge'): Promise<boolean> {
    return this.send({ kind: `${kind}s-end` });
  }

  private get full(): boolean {
    return this.rows.length >= BATCH_ROWS || this.characters >= BATCH_CHARACTERS;
  }

  private add(file: TextFile, number: number, text: string, line: NodeLine | EdgeLine): void {
    const place = { file: file.path, line: number };
    if (line.kind === 'node') this.addNode(line, place);
    else {
      this.sources.push(this.position(line.source, 'begins', place));
      this.targets.push(this.position(line.target, 'ends', place));
      this.types.push(line.type);
    }
    const row: (PropertyValue | undefined)[] = [];
    if (line.kind === 'node' && this.idProperty !== undefined) row.push(this.idProperty, line.id);
    for (const key of Object.keys(line.properties)) row.push(key, line.properties[key]);
    this.rows.push(row);
    this.lines.push(number);
    this.characters += text.length;
  }

  private addNode({ id, labels, properties }: NodeLine, place: Place): void {
    if (this.idProperty !== undefined && Object.hasOwn(properties, this.idProperty)) {
      const message = `the node has a property ${quote(this.idProperty)} already: give --id-property another name`;
      throw importError('SOMBRA_JSONL_VALUE', place, message);
    }
    if (!this.ids.add(id, this.nodes))
      throw importError('SOMBRA_IMPORT_DUPLICATE_ID', place, `the id ${JSON.stringify(id)} was used before`);
    this.nodes += 1;
    this.labels.push(labels);
  }

  private position(id: FileId, verb: string, place: Place): number {
    const found = this.ids.get(id);
    if (found !== undefined) return found;
    const message = `the edge ${verb} at ${JSON.stringify(id)}, which is the id of no node`;
    throw importError('SOMBRA_IMPORT_DANGLING_EDGE', place, message);
  }

  private async flush(kind: 'node' | 'edge', file: number): Promise<boolean> {
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
}

function readLine(file: TextFile, number: number, text: string): NodeLine | EdgeLine {
  try {
    return parseLine(text);
  } catch (error) {
    const code: ImportCode | undefined =
      error instanceof LineError
        ? 'SOMBRA_JSONL_SYNTAX'
        : error instanceof CellError
          ? 'SOMBRA_JSONL_VALUE'
          : undefined;
    throw code === undefined ? error : importError(code, { file: file.path, line: number }, (error as Error).message);
  }
}

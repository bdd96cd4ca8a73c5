/**
 * JSON Lines as the source of an import. Files are read twice, for nodes and then for edges, so that lines may come in any
 * order. Standard input is read once, so that there nodes come before edges.
 */
import { CellError } from '../values/scalar.ts';
import type { TextFile } from '../files/text-file.ts';
import { inspectFile, inspectStream } from '../files/text-file.ts';
import { importError } from '../errors/import-error.ts';
import type { ImportCode, Place } from '../errors/import-error.ts';
import type { FileSummary, ImportSource } from './import-source.ts';
import type { Feed, RowPlace } from './messages.ts';
import type { IdProperties } from './row-feed.ts';
import { RowFeed } from './row-feed.ts';
import { usageError } from '../errors/usage-error.ts';
import { readLines } from '../files/lines.ts';
import type { EdgeLine, NodeLine } from '../jsonl/record.ts';
import { LineError, parseLine } from '../jsonl/record.ts';

/** How lines begin that are skipped without being parsed when the other kind is wanted. */
const BEGINNING = Object.freeze({ node: '{"node"', edge: '{"edge"' });

/**
 * Looks at files.
 * @param paths  files, or `-` alone for standard input
 * @param ids    properties that keep the ids
 * @throws DataError SOMBRA_USAGE, SOMBRA_IMPORT_FILE
 */
export async function jsonlSource(paths: readonly string[], ids: IdProperties): Promise<ImportSource> {
  if (!paths.includes('-')) return new JsonlSource(paths.map(inspectFile), ids);
  if (paths.length > 1) throw usageError('--jsonl - reads standard input, and nothing beside it');
  return new JsonlSource([await inspectStream(process.stdin, 'stdin')], ids);
}

class JsonlSource implements ImportSource {
  readonly bytes: number;
  private readonly files: readonly TextFile[];
  private readonly ids: IdProperties;

  constructor(files: readonly TextFile[], ids: IdProperties) {
    this.files = files;
    this.ids = ids;
    this.bytes = 2 * files.reduce((sum, { size }) => sum + size, 0);
  }

  async feed(send: (feed: Feed) => Promise<boolean>, read: (bytes: number) => void): Promise<readonly FileSummary[]> {
    const feeding = new Feeding(send, this.ids);
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

/** One reading of all files. */
class Feeding {
  private readonly feed: RowFeed;

  constructor(send: (feed: Feed) => Promise<boolean>, ids: IdProperties) {
    this.feed = new RowFeed(send, ids, 'SOMBRA_JSONL_VALUE');
  }

  get summaries(): readonly FileSummary[] {
    return this.feed.summaries;
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
        this.feed.add({ file: file.path, line: number }, text.length, line);
        rows += 1;
        if (this.feed.full && !(await this.feed.flush(kind, at))) return false;
      }
    }
    if (!(await this.feed.flush(kind, at))) return false;
    if (rows > 0) this.feed.summaries.push({ file: file.path, kind: `${kind}s`, rows });
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
          if (!(await this.feed.flush('node', 0)) || !(await this.end('node'))) return;
          kind = 'edge';
        }
        this.feed.add({ file: file.path, line: number }, text.length, line);
        rows[kind] += 1;
        if (this.feed.full && !(await this.feed.flush(kind, 0))) return;
      }
    }
    if (!(await this.feed.flush(kind, 0))) return;
    if (kind === 'node' && !(await this.end('node'))) return;
    if (!(await this.end('edge'))) return;
    for (const one of ['node', 'edge'] as const)
      if (rows[one] > 0) this.feed.summaries.push({ file: file.path, kind: `${one}s`, rows: rows[one] });
  }

  end(kind: 'node' | 'edge'): Promise<boolean> {
    return this.feed.end(kind);
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

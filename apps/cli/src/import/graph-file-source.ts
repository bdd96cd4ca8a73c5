/** Files that each hold nodes and edges as the source of an import. They are read twice, for nodes and then for edges. */
import { syntaxProblem } from '../errors/graph-file-error.ts';
import type { Place } from '../errors/import-error.ts';
import type { TextFile } from '../files/text-file.ts';
import type { EdgeLine, NodeLine } from '../jsonl/record.ts';
import type { FileSummary, ImportSource } from './import-source.ts';
import type { Feed, RowPlace } from './messages.ts';
import type { IdProperties } from './row-feed.ts';
import { RowFeed } from './row-feed.ts';

/** A node or an edge, where it stands, and how many characters it has there, about. */
export interface GraphItem {
  readonly line: number;
  readonly size: number;
  readonly item: NodeLine | EdgeLine;
}

/** How the graph of a file becomes that of a database. */
export interface GraphFileOptions {
  /** Labels of nodes that have none of their own. */
  readonly labels: readonly string[];
  /** Type of edges that have none of their own. */
  readonly type: string | undefined;
  /** Name of what holds the labels of a node, the type of an edge; undefined: as the format has it. */
  readonly labelName: string | undefined;
  readonly typeName: string | undefined;
  readonly ids: IdProperties;
  /** Takes what a person should know, and need not act upon. */
  readonly note: (message: string) => void;
}

/**
 * Reads the nodes, or the edges, of a file, in lists of those that arrived together.
 * @param note  takes what a person should know; the same text is told once
 * @throws DataError SOMBRA_IMPORT_FILE, SOMBRA_GRAPH_FILE_…
 */
export type ReadGraphFile = (
  file: TextFile,
  kind: 'node' | 'edge',
  options: GraphFileOptions,
  onBytes: (bytes: number) => void,
) => AsyncGenerator<GraphItem[]>;

/** Files of one format. */
export class GraphFileSource implements ImportSource {
  readonly bytes: number;
  private readonly files: readonly TextFile[];
  private readonly readFile: ReadGraphFile;
  private readonly options: GraphFileOptions;

  constructor(files: readonly TextFile[], readFile: ReadGraphFile, options: GraphFileOptions) {
    this.files = files;
    this.readFile = readFile;
    const told = new Set<string>();
    const note = (message: string): void => {
      if (!told.has(message)) options.note(message);
      told.add(message);
    };
    this.options = { ...options, note };
    this.bytes = 2 * files.reduce((sum, { size }) => sum + size, 0);
  }

  async feed(send: (feed: Feed) => Promise<boolean>, read: (bytes: number) => void): Promise<readonly FileSummary[]> {
    const feed = new RowFeed(send, this.options.ids, 'SOMBRA_GRAPH_FILE_VALUE');
    for (const kind of ['node', 'edge'] as const) {
      for (const at of this.files.keys()) if (!(await this.pass(feed, at, kind, read))) return feed.summaries;
      if (!(await feed.end(kind))) return feed.summaries;
    }
    return feed.summaries;
  }

  place({ file, record }: RowPlace): Promise<Place> {
    return Promise.resolve({ file: this.files[file]!.path, line: record });
  }

  private async pass(
    feed: RowFeed,
    at: number,
    kind: 'node' | 'edge',
    read: (bytes: number) => void,
  ): Promise<boolean> {
    const file = this.files[at]!;
    let rows = 0;
    for await (const items of this.readFile(file, kind, this.options, read)) {
      for (const { line, size, item } of items) {
        feed.add({ file: file.path, line }, size, item);
        rows += 1;
        if (feed.full && !(await feed.flush(kind, at))) return false;
      }
    }
    if (!(await feed.flush(kind, at))) return false;
    if (rows > 0) feed.summaries.push({ file: file.path, kind: `${kind}s`, rows });
    return true;
  }
}

/** The type of an edge, or an error that says how to give it one. @throws GraphFileError SOMBRA_GRAPH_FILE_SYNTAX */
export function edgeTypeOf(own: string | undefined, options: GraphFileOptions, line: number): string {
  const type = own === undefined || own === '' ? options.type : own;
  if (type !== undefined) return type;
  const message = 'the edge has no type: give all of these one by --type, or name what holds it by --type-column';
  throw syntaxProblem(message, line);
}

/** Tells that edges without a direction get one. */
export function noteUndirected(file: TextFile, options: GraphFileOptions): void {
  const advice = 'commands follow them both ways by --direction both';
  options.note(`${file.path}: undirected edges are imported as edges from source to target; ${advice}`);
}

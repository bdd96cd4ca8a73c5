/**
 * XML as a stream. Nothing is fetched and no entity is expanded but the five of XML itself: a document that declares entities is refused.
 * Memory is bounded by the longest piece, a tag or a text.
 */
import { StringDecoder } from 'node:string_decoder';
import { SaxesParser } from 'saxes';
import { GraphFileError, syntaxProblem, unsupportedProblem } from '../errors/graph-file-error.ts';
import { importError } from '../errors/import-error.ts';
import type { TextFile } from '../files/text-file.ts';
import { openText } from '../files/text-file.ts';
import { CellError } from '../values/scalar.ts';

/** Longest piece in characters: the largest property, escaped, and then some. */
export const PIECE_MAX = 128 * 1024 * 1024;
/** Elements within each other. */
const DEPTH_MAX = 200;
const ENCODING = /^(?:utf-?8|us-ascii|ascii)$/i;

/** Attributes by name. */
export type XmlAttributes = Readonly<Record<string, string>>;

/** What takes the parts of a document. It throws a GraphFileError, or a CellError, for what it refuses. */
export interface XmlHandler<T> {
  /** @param line  where the tag ends */
  open(name: string, attributes: XmlAttributes, line: number): void;
  text(text: string): void;
  close(name: string): void;
  /** What has been put together so far; it is handed out once. */
  take(): T[];
}

/**
 * Reads a document.
 * @param onBytes  told how many bytes were read
 * @throws DataError SOMBRA_IMPORT_FILE, SOMBRA_GRAPH_FILE_SYNTAX, SOMBRA_GRAPH_FILE_VALUE, SOMBRA_GRAPH_FILE_UNSUPPORTED
 */
export async function* readXml<T>(
  file: TextFile,
  handler: XmlHandler<T>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<T[]> {
  const parser = new SaxesParser();
  let position = 0;
  let depth = 0;
  parser.on('error', (error) => {
    throw syntaxProblem(`this is not XML: ${error.message.replace(/^(?:[^:]*:)?\d+:\d+: /, '').slice(0, 200)}`);
  });
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding === undefined || ENCODING.test(encoding)) return;
    throw unsupportedProblem(
      `the encoding is ${encoding.slice(0, 40)}: convert the file to UTF-8, and say so in its first line`,
    );
  });
  parser.on('doctype', (text) => {
    position = parser.position;
    if (!text.includes('[')) return;
    throw unsupportedProblem('the document declares entities or elements of its own: leave out its <!DOCTYPE …>');
  });
  parser.on('comment', () => (position = parser.position));
  parser.on('opentag', ({ name, attributes }) => {
    position = parser.position;
    depth += 1;
    if (depth > DEPTH_MAX) throw unsupportedProblem(`elements are nested more than ${DEPTH_MAX} levels deep`);
    handler.open(name, attributes, parser.line);
  });
  parser.on('closetag', ({ name }) => {
    position = parser.position;
    depth -= 1;
    handler.close(name);
  });
  const text = (part: string): void => {
    position = parser.position;
    handler.text(part);
  };
  parser.on('text', text);
  parser.on('cdata', text);
  const decoder = new StringDecoder('utf8');
  const step = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      throw placed(error, file, parser.line);
    }
  };
  for await (const chunk of openText(file, onBytes) as AsyncIterable<Buffer>) {
    step(() => {
      parser.write(decoder.write(chunk));
      if (parser.position - position > PIECE_MAX)
        throw syntaxProblem(`a tag or a text has more than ${PIECE_MAX} characters`);
    });
    const items = handler.take();
    if (items.length > 0) yield items;
  }
  step(() => parser.close());
}

/** The error with its place. */
function placed(error: unknown, file: TextFile, line: number): unknown {
  if (error instanceof GraphFileError)
    return importError(error.code, { file: file.path, line: error.line ?? line }, error.message);
  return error instanceof CellError
    ? importError('SOMBRA_GRAPH_FILE_VALUE', { file: file.path, line }, error.message)
    : error;
}

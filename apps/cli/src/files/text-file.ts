/** Files of text, packed by gzip or not, as a stream of bytes that are checked to be UTF-8. */
import { isUtf8 } from 'node:buffer';
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { importError } from '../errors/import-error.ts';

const CHUNK = 256 * 1024;
/** Longest sequence of UTF-8, less one: so much of a chunk may belong to the next one. */
const TAIL_MAX = 3;
const NO_FILE = 'this is no regular file: an import reads its files more than once, so write pipes to a file first';

/** A file that can be read. */
export interface TextFile {
  readonly path: string;
  /** Bytes on disk. */
  readonly size: number;
  readonly gzip: boolean;
  /** What is read instead of a file, once. */
  readonly stream?: Readable;
}

/** Looks at the beginning of a stream, which is then read in the place of a file. @param name  for messages */
export async function inspectStream(stream: Readable, name: string): Promise<TextFile> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let start = Buffer.alloc(0);
  while (start.length < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value]);
  }
  const rest = async function* (): AsyncGenerator<Buffer> {
    if (start.length > 0) yield start;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  };
  const whole = Readable.from(rest(), { objectMode: false });
  return { path: name, size: 0, gzip: isGzip(start), stream: whole };
}

function isGzip(start: Uint8Array): boolean {
  return start.length >= 2 && start[0] === 0x1f && start[1] === 0x8b;
}

/** Looks at a file before it is read. @throws DataError SOMBRA_IMPORT_FILE */
export function inspectFile(path: string): TextFile {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw importError('SOMBRA_IMPORT_FILE', { file: path }, NO_FILE);
    const { size } = stats;
    const file = openSync(path, 'r');
    try {
      const start = new Uint8Array(2);
      const read = readSync(file, start, 0, 2, 0);
      return { path, size, gzip: isGzip(start.subarray(0, read)) };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

/**
 * The text of a file as bytes. Ends with a DataError SOMBRA_IMPORT_FILE when it cannot be read, unpacked, or is not UTF-8.
 * @param onBytes  told how many bytes were read from disk, for progress
 */
export function openText(file: TextFile, onBytes?: (bytes: number) => void): Readable {
  const disk = file.stream ?? createReadStream(file.path, { highWaterMark: CHUNK });
  const counted = onBytes === undefined ? disk : Readable.from(countBytes(disk, onBytes), { objectMode: false });
  let source: Readable = counted;
  if (file.gzip) {
    const unpacked = createGunzip({ chunkSize: CHUNK });
    // Its failure ends the unpacked stream with the same error.
    pipeline(counted, unpacked).catch(() => undefined);
    source = unpacked;
  }
  return Readable.from(checkedText(file.path, source), { objectMode: false, highWaterMark: CHUNK });
}

async function* countBytes(source: Readable, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source as AsyncIterable<Buffer>) {
    onBytes(chunk.length);
    yield chunk;
  }
}

async function* checkedText(path: string, source: Readable): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let line = 1;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = wholeLength(bytes);
      const whole = bytes.subarray(0, end);
      if (!isUtf8(whole)) throw notText(path, line + newlinesBefore(whole));
      for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, at + 1)) line += 1;
      rest = Buffer.from(bytes.subarray(end));
      yield whole;
    }
  } catch (error) {
    throw fileError(path, error);
  }
  if (rest.length > 0) throw notText(path, line);
}

/** Length without the first bytes of a sequence that goes on in the next chunk. */
function wholeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(TAIL_MAX, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Number of line ends before the first line that is not UTF-8. */
function newlinesBefore(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; ; count += 1) {
    const end = bytes.indexOf(10, at);
    if (end < 0 || !isUtf8(bytes.subarray(at, end))) return count;
    at = end + 1;
  }
}

function notText(path: string, line: number): Error {
  return importError(
    'SOMBRA_IMPORT_FILE',
    { file: path, line },
    'this is not UTF-8: convert the file, for example by iconv -t utf-8',
  );
}

function fileError(path: string, error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'string' || code.startsWith('SOMBRA_')) return error;
  if (code === 'ENOENT') return importError('SOMBRA_IMPORT_FILE', { file: path }, 'there is no such file', error);
  if (code.startsWith('Z_')) {
    return importError(
      'SOMBRA_IMPORT_FILE',
      { file: path },
      `it cannot be unpacked (${String(message)}): the file is damaged or not whole`,
      error,
    );
  }
  return importError('SOMBRA_IMPORT_FILE', { file: path }, `it cannot be read (${String(message)})`, error);
}

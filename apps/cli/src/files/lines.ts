/** Lines of a text file: streams, so memory is bounded by the longest line. */
import { importError } from '../errors/import-error.ts';
import type { TextFile } from './text-file.ts';
import { openText } from './text-file.ts';

/** Longest line in bytes: the largest record in base64 and escaped, and then some. */
const LINE_SIZE_MAX = 128 * 1024 * 1024;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The lines of a file, in lists of those that arrived together; the first one is line 1.
 * @throws DataError SOMBRA_IMPORT_FILE, SOMBRA_JSONL_SYNTAX
 */
export async function* readLines(file: TextFile, onBytes: (bytes: number) => void): AsyncGenerator<string[]> {
  let open: Buffer[] = [];
  let size = 0;
  let count = 0;
  const take = (end: Buffer): string => {
    open.push(end);
    const text = (open.length === 1 ? end : Buffer.concat(open)).toString('utf8');
    open = [];
    size = 0;
    count += 1;
    return count === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  };
  for await (const chunk of openText(file, onBytes) as AsyncIterable<Buffer>) {
    const lines: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      lines.push(take(chunk.subarray(from, at)));
      from = at + 1;
    }
    if (from < chunk.length) {
      open.push(chunk.subarray(from));
      size += chunk.length - from;
      if (size > LINE_SIZE_MAX)
        throw importError(
          'SOMBRA_JSONL_SYNTAX',
          { file: file.path, line: count + 1 },
          `the line has more than ${LINE_SIZE_MAX} bytes: end every object by a line break`,
        );
    }
    if (lines.length > 0) yield lines;
  }
  if (size > 0) yield [take(Buffer.alloc(0))];
}

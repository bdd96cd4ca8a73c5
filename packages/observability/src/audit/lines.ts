/** Lines of a file, read piece by piece. */
import { preadFully } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';

const CHUNK = 64 * 1024;
const NEWLINE = 10;

/** A line, without its line break. */
export interface Line {
  readonly bytes: Uint8Array;
  /** From 1. */
  readonly number: number;
  /** Byte of the file behind its line break. */
  readonly end: number;
  /** Does a line break follow it? Only the last line may lack one. */
  readonly ended: boolean;
}

/**
 * The lines of a file. Their bytes are valid until the next one is asked for.
 * @param from  byte where a line begins; numbers count from there
 */
export function* linesOf(file: VfsFile, from = 0): Generator<Line> {
  let buffer: Uint8Array = new Uint8Array(CHUNK);
  let length = 0; // bytes of the buffer that are a part of the file
  let at = from; // byte of the file behind them
  let number = 0;
  for (;;) {
    if (length === buffer.length) buffer = grown(buffer);
    const read = preadFully(file, buffer.subarray(length), at);
    at += read;
    const searched = length;
    length += read;
    let start = 0;
    let end = buffer.subarray(0, length).indexOf(NEWLINE, searched);
    while (end >= 0) {
      number += 1;
      yield { bytes: buffer.subarray(start, end), number, end: at - length + end + 1, ended: true };
      start = end + 1;
      end = buffer.subarray(0, length).indexOf(NEWLINE, start);
    }
    buffer.copyWithin(0, start, length);
    length -= start;
    if (read > 0) continue;
    if (length > 0) yield { bytes: buffer.subarray(0, length), number: number + 1, end: at, ended: false };
    return;
  }
}

/** Where the last lines of a file begin: the byte behind the line break that so many others follow, or 0. */
export function startOfLast(file: VfsFile, lines: number): number {
  const chunk = new Uint8Array(CHUNK);
  let left = lines + 1;
  for (let end = file.stat().size; end > 0; ) {
    const start = Math.max(0, end - CHUNK);
    let at = preadFully(file, chunk.subarray(0, end - start), start);
    while (at > 0 && (at = chunk.lastIndexOf(NEWLINE, at - 1)) >= 0) {
      left -= 1;
      if (left === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

function grown(buffer: Uint8Array): Uint8Array {
  const larger = new Uint8Array(buffer.length * 2);
  larger.set(buffer);
  return larger;
}

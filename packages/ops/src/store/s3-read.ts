/** Reading an object from S3. A connection that breaks is taken up again where it broke, as long as the object is the same. */
import type { Readable } from 'node:stream';
import type { VfsEnv } from '@sombra/vfs';
import { abortable } from '../base/abortable.ts';
import { backOffMs, pause } from '../base/pause.ts';
import { cut } from '../base/pieces.ts';

const BACK_OFF_MS = 100;
const BACK_OFF_MAX_MS = 10_000;

export interface Reading {
  readonly env: VfsEnv;
  readonly first: Readable;
  /** Position of its first byte: before `from` when the server ignores ranges. */
  readonly firstAt: number;
  readonly from: number;
  /** Behind the last byte. */
  readonly end: number;
  /** Opens the bytes from `at` on, or from before. */
  readonly reopen: (at: number) => Promise<{ stream: Readable; firstAt: number }>;
  /** Breaks without progress in between that are put up with. */
  readonly breaksMax: number;
  readonly signal: AbortSignal | undefined;
}

export class S3Body implements AsyncIterable<Uint8Array> {
  private readonly reading: Reading;
  private stream: Readable;
  private readonly bytes: AsyncGenerator<Uint8Array, void, undefined>;

  constructor(reading: Reading) {
    this.reading = reading;
    this.stream = reading.first;
    // Until somebody reads, nobody hears of an error.
    this.stream.on('error', () => undefined);
    this.bytes = this.read();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.bytes;
  }

  close(): void {
    this.stream.destroy();
  }

  private async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    const { env, from, end, reopen, breaksMax, signal } = this.reading;
    let [at, next, breaks] = [from, this.reading.firstAt, 0];
    try {
      for (;;) {
        try {
          for await (const chunk of abortable(this.stream as AsyncIterable<Uint8Array>, signal)) {
            const wanted = chunk.subarray(Math.max(0, at - next), Math.max(0, end - next));
            next += chunk.length;
            at += wanted.length;
            breaks = 0;
            yield* cut(wanted);
            // More than was asked for: some servers know no ranges.
            if (next > end) return;
          }
          if (at >= end) return;
          throw new Error(`the server ended after byte ${at} of ${end}`);
        } catch (error) {
          breaks += 1;
          if (signal?.aborted === true || at >= end || breaks > breaksMax) throw error;
          this.stream.destroy();
        }
        await pause(env, backOffMs(env, breaks, BACK_OFF_MS, BACK_OFF_MAX_MS), signal);
        const { stream, firstAt } = await reopen(at);
        this.stream = stream;
        next = firstAt;
      }
    } finally {
      this.stream.destroy();
    }
  }
}

/**
 * A stream that a command writes to. A failing write ends the command, not the process: what is open is closed
 * first. Nothing is written after a failure.
 */
import { fstatSync, writeSync } from 'node:fs';
import { IoError } from '@sombra/vfs';

/** The reader of stdout has closed it, as `head` does when it has read enough. */
export class ReaderGone extends Error {}

/** stdout or stderr. */
export class Output {
  readonly stream: NodeJS.WriteStream;
  private readonly name: string;
  /** Descriptor of a file: Node's own stream loses the rest when a disk takes only a part of a write. */
  private readonly file: number | undefined;
  private failure: Error | undefined;
  private pending = 0;
  private wake: (() => void) | undefined;

  /** @param name  for messages */
  constructor(stream: NodeJS.WriteStream, name: string) {
    this.stream = stream;
    this.name = name;
    this.file = fileOf(stream);
    stream.on('error', this.fail);
  }

  /** Writes text. A failure shows in `room` and `flush`. */
  write(text: string): void {
    if (this.failure !== undefined || text === '') return;
    if (this.file !== undefined) {
      try {
        const bytes = Buffer.from(text, 'utf8');
        for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at);
      } catch (error) {
        this.fail(error as Error);
      }
      return;
    }
    this.pending += 1;
    this.stream.write(text, (error) => {
      this.pending -= 1;
      if (error instanceof Error) this.fail(error);
      this.wake?.();
    });
  }

  /** Waits until there is room for more. @throws as `flush` */
  async room(): Promise<void> {
    while (this.failure === undefined && this.stream.writableNeedDrain && this.pending > 0) await this.settled();
    this.check();
  }

  /** Waits until everything is written. @throws ReaderGone; IoError SOMBRA_OUTPUT */
  async flush(): Promise<void> {
    while (this.failure === undefined && this.pending > 0) await this.settled();
    this.check();
  }

  /** Ends the listening. */
  release(): void {
    // A process stream stays watched: an error that comes late must not end the process either.
    if (this.stream !== process.stdout && this.stream !== process.stderr) this.stream.off('error', this.fail);
  }

  private settled(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  private readonly fail = (error: Error): void => {
    this.failure ??= error;
    this.wake?.();
  };

  private check(): void {
    const { failure } = this;
    if (failure === undefined) return;
    const { code } = failure as NodeJS.ErrnoException;
    if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') throw new ReaderGone(failure.message);
    throw new IoError(
      'SOMBRA_OUTPUT',
      `${this.name} cannot be written (${failure.message}): check where it goes, and free space there`,
      {
        details: { stream: this.name, errno: code },
        cause: failure,
      },
    );
  }
}

function fileOf(stream: NodeJS.WriteStream): number | undefined {
  const fd = (stream as { readonly fd?: unknown }).fd;
  if (typeof fd !== 'number' || stream.isTTY) return undefined;
  const stats = fstatSync(fd);
  return stats.isFile() || stats.isCharacterDevice() ? fd : undefined;
}

/** The progress of an import on stderr, when a person is watching. */
import { Presets, SingleBar } from 'cli-progress';
import type { Shell } from '../shell/shell.ts';
import { count } from '../shell/tables.ts';

const PHASES: Readonly<Record<string, string>> = Object.freeze({
  nodes: 'reading nodes',
  edges: 'reading edges',
  adjacency: 'building adjacency',
  indexes: 'building indexes',
  publish: 'writing',
});

/** A bar over the bytes of the files. */
export class ImportProgress {
  private readonly bar: SingleBar | undefined;
  private done = 0;
  private text = '';

  /** @param bytes  of all files */
  constructor(bytes: number, shell: Shell) {
    const stream = shell.progress;
    if (stream === undefined) return;
    this.bar = new SingleBar(
      { format: '{bar} {percentage}% {text}', stream, clearOnComplete: true, hideCursor: null, etaBuffer: 100 },
      Presets.shades_classic,
    );
    this.bar.start(bytes, 0, { text: '' });
  }

  /** So many more bytes of the files have been read. */
  read(bytes: number): void {
    this.done += bytes;
    this.bar?.update(this.done, { text: this.text });
  }

  /** The engine is at work on a phase. */
  phase(name: string, rows: number): void {
    this.text = `${PHASES[name] ?? name}${rows > 0 ? ` ${count(rows)}` : ''}`;
    this.bar?.update(this.done, { text: this.text });
  }

  stop(): void {
    this.bar?.stop();
  }
}

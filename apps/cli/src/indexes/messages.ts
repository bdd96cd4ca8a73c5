/** What the two threads of creating an index tell each other. */
import type { IndexPhase } from '@sombra/db';
import type { SentError } from '../errors/sent-error.ts';

/** The index to create. */
export interface IndexTask {
  readonly database: string;
  readonly on: 'node' | 'edge';
  /** Label or edge type. */
  readonly name: string;
  readonly keys: readonly string[];
  readonly unique: boolean;
  /** One word: 1 when the work is to be given up. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** From the thread that creates the index. */
export type IndexReport =
  | { readonly kind: 'progress'; readonly phase: IndexPhase; readonly rows: number }
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  /** `created`: false when there was this index already. */
  | { readonly kind: 'done'; readonly created: boolean; readonly entries: number }
  | { readonly kind: 'failed'; readonly error: SentError };

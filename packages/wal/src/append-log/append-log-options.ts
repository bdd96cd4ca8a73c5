/** Options of an append log: checked, with their defaults. */
import { DataError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { namesake } from '../segment/segment.ts';

/** When an appended record is durable: `full`: when `append` returns; `normal`: when `sync` has returned. */
export type AppendSyncMode = 'full' | 'normal';

/**
 * Events that an append log reports to an observer. Hooks must return quickly and must not call the log. What they throw,
 * or reject with, disturbs nothing here: it becomes the warning SOMBRA_HOOK_FAILED of the environment, with Node a warning of the process.
 */
export interface AppendLogHooks {
  /** A record is there, not yet synced as far as `append` and `appendAsync` do not say so. @param bytes  of its content */
  appended?(position: number, bytes: number): void;
  /** The record at this position and those before it survive a power loss from now on. */
  synced?(durable: number): void;
  /** The log goes on in file `segment`, with the record at this position. */
  rotated?(segment: number, position: number): void;
  /** Records were given up; the oldest one is now at this position. */
  truncated?(first: number): void;
  /** A sync failed: nothing is written any more until the log is opened again. */
  poisoned?(cause: unknown): void;
}

/** How an append log is opened. */
export interface AppendLogOptions {
  readonly vfs: Vfs;
  /**
   * Path that the names of its files begin with, for example `events`: `events-wal`, `events-1-wal`, `events-lock`. It does not end
   * with `-` and a number: those names belong to the files of another log.
   */
  readonly path: string;
  /** Bytes after which a new file begins, 4096 to 2^30. Default 16 MiB. A longer record makes its file longer. */
  readonly segmentSize?: number | undefined;
  /** Default full. */
  readonly syncMode?: AppendSyncMode | undefined;
  /** Keep the records before damage and drop those behind it, instead of refusing. Default false. */
  readonly toLastGood?: boolean | undefined;
  /** `none`: the caller guarantees that nothing else opens the log; for systems without file locks. Default file. */
  readonly locking?: 'file' | 'none' | undefined;
  readonly hooks?: AppendLogHooks | undefined;
}

/** Options with their defaults. */
export interface ResolvedAppendLogOptions {
  readonly vfs: Vfs;
  readonly path: string;
  readonly segmentSize: number;
  readonly syncMode: AppendSyncMode;
  readonly toLastGood: boolean;
  readonly locking: 'file' | 'none';
  readonly hooks: AppendLogHooks;
}

const KEYS = ['vfs', 'path', 'segmentSize', 'syncMode', 'toLastGood', 'locking', 'hooks'];
const HOOKS = ['appended', 'synced', 'rotated', 'truncated', 'poisoned'];
const SEGMENT_SIZE_MIN = 4096;
const SEGMENT_SIZE_MAX = 2 ** 30;
const SEGMENT_SIZE_DEFAULT = 16 * 1024 * 1024;

function refuse(field: string, value: unknown, allowed: string): never {
  throw new DataError('SOMBRA_CONFIG', `${field} is ${String(value)}; allowed: ${allowed}`, { details: { field } });
}

function oneOf<T>(field: string, value: T | undefined, allowed: readonly [T, ...T[]]): T {
  if (value === undefined) return allowed[0];
  if (!allowed.includes(value)) refuse(field, value, allowed.join(', '));
  return value;
}

/** @throws DataError SOMBRA_CONFIG, naming the field */
export function resolveAppendLogOptions(options: AppendLogOptions): ResolvedAppendLogOptions {
  for (const key of Object.keys(options)) if (!KEYS.includes(key)) refuse(key, 'given', KEYS.join(', '));
  const { vfs, path, segmentSize = SEGMENT_SIZE_DEFAULT } = options;
  if (typeof vfs !== 'object') refuse('vfs', vfs, 'a file system, for example new NodeVfs()');
  if (typeof path !== 'string' || path === '' || path.endsWith('/') || namesake(path) !== undefined) {
    refuse('path', path, 'the path that the names of the files begin with, not ending with - and a number as they do');
  }
  if (!Number.isInteger(segmentSize) || segmentSize < SEGMENT_SIZE_MIN || segmentSize > SEGMENT_SIZE_MAX) {
    refuse('segmentSize', segmentSize, `an integer of ${SEGMENT_SIZE_MIN} to ${SEGMENT_SIZE_MAX}`);
  }
  const { hooks = {} } = options;
  if (typeof hooks !== 'object' || hooks === null) refuse('hooks', hooks, 'an object of functions');
  for (const [name, hook] of Object.entries(hooks) as [string, unknown][]) {
    if (!HOOKS.includes(name)) refuse(`hooks.${name}`, 'given', HOOKS.join(', '));
    if (hook !== undefined && typeof hook !== 'function') refuse(`hooks.${name}`, hook, 'a function');
  }
  return {
    vfs,
    path,
    segmentSize,
    syncMode: oneOf('syncMode', options.syncMode, ['full', 'normal']),
    toLastGood: oneOf('toLastGood', options.toLastGood, [false, true]),
    locking: oneOf('locking', options.locking, ['file', 'none']),
    hooks,
  };
}

/**
 * A place whose objects are in a second place, too, a little later. Whoever writes waits for the first place only; a durable queue brings every
 * object to the second one, in the order in which they were written, so that it is at each moment what the first place was a little before. While the
 * second place cannot be reached, jobs wait in the file of the queue.
 *
 * A process may die between the object and its job: opening compares the two places and asks for what is missing.
 */
import { callHook, IoError, NodeVfs, StateError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkOptions } from '../base/check-options.ts';
import type {
  CallOptions,
  ConditionalWrites,
  GetOptions,
  ObjectBody,
  ObjectEntry,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  StoredObject,
  SweepOptions,
} from '../base/object-store.ts';
import { openJobQueue } from '../jobs/job-queue.ts';
import type { JobEvent, JobQueue, JobQueueStats } from '../jobs/job-queue.ts';
import type { JobContext, JobPayload } from '../jobs/job.ts';

export interface MirrorOptions {
  /** What the names of the queue's files begin with. */
  readonly jobs: string;
  /** Longest pause behind the first failure, ms; doubled with each further one. Default 1000. */
  readonly retryMs?: number | undefined;
  /** Longest pause of all, ms. Default five minutes. */
  readonly retryMaxMs?: number | undefined;
  readonly onEvent?: ((event: JobEvent) => void) | undefined;
  /** Where the queue's files are. Default the file system. */
  readonly vfs?: Vfs | undefined;
}

const OPTIONS = ['jobs', 'retryMs', 'retryMaxMs', 'onEvent', 'vfs'];
const COMPARE = 'compare';
const COPY = 'copy';
const DELETE = 'delete';

/**
 * Opens a mirror. Its first job is to compare the two places, and to ask for the objects that the second one lacks or has in another size. Objects
 * that only the second place has stay: they may be what somebody has deleted by mistake.
 * @param store  the first place; it is closed with the mirror
 * @param copy   the second place, likewise; it need not be reachable now
 * @throws as `openJobQueue`; then both places are closed
 */
export async function openMirror(
  store: ObjectStore,
  copy: ObjectStore,
  options: MirrorOptions,
): Promise<MirroredStore> {
  let jobs: JobQueue | undefined;
  try {
    checkOptions('openMirror', options, OPTIONS);
    const { jobs: path, ...rest } = options;
    const queue = (jobs = await openJobQueue(path, {
      ...rest,
      handlers: {
        [COMPARE]: async (_payload, { signal }) => {
          for (const key of await difference(store, copy, signal)) await queue.add(COPY, { key });
        },
        [COPY]: (payload, context) => bring(store, copy, keyOf(payload), context),
        [DELETE]: (payload, { signal }) => copy.delete(keyOf(payload), { signal }),
      },
    }));
    if (!queue.jobs().some(({ kind }) => kind === COMPARE)) await queue.add(COMPARE, null);
    const { vfs = new NodeVfs(), onEvent } = options;
    const tell = (event: JobEvent): void => callHook(vfs.env, store.location, () => onEvent?.(event));
    return new MirroredStore(store, copy, queue, tell);
  } catch (error) {
    await jobs?.close().catch(() => undefined); // the first error is the one that counts
    store.close();
    copy.close();
    throw error;
  }
}

/** See the top of the file. `openMirror` opens it; use it as any other place. */
export class MirroredStore implements ObjectStore {
  private readonly store: ObjectStore;
  private readonly copy: ObjectStore;
  private readonly jobs: JobQueue;
  private readonly tell: (event: JobEvent) => void;

  /** @internal */
  constructor(store: ObjectStore, copy: ObjectStore, jobs: JobQueue, tell: (event: JobEvent) => void) {
    this.tell = tell;
    this.store = store;
    this.copy = copy;
    this.jobs = jobs;
  }

  get location(): string {
    return this.store.location;
  }

  /** As that of the first place; and a job for the second one, which is durable when this is fulfilled. @throws as `JobQueue.add`, too: then the object is in the first place */
  async put(key: string, body: ObjectBody, options?: PutOptions): Promise<PutResult> {
    const result = await this.store.put(key, body, options);
    if (isMirrored(key)) await this.jobs.add(COPY, { key });
    return result;
  }

  /** As `put`. */
  async delete(key: string, options?: CallOptions): Promise<void> {
    await this.store.delete(key, options);
    if (isMirrored(key)) await this.jobs.add(DELETE, { key });
  }

  get(key: string, options?: GetOptions): Promise<StoredObject> {
    return this.store.get(key, options);
  }

  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.store.head(key, options);
  }

  list(prefix?: string, options?: CallOptions): AsyncIterable<ObjectEntry> {
    return this.store.list(prefix, options);
  }

  conditionalWrites(options?: CallOptions): Promise<ConditionalWrites> {
    return this.store.conditionalWrites(options);
  }

  /** Of both places. */
  async sweep(options?: SweepOptions): Promise<number> {
    return (await this.store.sweep(options)) + (await this.copy.sweep(options));
  }

  /** How many objects wait to be brought to the second place. */
  stats(): JobQueueStats {
    return this.jobs.stats();
  }

  /** Fulfilled when the second place has everything. @throws as `JobQueue.idle` */
  idle(): Promise<void> {
    return this.jobs.idle();
  }

  /** Ends the copying, which goes on when the mirror is opened again, and closes both places. @throws as `JobQueue.close` */
  async end(): Promise<void> {
    try {
      await this.jobs.close();
    } finally {
      this.store.close();
      this.copy.close();
    }
  }

  /** Begins `end`; for callers that know a plain place. What fails then is an event. */
  close(): void {
    this.end().catch((error: unknown) => this.tell({ event: 'ended', error }));
  }
}

/** Locks say who writes to a place now, and are of that place alone. */
function isMirrored(key: string): boolean {
  return !key.endsWith('.lock');
}

/** Brings an object over. One that is gone meanwhile has a later job that deletes it. */
async function bring(store: ObjectStore, copy: ObjectStore, key: string, { signal }: JobContext): Promise<void> {
  let object: StoredObject;
  try {
    object = await store.get(key, { signal });
  } catch (error) {
    if (error instanceof StateError && error.code === 'SOMBRA_OBJECT_MISSING') return;
    throw error;
  }
  try {
    const { size } = await copy.put(key, object.body, { signal });
    if (size !== object.size)
      throw new IoError(
        'SOMBRA_STORE_FAILED',
        `${key} has ${object.size} bytes in ${store.location}, and ${size} arrived in ${copy.location}`,
      );
  } finally {
    object.close();
  }
}

/** Keys that the copy lacks, or has in another size, in the order in which they were written. */
async function difference(store: ObjectStore, copy: ObjectStore, signal: AbortSignal | undefined): Promise<string[]> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of copy.list('', { signal })) sizes.set(key, size);
  const lacking: ObjectEntry[] = [];
  for await (const entry of store.list('', { signal }))
    if (isMirrored(entry.key) && sizes.get(entry.key) !== entry.size) lacking.push(entry);
  return lacking.sort((a, b) => a.modifiedMs - b.modifiedMs).map(({ key }) => key);
}

function keyOf(payload: JobPayload): string {
  return (payload as { readonly key: string }).key;
}

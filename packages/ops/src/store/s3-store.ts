/**
 * Objects in S3, or in a server that speaks its protocol. S3 itself shows an object whole or not at all, and answers a put when it is durable.
 *
 * A put whose answer got lost is sent again, and its own condition then refuses it. So every object carries a random mark: who is refused
 * looks whether the object is the own one.
 */
import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { toHex } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import { throwIfAborted } from '../base/abort.ts';
import { checkCount, checkOptions, checkPutOptions, checkRange } from '../base/check-options.ts';
import { checkKey, checkPrefix, isKey, OWN_FOLDER } from '../base/keys.ts';
import { conditionUnenforced, objectChanged, objectExists, objectMissing } from '../base/object-errors.ts';
import type {
  ByteRange,
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
import { s3Client } from './s3-client.ts';
import { Conditions, isRefusal } from './s3-conditions.ts';
import type { Condition, ConditionHeaders } from './s3-conditions.ts';
import { failureOf, s3Error } from './s3-errors.ts';
import { parseS3Url } from './s3-location.ts';
import type { S3Location } from './s3-location.ts';
import { checkS3Options, DEFAULTS } from './s3-options.ts';
import type { S3Options } from './s3-options.ts';
import { S3Body } from './s3-read.ts';
import { loadSdk } from './s3-sdk.ts';
import type { S3Sdk, UploadSdk } from './s3-sdk.ts';
import { SourceFailure, upload } from './s3-upload.ts';
import type { UnenforcedConditions } from './unenforced.ts';

const DAY_MS = 86_400_000;
const MARK = 'sombra-put';
const MARK_BYTES = 16;

/** @throws DataError SOMBRA_STORE_URL, SOMBRA_OPTION; StateError SOMBRA_STORE_DRIVER */
export async function openS3Store(
  url: string,
  env: VfsEnv,
  unenforced: UnenforcedConditions,
  options: S3Options,
): Promise<ObjectStore> {
  const location = parseS3Url(url);
  checkS3Options(options);
  return new S3Store(await loadSdk(), env, unenforced, location, options);
}

class S3Store implements ObjectStore {
  readonly location: string;
  private readonly sdk: S3Sdk & UploadSdk;
  private readonly env: VfsEnv;
  private readonly unenforced: UnenforcedConditions;
  private readonly options: S3Options;
  private readonly bucket: string;
  private readonly prefix: string;
  private readonly client: S3Client;
  private readonly conditions: Conditions;
  private readonly context: { bucket: string; server: string; location: string };
  private hasBucket = false;

  constructor(
    sdk: S3Sdk & UploadSdk,
    env: VfsEnv,
    unenforced: UnenforcedConditions,
    { bucket, prefix }: S3Location,
    options: S3Options,
  ) {
    this.sdk = sdk;
    this.env = env;
    this.unenforced = unenforced;
    this.options = options;
    this.bucket = bucket;
    this.prefix = prefix;
    this.location = `s3://${bucket}/${prefix}`.replace(/\/$/, '');
    const server = options.endpoint === undefined ? 'Amazon S3' : new URL(options.endpoint).host;
    this.context = { bucket, server, location: this.location };
    this.client = s3Client(sdk, options);
    this.conditions = new Conditions(sdk, this.client, { Bucket: bucket, Key: `${prefix}${OWN_FOLDER}/probe` });
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key);
    checkPutOptions(options);
    const { ifAbsent, ifUnchanged, signal } = options;
    throwIfAborted(signal);
    const condition = ifAbsent === true ? 'ifAbsent' : ifUnchanged === undefined ? undefined : 'ifUnchanged';
    if (condition === undefined) return this.send(key, body, {}, signal);
    const isEnforced = await this.isEnforced(condition);
    // At once, so that nothing large is sent in vain; with an enforced condition the server looks again when it counts.
    const now = await this.head(key, { signal });
    if (ifAbsent === true && now !== undefined) throw objectExists(this.location, key);
    if (ifUnchanged !== undefined && now?.etag !== ifUnchanged) throw objectChanged(this.location, key);
    if (!isEnforced) return this.send(key, body, {}, signal);
    return this.send(key, body, ifUnchanged === undefined ? { IfNoneMatch: '*' } : { IfMatch: ifUnchanged }, signal);
  }

  /** @returns false: it is not, and races are accepted @throws StateError SOMBRA_CONDITION_UNENFORCED */
  private async isEnforced(condition: Condition): Promise<boolean> {
    if (await this.try(`trying out ${condition} in ${this.location}`, () => this.conditions.areEnforced(condition)))
      return true;
    if (this.unenforced === 'refuse')
      throw conditionUnenforced(this.location, condition, `${this.context.server} ignores the header for it`);
    return false;
  }

  private async send(
    key: string,
    body: ObjectBody,
    headers: ConditionHeaders,
    signal: AbortSignal | undefined,
  ): Promise<PutResult> {
    const { storageClass, partSize = DEFAULTS.partSize } = this.options;
    const mark = toHex(this.env.random(MARK_BYTES));
    const params = {
      ...this.target(key),
      ...headers,
      Metadata: { [MARK]: mark },
      ...(storageClass === undefined ? {} : { StorageClass: storageClass as never }),
    };
    const sent = { size: 0 };
    try {
      const etag = await upload({ sdk: this.sdk, client: this.client, partSize, params }, body, sent, signal);
      return { etag, size: sent.size };
    } catch (error) {
      if (error instanceof SourceFailure) throw error.cause;
      const isRefused = (headers.IfMatch ?? headers.IfNoneMatch) !== undefined && isRefusal(error, headers);
      if (isRefused || failureOf(error).name === 'NoSuchUpload') {
        const etag = await this.etagOfMark(key, mark);
        if (etag !== undefined) return { etag, size: sent.size };
      }
      if (!isRefused) throw s3Error(error, `writing ${key} of ${this.location}`, this.context, signal);
      throw headers.IfMatch === undefined ? objectExists(this.location, key) : objectChanged(this.location, key);
    }
  }

  /** Etag of the object when it is the one that was marked so: the answer to a put got lost, and it was sent again. */
  private async etagOfMark(key: string, mark: string): Promise<string | undefined> {
    try {
      const { Metadata, ETag } = await this.client.send(new this.sdk.HeadObjectCommand(this.target(key)));
      return Metadata?.[MARK] === mark ? (ETag ?? '') : undefined;
    } catch (error) {
      if (failureOf(error).status === 404) return undefined;
      throw s3Error(error, `looking at ${key} of ${this.location}`, this.context);
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject> {
    checkKey(key);
    checkOptions('get', options, ['range', 'signal']);
    const { range = { offset: 0 }, signal } = options;
    checkRange(range);
    throwIfAborted(signal);
    const answer = range.length === 0 ? undefined : await this.request(key, range, undefined, signal);
    if (answer === undefined) return this.nothingOf(key, signal);
    const { firstAt, size } = placeOf(answer);
    const info = { key, size, etag: answer.ETag ?? '', modifiedMs: answer.LastModified?.getTime() ?? 0 };
    const end = Math.min(size, range.offset + (range.length ?? size));
    const body = new S3Body({
      env: this.env,
      first: answer.Body as Readable,
      firstAt,
      from: range.offset,
      end,
      reopen: (at) => this.reopen(key, { offset: at, length: end - at }, info.etag, signal),
      breaksMax: this.options.maxAttempts ?? DEFAULTS.maxAttempts,
      signal,
    });
    return { ...info, body: this.typed(body, `reading ${key} of ${this.location}`, signal), close: () => body.close() };
  }

  /** An object of which nothing is to be read: the range lies behind its end. */
  private async nothingOf(key: string, signal: AbortSignal | undefined): Promise<StoredObject> {
    const info = await this.head(key, { signal });
    if (info === undefined) throw objectMissing(this.location, key);
    return { ...info, body: none(), close: () => undefined };
  }

  private async reopen(
    key: string,
    range: ByteRange,
    etag: string,
    signal: AbortSignal | undefined,
  ): Promise<{ stream: Readable; firstAt: number }> {
    const answer = await this.request(key, range, etag, signal);
    if (answer === undefined) throw objectChanged(this.location, key);
    return { stream: answer.Body as Readable, firstAt: placeOf(answer).firstAt };
  }

  /** @param etag  that the object must still have @returns undefined when the range lies behind the end */
  private async request(
    key: string,
    { offset, length }: ByteRange,
    etag: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<GetObjectCommandOutput | undefined> {
    const last = length === undefined ? Infinity : offset + length - 1;
    const range = `bytes=${offset}-${Number.isSafeInteger(last) ? last : ''}`;
    const command = new this.sdk.GetObjectCommand({
      ...this.target(key),
      ...(range === 'bytes=0-' ? {} : { Range: range }),
      ...(etag === undefined ? {} : { IfMatch: etag }),
    });
    try {
      return await this.client.send(command, { ...(signal === undefined ? {} : { abortSignal: signal }) });
    } catch (error) {
      const { status, name } = failureOf(error);
      if (status === 416) return undefined;
      if (status === 412) throw objectChanged(this.location, key);
      if (status === 404 && name !== 'NoSuchBucket')
        throw etag === undefined ? objectMissing(this.location, key) : objectChanged(this.location, key);
      throw s3Error(error, `reading ${key} of ${this.location}`, this.context, signal);
    }
  }

  private async *typed(
    body: S3Body,
    what: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* body;
    } catch (error) {
      throw s3Error(error, what, this.context, signal);
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key);
    checkOptions('head', options, ['signal']);
    const { signal } = options;
    throwIfAborted(signal);
    try {
      const answer = await this.client.send(new this.sdk.HeadObjectCommand(this.target(key)), abortBy(signal));
      const { ContentLength = 0, ETag = '', LastModified } = answer;
      return { key, size: ContentLength, etag: ETag, modifiedMs: LastModified?.getTime() ?? 0 };
    } catch (error) {
      if (failureOf(error).status !== 404)
        throw s3Error(error, `looking at ${key} of ${this.location}`, this.context, signal);
    }
    await this.checkBucket(signal);
    return undefined;
  }

  /** The answer to HEAD has no text that tells a missing object from a missing bucket. */
  private async checkBucket(signal: AbortSignal | undefined): Promise<void> {
    if (this.hasBucket) return;
    try {
      await this.client.send(new this.sdk.HeadBucketCommand({ Bucket: this.bucket }), abortBy(signal));
    } catch (error) {
      const { status } = failureOf(error);
      const known =
        status === 404
          ? Object.assign(new Error('no bucket'), { Code: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } })
          : error;
      // Who may not look at the bucket knows at least that it is there.
      if (status !== 403) throw s3Error(known, `looking at ${this.location}`, this.context, signal);
    }
    this.hasBucket = true;
  }

  async *list(prefix = '', options: CallOptions = {}): AsyncGenerator<ObjectEntry, void, undefined> {
    checkPrefix(prefix);
    checkOptions('list', options, ['signal']);
    const { signal } = options;
    let token: string | undefined;
    do {
      throwIfAborted(signal);
      const page = await this.page(`${this.prefix}${prefix}`, token, signal);
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        throwIfAborted(signal);
        const key = Key.slice(this.prefix.length);
        // What other programs keep there under names that are no keys, such as folders, is not ours.
        if (isKey(key)) yield { key, size: Size, modifiedMs: LastModified?.getTime() ?? 0 };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  private page(prefix: string, token: string | undefined, signal: AbortSignal | undefined) {
    const command = new this.sdk.ListObjectsV2Command({
      Bucket: this.bucket,
      Prefix: prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    return this.try(`listing ${this.location}`, () => this.client.send(command, abortBy(signal)), signal);
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    checkKey(key);
    checkOptions('delete', options, ['signal']);
    const { signal } = options;
    throwIfAborted(signal);
    const command = new this.sdk.DeleteObjectCommand(this.target(key));
    try {
      await this.client.send(command, abortBy(signal));
    } catch (error) {
      const { status, name } = failureOf(error);
      if (status !== 404 || name === 'NoSuchBucket')
        throw s3Error(error, `deleting ${key} of ${this.location}`, this.context, signal);
    }
  }

  async conditionalWrites(options: CallOptions = {}): Promise<ConditionalWrites> {
    checkOptions('conditionalWrites', options, ['signal']);
    throwIfAborted(options.signal);
    const enforced = (condition: Condition): Promise<boolean> =>
      this.try(
        `trying out ${condition} in ${this.location}`,
        () => this.conditions.areEnforced(condition),
        options.signal,
      );
    return { ifAbsent: await enforced('ifAbsent'), ifUnchanged: await enforced('ifUnchanged') };
  }

  async sweep(options: SweepOptions = {}): Promise<number> {
    checkOptions('sweep', options, ['olderThanMs', 'signal']);
    const { olderThanMs = DAY_MS, signal } = options;
    checkCount('olderThanMs', olderThanMs, 0);
    throwIfAborted(signal);
    const now = this.env.wallTimeMs();
    const deadSinceMs = now - olderThanMs;
    let swept = 0;
    for await (const { Key, UploadId, Initiated } of this.unfinished(signal)) {
      if ((Initiated?.getTime() ?? Infinity) > deadSinceMs) continue;
      const command = new this.sdk.AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId });
      await this.try(`giving up an unfinished upload in ${this.location}`, () => this.client.send(command), signal);
      swept += 1;
    }
    return swept;
  }

  /** Uploads in parts that nobody has completed. */
  private async *unfinished(signal: AbortSignal | undefined) {
    let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    while (from !== undefined) {
      throwIfAborted(signal);
      const command: InstanceType<S3Sdk['ListMultipartUploadsCommand']> = new this.sdk.ListMultipartUploadsCommand({
        Bucket: this.bucket,
        Prefix: this.prefix,
        ...from,
      });
      const page = await this.try(`listing ${this.location}`, () => this.client.send(command, abortBy(signal)), signal);
      yield* page.Uploads ?? [];
      from =
        page.IsTruncated === true
          ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
          : undefined;
    }
  }

  close(): void {
    this.client.destroy();
  }

  private target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: `${this.prefix}${key}` };
  }

  private async try<T>(what: string, request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw s3Error(error, what, this.context, signal);
    }
  }
}

/** Which bytes an answer brings. */
function placeOf({ ContentRange, ContentLength }: GetObjectCommandOutput): { firstAt: number; size: number } {
  const [, first = '0', size = ContentLength] = /^bytes (\d+)-\d+\/(\d+)$/.exec(ContentRange ?? '') ?? [];
  return { firstAt: Number(first), size: Number(size) };
}

function abortBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

async function* none(): AsyncGenerator<Uint8Array, void, undefined> {
  // No bytes.
}

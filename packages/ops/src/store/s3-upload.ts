/** Sending an object: small ones in one request, others in parts, of which two are in memory and on their way at once. */
import { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { throwIfAborted } from '../base/abort.ts';
import { abortable } from '../base/abortable.ts';
import type { ObjectBody } from '../base/object-store.ts';
import { pieces } from '../base/pieces.ts';
import type { UploadSdk } from './s3-sdk.ts';

const PARTS_AT_ONCE = 2;

/** What an upload needs beside the bytes. */
export interface UploadTarget {
  readonly sdk: UploadSdk;
  readonly client: S3Client;
  readonly partSize: number;
  readonly params: Omit<PutObjectCommandInput, 'Body'>;
}

/** Counts bytes that the body has given. */
export interface Sent {
  size: number;
}

/** Something that the body threw, and not S3. */
export class SourceFailure extends Error {
  constructor(cause: unknown) {
    super('the body of the object threw', { cause });
  }
}

/**
 * Sends the body. After a failure or the signal what had been sent is given up before the promise rejects.
 * @returns the etag
 * @throws SourceFailure; StateError SOMBRA_ABORTED; what the SDK throws
 */
export async function upload(
  { sdk, client, partSize, params }: UploadTarget,
  body: ObjectBody,
  sent: Sent,
  signal: AbortSignal | undefined,
): Promise<string> {
  let failure: SourceFailure | undefined;
  async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const piece of abortable(pieces(body), signal)) {
        sent.size += piece.length;
        // The SDK keeps pieces until a part is full, and whoever gives them may use the memory again.
        yield piece.slice();
      }
    } catch (error) {
      failure = new SourceFailure(error);
      throw failure;
    }
  }
  const sending = new sdk.Upload({
    client,
    params: { ...params, Body: Readable.from(source(), { objectMode: false, highWaterMark: 1 }) },
    partSize,
    queueSize: PARTS_AT_ONCE,
  });
  try {
    return (await sending.done()).ETag ?? '';
  } catch (error) {
    throwIfAborted(signal);
    // Giving up the parts may have failed as well: what came first is what the caller has to know.
    throw failure ?? error;
  }
}

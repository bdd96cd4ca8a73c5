/**
 * Does the server enforce conditions? Some take the headers and ignore them, some do so for objects in parts only. So it is tried out, on one
 * object in the folder of the store that stays there: an enforced condition refuses, and nothing is written.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { failureOf } from './s3-errors.ts';
import type { S3Sdk } from './s3-sdk.ts';

export type Condition = 'ifAbsent' | 'ifUnchanged';

/** Headers of a condition. */
export interface ConditionHeaders {
  readonly IfNoneMatch?: string;
  readonly IfMatch?: string;
}

/** An etag that no object has. */
const NO_ETAG = '"00000000000000000000000000000000"';
const PROBES: Readonly<Record<Condition, ConditionHeaders>> = {
  ifAbsent: { IfNoneMatch: '*' },
  ifUnchanged: { IfMatch: NO_ETAG },
};
/** Answers of servers that know the header, and do not do it. */
const UNSUPPORTED = new Set(['NotImplemented', 'MethodNotAllowed', 'InvalidArgument', 'InvalidRequest']);

/** Was a write refused because its condition did not hold? */
export function isRefusal(error: unknown, headers: ConditionHeaders): boolean {
  const { status, name } = failureOf(error);
  // 409: another writer was at it, and won. 404: there is no object whose etag could match.
  return (
    status === 412 ||
    status === 409 ||
    (headers.IfMatch !== undefined && status === 404 && name !== 'NoSuchBucket' && name !== 'NoSuchUpload')
  );
}

export class Conditions {
  private readonly sdk: S3Sdk;
  private readonly client: S3Client;
  private readonly target: { readonly Bucket: string; readonly Key: string };
  private readonly known = new Map<Condition, Promise<boolean>>();

  /** @param target  the object to try it on */
  constructor(sdk: S3Sdk, client: S3Client, target: { Bucket: string; Key: string }) {
    this.sdk = sdk;
    this.client = client;
    this.target = target;
  }

  /** Tried once; a failure of the network is no answer, and the next call tries again. */
  areEnforced(condition: Condition): Promise<boolean> {
    let answer = this.known.get(condition);
    if (answer === undefined) {
      answer = this.probe(PROBES[condition]);
      this.known.set(condition, answer);
      answer.catch(() => this.known.delete(condition));
    }
    return answer;
  }

  private async probe(headers: ConditionHeaders): Promise<boolean> {
    return (
      (await this.refuses(headers, () => this.put(headers))) &&
      (await this.refuses(headers, () => this.putInParts(headers)))
    );
  }

  private async refuses(headers: ConditionHeaders, write: () => Promise<void>): Promise<boolean> {
    // The first write may find no object to spare.
    for (const left of headers.IfMatch === undefined ? [1, 0] : [0]) {
      try {
        await write();
        if (left === 0) return false;
      } catch (error) {
        if (isRefusal(error, headers)) return true;
        if (UNSUPPORTED.has(failureOf(error).name) || failureOf(error).status === 501) return false;
        throw error;
      }
    }
    return false;
  }

  private async put(headers: ConditionHeaders): Promise<void> {
    await this.client.send(new this.sdk.PutObjectCommand({ ...this.target, ...headers, Body: Uint8Array.of(1) }));
  }

  private async putInParts(headers: ConditionHeaders): Promise<void> {
    const { sdk, client, target } = this;
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(target));
    try {
      const part = await client.send(
        new sdk.UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: Uint8Array.of(1) }),
      );
      const { ETag, ChecksumCRC32 } = part;
      const parts = [{ PartNumber: 1, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) }];
      await client.send(
        new sdk.CompleteMultipartUploadCommand({ ...target, ...headers, UploadId, MultipartUpload: { Parts: parts } }),
      );
    } catch (error) {
      await this.giveUp(UploadId);
      throw error;
    }
  }

  private async giveUp(UploadId: string | undefined): Promise<void> {
    try {
      await this.client.send(new this.sdk.AbortMultipartUploadCommand({ ...this.target, UploadId }));
    } catch (error) {
      // Gone already, or to be removed by a sweep: the answer to the probe counts.
      if (failureOf(error).status === 0) throw error;
    }
  }
}

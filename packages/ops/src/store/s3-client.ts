import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Sdk } from './s3-sdk.ts';
import { DEFAULTS } from './s3-options.ts';
import type { S3Options } from './s3-options.ts';

const CONNECT_MAX_MS = 10_000;

/** A client that retries what may pass, with random pauses that double (the SDK's standard mode), and gives up what hangs. */
export function s3Client(sdk: S3Sdk, options: S3Options): S3Client {
  const { endpoint, region, forcePathStyle = endpoint !== undefined, checksums = 'when-supported' } = options;
  const { maxAttempts = DEFAULTS.maxAttempts, timeoutMs = DEFAULTS.timeoutMs } = options;
  const whenever = checksums === 'when-supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  return new sdk.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle,
    maxAttempts,
    retryMode: 'standard',
    requestChecksumCalculation: whenever,
    responseChecksumValidation: whenever,
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_MAX_MS, timeoutMs),
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
    },
  });
}

import { DataError } from '@sombra/vfs';
import { checkCount, checkOptions } from '../base/check-options.ts';

/** How S3 is reached. Credentials are found by the SDK: environment, shared files, roles. */
export interface S3Options {
  /** URL of a server that is not Amazon's. */
  readonly endpoint?: string | undefined;
  /** Default that of the environment (AWS_REGION) or of the shared configuration. */
  readonly region?: string | undefined;
  /** Name the bucket in the path and not in the host. Default true with `endpoint`, else false. */
  readonly forcePathStyle?: boolean | undefined;
  /** Of new objects, for example STANDARD_IA. Default that of the bucket. */
  readonly storageClass?: string | undefined;
  /** Tries of a request that fails for reasons that may pass, the first included, with growing random pauses. Default 5. */
  readonly maxAttempts?: number | undefined;
  /**
   * Objects that are larger are sent in parts of this size, at most 10,000 of them, two at once; bytes, at least 5 MiB. Default 16 MiB: up to
   * 156 GiB for each object, and some 80 MiB of memory.
   */
  readonly partSize?: number | undefined;
  /** A request that hears nothing for so long has failed, ms. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** Checksums (CRC-32) of requests and answers: wherever the SDK can, or only where S3 demands them, for servers that do not know them. Default when-supported. */
  readonly checksums?: 'when-supported' | 'when-required' | undefined;
}

export const PART_MIN = 5 << 20;
export const DEFAULTS = { maxAttempts: 5, partSize: 16 << 20, timeoutMs: 60_000 } as const;

const KNOWN = [
  'endpoint',
  'region',
  'forcePathStyle',
  'storageClass',
  'maxAttempts',
  'partSize',
  'timeoutMs',
  'checksums',
];

/** @throws DataError SOMBRA_OPTION */
export function checkS3Options(options: S3Options): void {
  checkOptions('s3', options, KNOWN);
  checkCount('maxAttempts', options.maxAttempts, 1);
  checkCount('partSize', options.partSize, PART_MIN);
  checkCount('timeoutMs', options.timeoutMs, 1);
  const { checksums, endpoint, forcePathStyle } = options;
  if (checksums !== undefined && checksums !== 'when-supported' && checksums !== 'when-required')
    throw invalid("checksums is 'when-supported' or 'when-required'");
  if (forcePathStyle !== undefined && typeof forcePathStyle !== 'boolean')
    throw invalid('forcePathStyle is true or false');
  if (endpoint !== undefined) checkEndpoint(endpoint);
}

/** Messages do not show it: it may hold a password. */
function checkEndpoint(endpoint: string): void {
  if (!URL.canParse(endpoint)) throw invalid('endpoint is a URL, for example https://s3.example.com');
  const { protocol, username, password } = new URL(endpoint);
  if (protocol !== 'https:' && protocol !== 'http:') throw invalid('endpoint is a URL of http or https');
  if (username !== '' || password !== '')
    throw invalid('endpoint has no user and password: give credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
}

function invalid(message: string): DataError {
  return new DataError('SOMBRA_OPTION', message);
}

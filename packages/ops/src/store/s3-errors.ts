/**
 * What the SDK throws, as typed errors that say what to do. Of the SDK's errors only class, message and numbers are kept: they refer to the
 * request, whose headers hold a signature and perhaps a token.
 */
import { IoError, SombraError } from '@sombra/vfs';
import { aborted } from '../base/abort.ts';

/** What is known of a failed request. */
export interface S3Failure {
  /** Class of the error, or the code of S3. */
  readonly name: string;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  readonly message: string;
}

export function failureOf(error: unknown): S3Failure {
  const { name, message, code, Code, $metadata } = error as Record<string, unknown> & {
    $metadata?: { httpStatusCode?: number };
  };
  const known = [Code, name, code].find((each) => typeof each === 'string' && each !== '' && each !== 'Error');
  return {
    name: typeof known === 'string' ? known : 'Error',
    status: $metadata?.httpStatusCode ?? 0,
    message: typeof message === 'string' ? message : String(error),
  };
}

const CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError']);
const REGION = new Set(['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException']);

/** Where something failed, for messages. */
export interface S3Context {
  readonly bucket: string;
  /** As the messages call it: the endpoint, without anything secret. */
  readonly server: string;
  readonly location: string;
}

/**
 * The error of a failed request.
 * @param what  was tried, for example "reading a of s3://b/c"
 */
export function s3Error(
  error: unknown,
  what: string,
  { bucket, server, location }: S3Context,
  signal?: AbortSignal,
): SombraError {
  if (error instanceof SombraError) return error;
  if (signal?.aborted === true) return aborted(signal);
  const failure = failureOf(error);
  const { code, advice } = classify(failure, bucket, server);
  const status = failure.status === 0 ? '' : ` (HTTP ${failure.status})`;
  return new IoError(code, `${what} failed with ${failure.name}${status}: ${advice}`, {
    cause: plain(failure),
    details: { location, name: failure.name, status: failure.status },
  });
}

function plain({ name, message }: S3Failure): Error {
  return Object.assign(new Error(message), { name });
}

function classify(
  { name, status, message }: S3Failure,
  bucket: string,
  server: string,
): { code: string; advice: string } {
  if (name === 'NoSuchBucket')
    return {
      code: 'SOMBRA_STORE_MISSING',
      advice: `there is no bucket ${bucket} at ${server}: create it, or correct the name`,
    };
  if (CREDENTIALS.has(name))
    return {
      code: 'SOMBRA_PERMISSION',
      advice:
        'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role',
    };
  if (REGION.has(name) || status === 301 || status === 307)
    return {
      code: 'SOMBRA_STORE_FAILED',
      advice: `the bucket ${bucket} lies in another region: set the option region, or AWS_REGION`,
    };
  if (status === 401 || status === 403)
    return {
      code: 'SOMBRA_PERMISSION',
      advice: `these credentials may not do that in the bucket ${bucket}: check key, clock and policy (s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket, s3:AbortMultipartUpload)`,
    };
  if (status === 507 || /StorageFull|QuotaExceeded/.test(name))
    return { code: 'SOMBRA_DISK_FULL', advice: 'the server has no room left: free space there, then try again' };
  if (/checksum mismatch/i.test(message))
    return { code: 'SOMBRA_STORE_FAILED', advice: 'what arrived is not what was stored: read it again' };
  if (status === 0 && /region is missing/i.test(message))
    return { code: 'SOMBRA_STORE_FAILED', advice: 'no region is known: set the option region, or AWS_REGION' };
  if (status === 0 || status === 429 || status >= 500)
    return {
      code: 'SOMBRA_STORE_UNREACHABLE',
      advice: `${server} did not answer as it should, after several tries: check the network and the server, then try again`,
    };
  return { code: 'SOMBRA_STORE_FAILED', advice: `${server} refused it: see the cause, and check the options of S3` };
}

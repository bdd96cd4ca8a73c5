import { DataError } from '@sombra/vfs';
import { isKey } from '../base/keys.ts';

export interface S3Location {
  readonly bucket: string;
  /** Before every key: empty, or with `/` at its end. */
  readonly prefix: string;
}

/** What Amazon and others take as the name of a bucket, older ones included. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
/** Longest prefix: with the longest key it must fit into the 1024 bytes of S3. */
const PREFIX_MAX = 200;

/** @throws DataError SOMBRA_STORE_URL; its message does not show what may be a password */
export function parseS3Url(url: string): S3Location {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(url) ?? [];
  if (bucket.includes('@'))
    throw invalid('it holds credentials: give them by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a profile');
  if (!BUCKET.test(bucket)) throw invalid('the name of the bucket is missing or invalid');
  if (/[?#]/.test(path)) throw invalid('its prefix has a ? or #: options are given beside it');
  const prefix = path.replace(/\/+$/, '');
  if (prefix !== '' && (!isKey(prefix) || Buffer.byteLength(prefix) > PREFIX_MAX))
    throw invalid(`its prefix is not like the key of an object of at most ${PREFIX_MAX} bytes`);
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` };
}

function invalid(problem: string): DataError {
  return new DataError('SOMBRA_STORE_URL', `a location in S3 is s3://bucket or s3://bucket/prefix: ${problem}`);
}

// Goal: uploads in parts that a writer left behind are given up by a sweep, younger ones and those of other prefixes are not. Method: unfinished uploads on
// moto, which lists them, and says of each that it began in 2010.
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openObjectStore } from '../src/index.ts';
import { hasMoto, startMoto } from './support/moto.ts';
import { BUCKET, CREDENTIALS } from './support/s3rver.ts';

const CENTURY_MS = 100 * 365 * 86_400_000;

test.runIf(hasMoto())('a sweep gives up what is old enough, below its prefix', async () => {
  for (const [variable, value] of Object.entries(CREDENTIALS)) vi.stubEnv(variable, value);
  const { endpoint, close } = await startMoto();
  onTestFinished(close);
  const client = new S3Client({ endpoint, forcePathStyle: true });
  onTestFinished(() => client.destroy());
  const store = await openObjectStore(`s3://${BUCKET}/swept`, { s3: { endpoint } });
  onTestFinished(() => store.close());
  for (const Key of ['swept/a', 'swept/b/c', 'other/a'])
    await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  const left = async (): Promise<(string | undefined)[]> => {
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: '' }));
    return (Uploads ?? []).map(({ Key }) => Key).sort();
  };
  const all = await left();
  expect(await store.sweep({ olderThanMs: CENTURY_MS })).toBe(0);
  expect(await left()).toEqual(all);
  const swept = await store.sweep();
  expect([swept, await left()]).toEqual([2, ['other/a']]);
});

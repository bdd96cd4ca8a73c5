// A server that speaks the protocol of S3, over HTTP, with one bucket. It knows no conditions: it takes their headers and writes all the same.
import type { AddressInfo, Server } from 'node:net';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The part that is used; the package has no types. */
interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
  readonly httpServer?: Server;
}
const Rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => S3rver;

export const BUCKET = 'backups';
/** What the server takes as credentials. */
export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER', AWS_REGION: 'us-east-1' };

export interface RunningServer {
  /** URL */
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function startS3rver(): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'sombra-s3rver-'));
  const server = new Rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    vhostBuckets: false,
    // It signs lists with a prefix in its own way.
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: BUCKET }],
  });
  const { port } = await server.run();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

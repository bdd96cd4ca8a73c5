// moto, a server in Python that speaks the protocol of S3 more exactly than s3rver, and enforces ifAbsent. Where it is not installed the tests that need
// it are left out, and say so.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { BUCKET } from './s3rver.ts';
import type { RunningServer } from './s3rver.ts';

export function hasMoto(): boolean {
  if (spawnSync('sh', ['-c', 'command -v moto_server']).status === 0) return true;
  process.stderr.write("left out: tests with moto, because it is not installed (pip install 'moto[server]')\n");
  return false;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function startMoto(): Promise<RunningServer> {
  const port = await freePort();
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const closed = once(child, 'close');
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
  for (let left = 300; ; left -= 1) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
      break;
    } catch (error) {
      if (left === 0 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  client.destroy();
  return {
    endpoint,
    close: async () => {
      child.kill();
      await closed;
    },
  };
}

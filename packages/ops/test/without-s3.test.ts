// Goal: who does not use S3 needs no package for it, and who wants to is told which. Method: the sources are bundled into a folder from which Node finds
// @sombra/vfs, but not the packages of S3.
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { folder } from './support/folder.ts';

const PROGRAM = `
import { openObjectStore } from './ops.js';
const store = await openObjectStore('place');
await store.put('a', new Uint8Array(3));
const error = await openObjectStore('s3://bucket/prefix').catch((each) => each);
console.log(JSON.stringify([(await store.head('a')).size, error.code, error.message]));
`;

test('a directory works, and S3 names the packages to install', async () => {
  const alone = folder();
  await build({
    entryPoints: { ops: fileURLToPath(new URL('../src/index.ts', import.meta.url)) },
    outdir: alone,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['@sombra/vfs', '@aws-sdk/*'],
    logLevel: 'error',
  });
  const vfs = dirname(fileURLToPath(new URL('../../vfs/package.json', import.meta.url)));
  mkdirSync(join(alone, 'node_modules', '@sombra'), { recursive: true });
  symlinkSync(vfs, join(alone, 'node_modules', '@sombra', 'vfs'));
  writeFileSync(join(alone, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(alone, 'program.js'), PROGRAM);
  const env = { ...process.env, NODE_OPTIONS: '' };
  const printed = execFileSync(process.execPath, ['program.js'], { cwd: alone, env, encoding: 'utf8' });
  const [size, code, message] = JSON.parse(printed) as [number, string, string];
  expect([size, code]).toEqual([3, 'SOMBRA_STORE_DRIVER']);
  expect(message).toContain('npm install @aws-sdk/client-s3 @aws-sdk/lib-storage');
});

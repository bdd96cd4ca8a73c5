// Goal: S3 does what every place for objects does. Method: the conformance suite that ships in ./testing, over real HTTP: against s3rver, which ignores
// conditions, alone and behind a server that enforces them, and against moto, which enforces one of the two. Each test has a prefix of its own.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openObjectStore } from '../src/index.ts';
import { objectStoreConformance } from '../src/testing/index.ts';
import type { ConformanceOptions } from '../src/testing/index.ts';
import { withConditions } from './support/conditions.ts';
import { hasMoto, startMoto } from './support/moto.ts';
import { BUCKET, CREDENTIALS, startS3rver } from './support/s3rver.ts';
import type { RunningServer } from './support/s3rver.ts';

const functions = { describe, test, expect };
const PART = 5 << 20;

/**
 * What s3rver does otherwise than S3: it cuts the connection when an empty object is read, writes objects in place while others read them, lists
 * in an order of its own, fails where a list has more than one page, and cannot store parts of a key as long as a file system's names.
 */
const DEFECTS = /^(an empty object is one|odd keys|sorted by|long ones|who reads the old object)/;

let prefixes = 0;

function suite(name: string, start: () => Promise<RunningServer>, options: ConformanceOptions): void {
  describe(name, () => {
    let server: RunningServer;
    const credentials = (): void => {
      for (const [variable, value] of Object.entries(CREDENTIALS)) vi.stubEnv(variable, value);
    };
    beforeAll(async () => {
      credentials();
      server = await start();
    });
    afterAll(() => server.close());
    objectStoreConformance(
      'S3',
      async () => {
        credentials();
        prefixes += 1;
        const location = `s3://${BUCKET}/prefix ${prefixes}`;
        const again = () => openObjectStore(location, { s3: { endpoint: server.endpoint, partSize: PART } });
        return { store: await again(), again };
      },
      functions,
      { keysInKeys: true, large: 6 << 20, ...options },
    );
  });
}

suite('s3rver', startS3rver, { conditions: { ifAbsent: false, ifUnchanged: false }, leaveOut: DEFECTS });
suite('s3rver behind a server with conditions', async () => withConditions(await startS3rver()), { leaveOut: DEFECTS });
if (hasMoto()) {
  suite('moto', startMoto, { conditions: { ifAbsent: true, ifUnchanged: false } });
}

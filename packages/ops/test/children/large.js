// Writes and reads an object of many MiB, checks it, and tells how much more memory that took than one of a few MiB.
import { openObjectStore } from '@sombra/ops';

const [location, endpoint, mebibytes] = process.argv.slice(2);
const store = await openObjectStore(location, endpoint === '' ? {} : { s3: { endpoint, partSize: 5 << 20 } });

const { signal } = new AbortController(); // an unused one must not keep anything

async function* body(pieces) {
  for (let index = 0; index < pieces; index += 1) yield new Uint8Array(1 << 20).fill(index);
}

let peak = 0;
const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
async function roundTrip(pieces) {
  peak = process.memoryUsage.rss();
  await store.put('large', body(pieces), { signal });
  let at = 0;
  for await (const bytes of (await store.get('large', { signal })).body) {
    for (const [offset, byte] of [
      [0, bytes[0]],
      [bytes.length - 1, bytes.at(-1)],
    ])
      if (byte !== (((at + offset) >>> 20) & 255)) throw new Error(`other bytes at ${at + offset}`);
    at += bytes.length;
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  if (at !== pieces << 20) throw new Error(`${at} bytes`);
  return peak;
}

const small = await roundTrip(12);
const large = await roundTrip(Number(mebibytes));
clearInterval(timer);
store.close();
process.send({ small, large });

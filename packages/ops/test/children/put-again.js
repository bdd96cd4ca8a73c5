// Puts the object `a`, in turns of two contents of many pieces, until it is killed; tells after each.
import { openObjectStore } from '@sombra/ops';

const [location, round] = process.argv.slice(2);
const store = await openObjectStore(location);
for (let turn = 0; ; turn += 1) {
  const piece = new Uint8Array(100_000).fill(97 + ((turn + Number(round)) % 2));
  async function* body() {
    for (let left = 25; left > 0; left -= 1) yield piece;
  }
  await store.put('a', body());
  process.send(turn);
}

// Puts one object after the other with ifAbsent, when it is told to; tells which it won.
import { openObjectStore } from '@sombra/ops';

const [location, count, name] = process.argv.slice(2);
const store = await openObjectStore(location);
process.once('message', async () => {
  const won = [];
  for (let round = 0; round < Number(count); round += 1) {
    try {
      await store.put(`race/${round}`, new TextEncoder().encode(name), { ifAbsent: true });
      won.push(round);
    } catch (error) {
      if (error.code !== 'SOMBRA_OBJECT_EXISTS') throw error;
    }
  }
  process.send({ won }, () => process.disconnect());
});
process.send('ready');

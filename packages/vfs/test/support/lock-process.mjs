// A second process that locks bytes of a file: told by messages, it answers with what happened.
import { openSync } from 'node:fs';
import locks from 'fs-native-extensions';

const fd = openSync(process.argv[2], 'r+');

process.on('message', ({ at, shared, unlock }) => {
  if (unlock) locks.unlock(fd, at, 1);
  process.send(unlock ? true : locks.tryLock(fd, at, 1, { shared }));
});
process.send('ready');

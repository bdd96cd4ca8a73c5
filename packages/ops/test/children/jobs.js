// Asks for jobs and does them, each with a line in a file, until it is killed: `node jobs.js FOLDER`.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { openJobQueue } from '@sombra/ops';

const [folder] = process.argv.slice(2);
const queue = await openJobQueue(join(folder, 'jobs'), {
  concurrency: 2,
  handlers: {
    work: async (payload) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      appendFileSync(join(folder, 'done'), `${payload}\n`);
    },
  },
});
process.send('ready');
for (let i = 0; ; i += 1) {
  const job = `${process.pid}-${i}`;
  await queue.add('work', job);
  appendFileSync(join(folder, 'accepted'), `${job}\n`);
  while (queue.stats().waiting > 20) await new Promise((resolve) => setTimeout(resolve, 1));
}

// Goal: connections that are opened, used and closed in one turn of the event loop are not kept until its end.
// Method: many of them in one turn; then the page caches that a garbage collection leaves are counted.
import { MemoryVfs } from '@sombra/vfs';
import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { PageCache } from '../src/pages/page-cache.ts';
import { newPage, openPager, valueOf, write } from './support/open.ts';

test('what is closed is let go, though reads and checkpoints have work for the end of the turn', () => {
  const vfs = new MemoryVfs();
  const first = openPager({}, vfs);
  const page = write(first, (tx) => newPage(tx, 7));
  first.close();
  const open = (): void => {
    const pager = openPager({}, vfs);
    expect(valueOf(pager.view, page)).toBe(7);
    pager.requestCheckpoint().abandon();
    pager.setCacheSize(16);
    pager.close();
  };
  const before = queryObjects(PageCache, { format: 'count' });
  for (let i = 0; i < 20; i += 1) open();
  expect(queryObjects(PageCache, { format: 'count' }) - before).toBeLessThan(5);
});

import { CorruptionError, readSafe64, xxh32 } from '@sombra/vfs';
import { DELTA_BASE_LSN, ENTRY_DELTA } from '@sombra/wal';
import type { RecordView } from '@sombra/wal';
import type { PageCache } from './page-cache.ts';
import { ENTRY_IN_MAIN } from './page-index.ts';
import type { PageIndex } from './page-index.ts';
import { rootsPage } from '../format/roots-page.ts';

/**
 * Notes what a record in the log changed.
 * @param cache  holds pages from before the commit
 * @throws CorruptionError SOMBRA_WAL_RECORD
 */
export function indexRecord(index: PageIndex, record: RecordView, cache: PageCache): void {
  const firstPage = rootsPage(cache.pageSize);
  record.forEachEntry((pageNumber, kind, offset, length, bytes, at) => {
    if (pageNumber < firstPage || pageNumber >= record.pageCount) {
      throw new CorruptionError(
        'SOMBRA_WAL_RECORD',
        `commit ${record.lsn} in the log changes page ${pageNumber} of ${record.pageCount}; restore a backup`,
        {
          details: { lsn: record.lsn, pageNumber },
        },
      );
    }
    const inMain = kind === ENTRY_DELTA && readSafe64(bytes, at + DELTA_BASE_LSN) === record.lsn;
    const checksum = xxh32(bytes, at, at + length, pageNumber);
    index.add(pageNumber, record.lsn, record.seq, offset, length, inMain ? ENTRY_IN_MAIN : kind, checksum);
    cache.supersede(pageNumber, record.lsn);
  });
  index.addCommit(record.lsn, record.seq, record.end, record.chain, record.pageCount);
}

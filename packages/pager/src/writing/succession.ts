/**
 * Following a holder of WRITE that died (rules L5, P4, K6), or that left something unsettled. Its syncs may have failed before it
 * could say so, so nothing that only the page cache holds is trusted. Steps, and what a crash after each leaves: the same for
 * the next one.
 *
 * 1. A newest slot of exactly sequence + 1 is a checkpoint that was not published: it is written again, synced, published.
 * 2. A record that was not published is made void; published ones that are not known to be durable are written again. The log is synced, and
 *    published as such.
 * 3. A rotation that stands between two names is finished, and published.
 */
import { settleNames, settleRecords } from '@sombra/wal';
import type { PublishedEnd, WalOptions } from '@sombra/wal';
import type { Syncs } from '../base/syncs.ts';
import { saltBytes } from '../format/salt.ts';
import type { MainFile } from '../files/main-file.ts';
import type { Header } from '../sharing/header.ts';

/** What following a dead holder reads and writes. */
export interface SuccessionParts {
  readonly header: Header;
  readonly main: MainFile;
  readonly syncs: Syncs;
  readonly walOptions: () => WalOptions;
}

/** Call while holding WRITE, with the newest header read and the newest slot in `main.superblock`. */
export function settleDeadHolder({ header, main, syncs, walOptions }: SuccessionParts): void {
  const { state } = header;
  const { superblock } = main;
  if (superblock.sequence === state.sequence + 1) {
    main.writeSlot(superblock);
    syncs.sync(main.file);
    header.adoptSlot(superblock);
  }
  const options = walOptions();
  const end: PublishedEnd = {
    seq: state.logSeq,
    offset: state.logOffset,
    chain: state.logChain,
    lsn: state.publishedLsn,
    salt: saltBytes(state.logSaltLow, state.logSaltHigh),
    inode: state.logInode === 0 ? undefined : state.logInode,
  };
  if (state.logInode !== 0 && syncs.guard(() => settleRecords(options, end, state.synced)))
    header.markSynced(end.offset);
  const adopted = syncs.guard(() => settleNames(options, end));
  if (adopted !== null) header.adoptSegment(adopted, adopted.offset);
}

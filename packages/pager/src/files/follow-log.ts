/**
 * Following the log (rule R3): a connection indexes it from the checkpoint on, and goes on from where it was. Who lags behind the
 * checkpoint, or had the database open while it was cured, drops what it knows.
 */
import { LogFiles } from '@sombra/wal';
import type { LogTail, RecordView } from '@sombra/wal';
import type { Catalogue } from '../format/catalogue.ts';
import type { Engine } from '../connection/engine.ts';
import { indexRecord } from '../pages/index-record.ts';
import { readRootsPage, rootsPage } from '../format/roots-page.ts';
import { saltBytes } from '../format/salt.ts';
import { refuseMoved } from './same-file.ts';

/** Brings index, cache and catalogue to where `shared` is (rule R3). */
export function followLog(engine: Engine): void {
  const { shared, index, cache } = engine;
  const { publishedLsn } = shared;
  const known = index.baseLsn + index.commits;
  if (
    engine.published.lsn === publishedLsn &&
    publishedLsn === known &&
    index.baseLsn === shared.checkpointLsn &&
    engine.epoch === shared.epoch
  )
    return;
  if (known < shared.checkpointLsn || engine.epoch !== shared.epoch) {
    if (engine.epoch !== shared.epoch) reopen(engine);
    engine.epoch = shared.epoch;
    cache.dropAll();
    index.reset(shared.checkpointLsn);
    engine.log.close();
    engine.useLog(new LogFiles(engine.walOptions()));
  } else if (index.baseLsn < shared.checkpointLsn) index.dropUpTo(shared.checkpointLsn);
  engine.indexFloor = shared.replaySeq;
  engine.log.forgetBefore(Math.min(shared.replaySeq, engine.marks.floor));
  const from = index.baseLsn + index.commits;
  if (from < publishedLsn) {
    const visit = (record: RecordView): void => indexRecord(index, record, cache);
    engine.log.follow({ ...indexedTail(engine), lsn: from }, { seq: shared.logSeq, offset: shared.logOffset }, visit);
  }
  if (engine.published.lsn !== publishedLsn) {
    engine.published = engine.tail = readCatalogue(engine, publishedLsn, shared.publishedPages);
    engine.views.advanced = true;
    engine.health.callHook((hooks) => hooks.advanced?.(publishedLsn));
  }
}

/** E1: the database was cured. The system may still have failures to tell of writes from before, once per descriptor. */
function reopen(engine: Engine): void {
  const { vfs, options, fileId } = engine;
  const main = vfs.open(options.path, { write: !options.readOnly });
  const { dev, ino } = main.stat();
  if (dev !== fileId.dev || ino !== fileId.ino) {
    main.close();
    refuseMoved(engine);
  }
  engine.closeMain();
  engine.main = main;
  engine.mainTwin = undefined;
  engine.reader.useMain(main);
  engine.logs.close();
}

/** Where the log has been indexed up to. */
function indexedTail(engine: Engine): LogTail & { readonly salt: Uint8Array } {
  const { shared, index } = engine;
  const salt = saltBytes(shared.replaySaltLow, shared.replaySaltHigh);
  if (index.commits === 0)
    return { seq: shared.replaySeq, offset: shared.replayOffset, chain: shared.replayChain, salt };
  return { ...index.commitEnd(index.baseLsn + index.commits), salt };
}

function readCatalogue(engine: Engine, lsn: number, pageCount: number): Catalogue {
  const scratch = new Uint8Array(engine.cache.pageSize);
  engine.reader.read(rootsPage(engine.cache.pageSize), lsn, scratch, 0);
  return readRootsPage(scratch, 0, engine.cache.pageSize, lsn, pageCount);
}

/**
 * One connection to a database: builds its parts, and wires those that call upwards. It holds nothing that changes; each part owns its
 * own state.
 *
 *   health                    closed, poisoned, hooks
 *   header, tenure, marks     what connections share: the header, WRITE, READ slots
 *   told                      figures, for other connections to look at
 *   main, area                the main file, the double-write file
 *   index, cache, reader      versions of pages
 *   followed, logWriter       the log, for reading and for writing
 *   commits, views, limits    what readers see
 *   checkpoints               from the log to main
 *   writer                    transactions, bulk loads, commit
 */
import type { Vfs, VfsFile } from '@sombra/vfs';
import type { Wal } from '@sombra/wal';
import { Health } from '../base/health.ts';
import type { ResolvedOptions } from '../base/options.ts';
import { runAll } from '../base/run-all.ts';
import { newMeasures } from '../base/stats.ts';
import { Syncs } from '../base/syncs.ts';
import { BackgroundCheckpoint } from '../checkpoint/background-checkpoint.ts';
import { CheckpointAge } from '../checkpoint/checkpoint-age.ts';
import type { CheckpointParts } from '../checkpoint/checkpoint.ts';
import { DoubleWriteArea } from '../files/double-write-area.ts';
import { FollowedLog } from '../files/followed-log.ts';
import { LogLength } from '../files/log-length.ts';
import { LogWriter, walOptions } from '../files/log-writer.ts';
import { MainFile } from '../files/main-file.ts';
import type { Catalogue } from '../format/catalogue.ts';
import type { SharedState } from '../format/shared-state.ts';
import type { Superblock } from '../format/superblock.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { PageIndex } from '../pages/page-index.ts';
import { pageRepair } from '../pages/page-repair.ts';
import { VersionReader } from '../pages/version-reader.ts';
import { Commits } from '../reading/commits.ts';
import { LogLimits } from '../reading/log-limits.ts';
import { PageSource } from '../reading/page-source.ts';
import { Views } from '../reading/views.ts';
import { Header } from '../sharing/header.ts';
import type { LockTable } from '../sharing/locks.ts';
import { ReadMarks } from '../sharing/read-marks.ts';
import { fileKey } from '../sharing/registry.ts';
import type { Neighbour } from '../sharing/registry.ts';
import type { Shm } from '../sharing/shm.ts';
import { Tenure } from '../sharing/tenure.ts';
import type { TenureUser } from '../sharing/tenure.ts';
import { ToldFigures } from '../sharing/told-figures.ts';
import { settleDeadHolder } from '../writing/succession.ts';
import { Writer } from '../writing/writer.ts';

/** What opening hands over: an open database file and what was found in it. */
export interface ConnectionParts {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly main: VfsFile;
  readonly locks: LockTable;
  readonly cache: PageCache;
  readonly index: PageIndex;
  /** What was found of the shared header; belongs to the connection from here on. */
  readonly shared: SharedState;
  /** null: no other connection can have the database open. */
  readonly shm: Shm | null;
  readonly published: Catalogue;
  readonly superblock: Superblock;
  /** The log that recovery opened; null when there is none, or others write it. */
  readonly wal: Wal | null;
}

/** See the top of the file. */
export class Connection {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly health: Health;
  readonly stats = newMeasures();
  readonly syncs: Syncs;
  readonly locks: LockTable;
  readonly shm: Shm | null;
  readonly header: Header;
  readonly main: MainFile;
  readonly cache: PageCache;
  readonly index: PageIndex;
  readonly reader: VersionReader;
  readonly marks: ReadMarks;
  readonly told: ToldFigures;
  readonly followed: FollowedLog;
  readonly logWriter: LogWriter;
  readonly commits: Commits;
  readonly tenure: Tenure;
  readonly limits: LogLimits;
  readonly views: Views;
  /** What a checkpoint reads and writes. */
  readonly checkpoint: CheckpointParts;
  readonly checkpoints: BackgroundCheckpoint;
  readonly checkpointAge: CheckpointAge;
  readonly writer: Writer;
  /** As the other connections of this thread know it. */
  readonly neighbour: Neighbour;

  private readonly area: DoubleWriteArea;
  private readonly length: LogLength;

  constructor(parts: ConnectionParts) {
    const { vfs, options, locks, shm, cache, index, superblock, published } = parts;
    const { env } = vfs;
    const health = new Health(options);
    const syncs = new Syncs(health, this.stats, env);
    const { stats } = this;

    // What connections share. Poison notifies the group, which the writer makes, and then the others, in this order.
    const header = new Header(parts.shared, shm);
    const marks = new ReadMarks({ vfs, options, locks, shm, header });
    const main = new MainFile({ vfs, options, health, header }, parts.main, superblock);
    const neighbour: Neighbour = {
      key: fileKey(main.id),
      pid: env.pid,
      host: env.host,
      path: options.path,
      tryRelease: () => {
        if (!this.tenure.held || shm === null) return 'free';
        return this.writer.quiesce() && this.tenure.release(true, true) ? 'released' : 'busy';
      },
    };
    const tenure = new Tenure({ vfs, options, health, locks, shm, header, neighbour, user: this.tenureUser() });

    // Versions of pages, and the log.
    const repair = pageRepair({
      vfs,
      path: options.path,
      identity: superblock,
      write: shm === null ? null : { vfs, path: options.path, locks, neighbour, waitMs: options.busyTimeoutMs },
      sequence: () => header.sequence(),
    });
    const reader = new VersionReader(index, superblock.pageSize, parts.main, superblock.salt, repair);
    const logOptions = () => walOptions(options, { ...main.superblock, timeline: main.readTimeline() }, vfs);
    const followed = new FollowedLog(
      { header, marks, main, index, cache, reader, walOptions: logOptions },
      parts.wal?.files,
    );
    const logWriter = new LogWriter({ vfs, options, header, main, followed, syncs }, parts.wal);
    const area = new DoubleWriteArea(vfs, options.path);

    // Reading.
    const commits = new Commits(superblock.pageSize, published);
    const pages = new PageSource(health, cache, reader, stats);
    const logBytes = (): number => this.logBytes();
    const isOver = (): boolean => this.length.bytes(followed.segments, header.peek()) > options.maxWalBytes;
    const limits = new LogLimits({
      env,
      options,
      health,
      logBytes,
      isOver,
      isKeptBack: () => this.checkpoints.keptBack,
      checkpoint: () => this.writer.checkpointNow(),
      end: (view, how) => this.views.endView(view, how),
    });
    const follow = (): void => this.follow();
    const shared = shm !== null;
    const views = new Views({ env, health, shared, cache, pages, commits, marks, tenure, followed, limits, follow });

    // Checkpoints, and writing.
    const checkpoint: CheckpointParts = {
      main,
      area,
      header,
      log: { writer: logWriter, followed },
      pages: { index, cache, reader },
      commits,
      horizon: (bound) => marks.horizon(views.horizon(bound)),
      floor: (seq) => marks.lowestFloor(seq),
      health,
      syncs,
      stats,
      env,
      enableWal: options.enableWal,
    };
    const checkpoints = new BackgroundCheckpoint({ checkpoint, options, tenure, logBytes });
    this.checkpointAge = new CheckpointAge(env, superblock.checkpointLsn);
    this.vfs = vfs;
    this.options = options;
    this.health = health;
    this.syncs = syncs;
    this.locks = locks;
    this.shm = shm;
    this.header = header;
    this.main = main;
    this.cache = cache;
    this.index = index;
    this.reader = reader;
    this.marks = marks;
    this.told = new ToldFigures(vfs, locks, shm);
    this.followed = followed;
    this.logWriter = logWriter;
    this.commits = commits;
    this.tenure = tenure;
    this.limits = limits;
    this.views = views;
    this.checkpoint = checkpoint;
    this.checkpoints = checkpoints;
    this.neighbour = neighbour;
    this.area = area;
    this.length = new LogLength(options.segmentSize);
    this.writer = new Writer({
      vfs,
      options,
      health,
      header,
      main,
      syncs,
      stats,
      cache,
      index,
      reader,
      pages,
      commits,
      views,
      limits,
      tenure,
      logWriter,
      checkpoints,
      checkpointAge: this.checkpointAge,
    });
    health.onPoison((_cause, reach) => {
      if (reach === 'all') shm?.setPoisoned(true);
    });
  }

  /** What a tenure asks for. */
  private tenureUser(): TenureUser {
    return {
      isQuiet: () => this.writer.isQuiet(),
      quiesce: () => this.writer.quiesce(),
      onGranted: (died) => {
        const { header, main, syncs } = this;
        main.check(died);
        if (died)
          settleDeadHolder({
            header,
            main,
            syncs,
            walOptions: () => walOptions(this.options, main.superblock, this.vfs),
          });
      },
      onAcquired: () => {
        this.follow();
        this.logWriter.attach();
      },
      onReleasing: (turnGoesOn) => this.views.endUnprotected(turnGoesOn),
    };
  }

  /** Brings the connection to the newest commit of the header, which a tenure or a reader's mark keeps. */
  private follow(): void {
    const { followed, commits, health } = this;
    if (followed.isCured) {
      this.logWriter.close();
      this.area.forgetName();
    }
    const newest = this.readLog(() => followed.follow(commits.published.lsn));
    if (newest === null) return;
    commits.followed(newest);
    this.views.followed();
    health.callHook((hooks) => hooks.advanced?.(newest.lsn));
  }

  private readLog<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.health.noteDamage(error);
      throw error;
    }
  }

  /** Reads the log for the first time, to the newest commit. */
  join(): void {
    this.marks.begin('turn');
    try {
      this.follow();
    } finally {
      this.marks.end();
    }
  }

  /** Log bytes since the last checkpoint. */
  logBytes(): number {
    return this.length.bytes(this.followed.segments, this.header.state);
  }

  /** Is there anything that closing has to bring to main or to clean up? */
  hasWritten(): boolean {
    return this.header.state.logInode !== 0 || !this.main.superblock.clean;
  }

  /** Opening failed: closes the descriptors of log and shm, and frees the memory of the cache for the next connection. */
  closeFiles(): void {
    runAll([
      () => this.logWriter.close(),
      () => this.followed.segments.close(),
      () => this.shm?.close(),
      () => this.cache.dispose(this.vfs.env),
    ]);
  }
}

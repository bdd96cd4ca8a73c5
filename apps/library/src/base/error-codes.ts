/**
 * Every code of Sombra with what it means and what to do. `docs/reference/errors.md` is the same table for reading;
 * error-codes.test.ts holds sources, table and document together.
 */

/** Classes of errors (the `name` of an error), and what else carries a code. */
export type ErrorKind =
  | 'DataError'
  | 'StateError'
  | 'TransactionError'
  | 'IoError'
  | 'PoisonedError'
  | 'CorruptionError'
  | 'InvariantError'
  /** Told to `onWarning`, never thrown. */
  | 'warning'
  /** Listed in the report of `verifyIntegrity`. */
  | 'finding'
  /** Printed by the command line. */
  | 'command line';

/** What a code means. */
export interface ErrorEntry {
  /** What carries the code, the usual one first. */
  readonly kinds: readonly ErrorKind[];
  readonly meaning: string;
  /** What to do about it. */
  readonly action: string;
}

function entry(kinds: ErrorKind | readonly ErrorKind[], meaning: string, action: string): ErrorEntry {
  return Object.freeze({ kinds: Object.freeze([kinds].flat()), meaning, action });
}

const RESTORE = 'Check the disk, restore a backup.';
const VERIFY = 'Run `verifyIntegrity`, check the disk, restore a backup.';
const IMPORT = 'Correct the line that the message names, and import again: nothing was imported.';

/** Codes by name. A code keeps its meaning within a major version; messages may improve. */
export const ERROR_CODES = Object.freeze({
  // ---- what the caller gave
  SOMBRA_CONFIG: entry(
    'DataError',
    'A field of the configuration does not exist or has an invalid value; `details.field` names it.',
    'Correct the field. Nothing was opened or changed.',
  ),
  SOMBRA_OPTION: entry(
    'DataError',
    'An option of a call does not exist or has an invalid value.',
    'Correct the option that the message names.',
  ),
  SOMBRA_NOT_FOUND: entry(
    'DataError',
    'There is no database at the path, and none may be created.',
    'Check the path, or open with `createIfMissing` and without `readOnly`.',
  ),
  SOMBRA_NOT_A_DATABASE: entry(
    'DataError',
    'The file is empty or does not begin with the header of a Sombra database. It was not changed.',
    'Check the path; remove an empty file to create a database in its place.',
  ),
  SOMBRA_FORMAT_VERSION: entry(
    ['DataError', 'StateError'],
    'The format of the file is newer than this release. It was not changed.',
    'Use a newer release.',
  ),
  SOMBRA_DATABASE_UNHEALTHY: entry(
    'StateError',
    '`checkHealth` found a database that must not go on like this; `details.failed` names the checks that failed.',
    'Follow what the message says of each check: for damage, restore a backup.',
  ),
  SOMBRA_AUDIT_NOT_FOUND: entry(
    'DataError',
    'There is no audit trail at the path.',
    'Check the path; `auditFile` begins a trail.',
  ),
  SOMBRA_AUDIT_BUSY: entry(
    'IoError',
    'The audit trail is being written by another `auditFile`, perhaps of another process.',
    'Give each connection a trail of its own.',
  ),
  SOMBRA_AUDIT_DAMAGED: entry(
    'CorruptionError',
    'A line of an audit trail is no entry, or not the one that its hash was made of. It was not changed.',
    'Run `sombra audit verify`, keep all files of the trail, and begin a new one.',
  ),
  SOMBRA_AUDIT_FAILED: entry(
    ['StateError', 'warning'],
    'Entries of the audit trail cannot be written; they are kept in memory. As an error: nothing was written, because `onFailure` is `refuse`.',
    'See the cause: free space, or correct the permission. Then the entries are written with the next write.',
  ),
  SOMBRA_AUDIT_TORN: entry(
    'warning',
    'What a crash had left incomplete at the end of an audit trail was removed when it was opened.',
    'Nothing; every entry that was acknowledged is there.',
  ),
  SOMBRA_AUDIT_READABLE: entry(
    'warning',
    'Other users can read an audit trail, or write to it.',
    'Give the file mode 600.',
  ),
  SOMBRA_LOG_LEVEL: entry('DataError', 'The log has no such level.', 'Take one of those that the message names.'),
  SOMBRA_LOGGING_INITIALIZED: entry(
    'StateError',
    '`initLogging` was called before, and `endLogging` was not.',
    'Call it once, where the program starts.',
  ),
  SOMBRA_PAGE_SIZE: entry(
    'DataError',
    'The page size of the file is not the requested `pageSize`; `details` has both.',
    'Leave `pageSize` out. To change it, export into a new database.',
  ),
  SOMBRA_DATABASE_FULL: entry(
    'DataError',
    'The write would make the file larger than `maxDatabaseSizeMb`. The transaction was rolled back.',
    'Delete data, or raise the limit.',
  ),
  SOMBRA_NODE_NOT_FOUND: entry(
    'DataError',
    'A write names a node that does not exist, for example an end of a new edge.',
    'Check the id; `hasNode` and `getNode` ask without an error.',
  ),
  SOMBRA_EDGE_NOT_FOUND: entry(
    'DataError',
    'A write names an edge that does not exist.',
    'Check the id; `hasEdge` and `getEdge` ask without an error.',
  ),
  SOMBRA_NODE_HAS_EDGES: entry(
    'DataError',
    'A node that still has edges cannot be deleted alone.',
    'Delete its edges first, or pass `{ cascade: true }`.',
  ),
  SOMBRA_ID_RANGE: entry(
    'DataError',
    'The id is not an integer from 1 to 2^48 - 1, or all ids are used up.',
    'Pass ids that the database returned.',
  ),
  SOMBRA_REFERENCE: entry(
    'DataError',
    'An edge of `addMany` names a `ref` that no node of the same call has, or two nodes have the same `ref`.',
    'Give each new node a `ref` of its own, and refer to existing nodes by id.',
  ),
  SOMBRA_NO_UNIQUE_INDEX: entry(
    'DataError',
    'An upsert needs a unique index on exactly the properties that it matches.',
    'Create it with `createPropertyIndex(label, keys, { unique: true })`.',
  ),
  SOMBRA_SCHEMA: entry(
    'DataError',
    'A write does not match the schema that the database was opened with. Nothing was written.',
    'Correct the label, type, property or end that the message names, or change the schema.',
  ),
  SOMBRA_LABEL_EMPTY: entry(
    'DataError',
    'A label or an edge type is empty.',
    'Give it a name; a node without labels takes `[]`.',
  ),
  SOMBRA_NAME_TOO_LONG: entry(
    'DataError',
    'A label, edge type or property key has more than 255 bytes of UTF-8.',
    'Shorten it; put long text into a property value.',
  ),
  SOMBRA_DICTIONARY_FULL: entry(
    'DataError',
    'The database has the maximum number of different labels, edge types or property keys.',
    'Put what varies into property values instead of names.',
  ),
  SOMBRA_UNIQUE: entry(
    'DataError',
    'Another node or edge already has these values in a unique index; `details` has the value and both ids.',
    'Give another value, or change or delete the other one first.',
  ),
  SOMBRA_INDEX_EXISTS: entry(
    'DataError',
    'There is an index on the same properties, with a different setting of `unique`.',
    'Drop it first.',
  ),
  SOMBRA_GROUP_MEMORY: entry(
    'DataError',
    'The groups of `aggregateNodes` or `aggregateEdges` exceed their memory limit.',
    'Group by fewer properties, or narrow `where`.',
  ),
  SOMBRA_NOT_A_NUMBER: entry(
    'DataError',
    'A property that `sum` or `avg` adds up is not a number in one of the records.',
    'Exclude such records with `where`, or correct them; the error names one.',
  ),
  SOMBRA_SORT_MEMORY: entry(
    'DataError',
    'A find has more rows to sort than the memory limit of a sort allows.',
    'Set a limit, narrow `where`, or create an index on the property of `orderBy`.',
  ),
  SOMBRA_VALUE_KIND: entry(
    'DataError',
    'A value, label or key has a type that cannot be stored (a function, for example), or is an invalid date.',
    'Store booleans, numbers, bigints of 64 bits, strings, bytes, dates, and lists and plain objects of them.',
  ),
  SOMBRA_VALUE_TOO_LARGE: entry(
    'DataError',
    'A value has more than 16 MiB, or a record more than 17 MiB.',
    'Split it, or keep large values outside the database and store a reference.',
  ),
  SOMBRA_NESTING: entry(
    'DataError',
    'Lists and maps are nested more than 32 levels deep or contain themselves, or conditions of a find more than 256.',
    'Store flatter values, or nodes and edges instead; pass all parts to one call of `and` or `or`.',
  ),
  SOMBRA_TEXT_SURROGATE: entry(
    'DataError',
    'A string contains a lone surrogate, which UTF-8 cannot represent.',
    'Repair it with `toWellFormed()`, or store bytes.',
  ),
  SOMBRA_CYCLE: entry(
    'DataError',
    'Nodes on a cycle have no topological order; `details` has the nodes and edges of one.',
    'Exclude edges of the cycle with `type`, or delete them; `findCycle` reports a cycle without throwing.',
  ),
  SOMBRA_MEMORY_LIMIT: entry(
    'DataError',
    'An algorithm over the whole graph needs more memory than `maxMemoryMb`, or than the runtime has.',
    'Raise `maxMemoryMb`, or work on a part of the graph with `label` or `type`.',
  ),
  SOMBRA_WEIGHT: entry(
    'DataError',
    'A weighted path met an edge whose weight is missing, negative, NaN or no number; `details.edge` names it.',
    'Set the weight, or exclude such edges with `type`.',
  ),

  // ---- the call came at the wrong time
  SOMBRA_ABORTED: entry(
    'StateError',
    'The call was aborted by its `signal`, whose reason is the cause, or took longer than its `timeoutMs`.',
    'Nothing, if that was intended; otherwise ask for less, or allow more time.',
  ),
  SOMBRA_CLOSED: entry(
    'StateError',
    'The database was closed, or the snapshot or cursor released.',
    'Open the database again, or take a new snapshot.',
  ),
  SOMBRA_FILE_KIND: entry(
    'StateError',
    'The file is not a key-value store of `@sombra/btree`; it may hold a graph, for example.',
    'Open it with the package that wrote it, or choose another path.',
  ),
  SOMBRA_READ_ONLY: entry(
    'StateError',
    'A write to a database that was opened with `readOnly`.',
    'Open it without `readOnly`.',
  ),
  SOMBRA_TRANSACTION_ACTIVE: entry(
    'StateError',
    'A transaction was begun, or a write was made outside it, while another one was open.',
    'Use the methods of the open transaction, or end it first; `tx.transaction(fn)` nests.',
  ),
  SOMBRA_TRANSACTION_MANAGED: entry(
    'StateError',
    '`commit` or `rollback` was called on the transaction of `transaction(fn)`, which ends it itself.',
    'Return from the callback to commit, throw from it to roll back.',
  ),
  SOMBRA_TX_DONE: entry(
    'StateError',
    'The transaction has ended, perhaps because an earlier write of it failed.',
    'Begin a new one.',
  ),
  SOMBRA_SAVEPOINT: entry(
    'StateError',
    'The savepoint does not exist, was released, or was discarded by a rollback.',
    'Use a number that `savepoint()` returned and that is still open.',
  ),
  SOMBRA_PROMISE_IN_TRANSACTION: entry(
    'StateError',
    'The callback of a transaction returned a promise. The transaction was rolled back.',
    'Await before the transaction, or use `beginTransaction`.',
  ),
  SOMBRA_BULK_NOT_EMPTY: entry(
    'StateError',
    'A bulk load was started in a database that has nodes or edges.',
    'Load into a new database, or write in transactions.',
  ),
  SOMBRA_BULK_TOO_LARGE: entry(
    'DataError',
    'A bulk load takes at most 2^32 - 1 rows of each kind.',
    'Load part of it in bulk, and the rest in transactions.',
  ),
  SOMBRA_ARCHIVE_GAP: entry(
    'StateError',
    'Something is missing in the archive of a log: a segment, the pages of a bulk load, or what an archive that began meanwhile would lack.',
    'Restore to a commit before the gap, or from a later backup; a bulk load is refused once, and can be repeated.',
  ),
  SOMBRA_ARCHIVE_NO_LOG: entry(
    'StateError',
    'A database that is open with `enableWal: false` has no log that could be archived.',
    'Open it with a log.',
  ),
  SOMBRA_ARCHIVE_RUNNING: entry(
    'StateError',
    'Another archiver feeds this archive, or has taken it over.',
    'Wait until it has ended, or use another name for the archive.',
  ),
  SOMBRA_RESTORE_TARGET: entry(
    'DataError',
    'No backup and no archived log lead to the commit or time that was asked for.',
    'Ask for a commit or time between the first backup and the end of the archive, or for `latest`.',
  ),
  SOMBRA_ARCHIVE_DAMAGED: entry(
    'CorruptionError',
    'A part of an archive was changed, cut, or belongs to another database or history.',
    'Restore to a commit before it, or from a later backup.',
  ),
  SOMBRA_BULK_DONE: entry('StateError', 'The bulk load has ended.', 'Begin a new one.'),
  SOMBRA_RECOVERY_REQUIRED: entry(
    'StateError',
    'A file that was not closed properly cannot be opened read-only: it needs recovery.',
    'Open it for writing once.',
  ),
  SOMBRA_LOCKS_UNAVAILABLE: entry(
    'StateError',
    'File locks are unavailable, and without them two processes could corrupt the database.',
    'Install the package `fs-native-extensions` for this platform.',
  ),
  SOMBRA_NETWORK_FILE_SYSTEM: entry(
    'StateError',
    'The file is on a network file system, whose locks are unreliable.',
    "Use a local disk, or open with `locking: 'single-process'`.",
  ),
  SOMBRA_LOCK_FILE: entry(
    'StateError',
    'The lock file of single-process mode cannot be read, so it is unknown which process has the database open.',
    'Make sure that no process has it open, and remove the file.',
  ),
  SOMBRA_HARD_LINK: entry(
    ['StateError', 'warning'],
    'The file has several names (hard links), but its log belongs to one.',
    'Remove the other names.',
  ),
  SOMBRA_DATABASE_CHANGED: entry(
    'StateError',
    'The database was used or replaced between making its compact copy and putting that in its place. It stays as it is.',
    'Vacuum again while nobody uses it.',
  ),
  SOMBRA_DATABASE_MOVED: entry(
    'StateError',
    'The file was replaced, moved or modified by another program while it was open. Nothing more is written.',
    'Close it, and open the right file again.',
  ),

  // ---- a transaction ended otherwise than by its commit
  SOMBRA_TRANSACTION_PAGES: entry(
    'TransactionError',
    'The transaction changes more pages than `maxTransactionPages`. It was rolled back; a cascade that cannot fit is refused before it changes anything.',
    'Do less in one transaction, raise the limit, or use `bulkLoad`.',
  ),
  SOMBRA_TRANSACTION_TIMEOUT: entry(
    ['TransactionError', 'warning'],
    'The transaction was open longer than `transactionTimeoutMs`. It was rolled back.',
    'Do less in one transaction, end every `beginTransaction`, or raise the limit.',
  ),
  SOMBRA_QUEUE_FULL: entry(
    'TransactionError',
    'More than 262,144 transactions of `transactionAsync` are waiting. This one was not begun.',
    'Await some of their promises before adding more, or put more writes into one transaction.',
  ),
  SOMBRA_COMMIT_UNKNOWN: entry(
    'TransactionError',
    'The commit was written, but its sync failed: whether it persisted is known after the next open.',
    'Close and open the database, and check whether the change is there.',
  ),

  SOMBRA_SNAPSHOT_TOO_OLD: entry(
    'TransactionError',
    'The snapshot was older than `readTimeoutMs` while the log was over its limit, and was ended.',
    'Take a new one, and release snapshots earlier.',
  ),

  // ---- the system refused
  SOMBRA_BUSY: entry(
    'IoError',
    'Another process has the database: `details` has its pid, host and since. Or a transaction begun by `beginTransaction` is open on this connection.',
    'Close it there, open with `busyTimeoutMs` to wait, or end the transaction first.',
  ),
  SOMBRA_IO: entry(
    'IoError',
    'A file operation failed; `details` has errno, op and path.',
    'Do what the message says; check the device if it recurs.',
  ),
  SOMBRA_FILE_EXISTS: entry(
    'DataError',
    'A backup or a restore was to make a file that is there already, which stays as it is.',
    'Choose another name, or remove the file.',
  ),
  SOMBRA_BACKUP_TARGET: entry(
    'DataError',
    'A backup was to get a name that the files of the database itself have or may get.',
    'Choose another name.',
  ),
  SOMBRA_BACKUP_NOT_FOUND: entry(
    'DataError',
    'There is no backup with this id, or none at all, in the repository.',
    'Check the place and the id; `sombra backup list` shows what there is.',
  ),
  SOMBRA_BACKUP_DAMAGED: entry(
    'CorruptionError',
    'What is stored of a backup is not what was written: missing, cut short, changed, or no whole copy; `details` has id and problem.',
    'Use another backup, and check the place where it is kept.',
  ),
  SOMBRA_BACKUP_MANIFEST: entry(
    'CorruptionError',
    'An object with the name of a manifest of a backup is none, or was changed.',
    'Use another backup; remove the object if it is none.',
  ),
  SOMBRA_JOBS: entry(
    'CorruptionError',
    'A record in the file of a job queue cannot be read.',
    'Move the files of the queue away; what it had not done has to be asked for again.',
  ),
  SOMBRA_JOB_HANDLER: entry(
    'StateError',
    'The queue holds a job of a kind that it was opened without a handler for.',
    'Open the queue with a handler for it. The job waits.',
  ),
  SOMBRA_BACKUP_FORMAT: entry(
    'DataError',
    'A backup was made by a newer release, in a format that this one does not know.',
    'Use a newer release of `@sombra/ops`.',
  ),
  SOMBRA_BACKUP_CHAIN: entry(
    'CorruptionError',
    'An incremental backup needs one that is not there, or is another one; `details` has both ids.',
    'Use another backup, and make a full one.',
  ),
  SOMBRA_BACKUP_OTHER_DATABASE: entry(
    'StateError',
    'The backups of this name in the repository are of another database.',
    'Give another name, or another place.',
  ),
  SOMBRA_BACKUP_SAME_FOLDER: entry(
    'StateError',
    'The place for backups lies in the folder of the database, so that both are lost together.',
    'Name a folder elsewhere, best on another disk; or allow it with `allowSameFolder`.',
  ),
  SOMBRA_BACKUP_RUNNING: entry(
    'StateError',
    'Another run changes the backups of the repository, or took them over; `details` has host, pid and when it began.',
    'Wait until it has ended, then try again.',
  ),
  SOMBRA_BACKUP_UNREADABLE: entry(
    'StateError',
    'No backup was removed, because a manifest cannot be read, and what it stands for may need any of the others.',
    'Use the newest release; remove the objects that the message names if they are no backups.',
  ),
  SOMBRA_BACKUP_LOCK_LEFT: entry(
    'warning',
    'The lock of a repository of backups could not be given back.',
    'Nothing: the next run takes it over when this process has ended, or after 10 minutes.',
  ),
  SOMBRA_COMPRESSION: entry(
    'DataError',
    'This version of Node does not have the compression that was asked for.',
    'Use a version that has it, or `gzip`.',
  ),
  SOMBRA_COPY_INCOMPLETE: entry(
    'CorruptionError',
    'A copy of a database is cut short, has more bytes than it should, or is of a database that was not closed.',
    'Use another backup.',
  ),
  SOMBRA_DISK_FULL: entry(
    'IoError',
    'The disk or the quota is full. The transaction was rolled back, and the database stays usable.',
    'Free space, then try again.',
  ),
  SOMBRA_LOG_FULL: entry(
    'IoError',
    'The log has reached `walHardLimitMb`: an old snapshot, here or in another process, keeps it from shrinking.',
    'Release old snapshots, or raise the limit.',
  ),
  SOMBRA_LISTEN: entry(
    'IoError',
    'The server cannot listen on its address: another program does, or the address is not of this machine; `details` has host, port and errno.',
    'Stop the other program, or take another port or host. The database was closed again.',
  ),
  SOMBRA_PERMISSION: entry(
    'IoError',
    'This user may not read, write or create the file, or these credentials an object in S3.',
    'Change owner or mode of the file and its directory, run as their owner, or open read-only; for S3 check credentials and policy.',
  ),
  SOMBRA_STORE_MISSING: entry(
    'IoError',
    'The directory or the bucket of a place for objects does not exist, or has vanished.',
    'Check the path or the URL, and whether the disk is mounted; make the bucket.',
  ),
  SOMBRA_STORE_UNREACHABLE: entry(
    'IoError',
    'A server of S3 did not answer as it should, after several tries.',
    'Check the network and the server, then try again.',
  ),
  SOMBRA_STORE_FAILED: entry(
    'IoError',
    'A server of S3 refused a request; `details` has its name for that and the HTTP status.',
    'See the message and the cause; check the options of S3.',
  ),
  SOMBRA_SYNC: entry(
    'IoError',
    'A sync failed: what was written since the last one may be lost. Nothing more is written.',
    'Check the device, then close and open the database.',
  ),
  SOMBRA_LOCK_POISONED: entry(
    ['PoisonedError', 'warning'],
    'A sync failed earlier, so nothing is written until the database is reopened. Reads still work.',
    'Close and open the database.',
  ),

  // ---- the file is damaged
  SOMBRA_SUPERBLOCK: entry(
    'CorruptionError',
    'Both superblock slots are damaged, or belong to different databases.',
    RESTORE,
  ),
  SOMBRA_FILE_TRUNCATED: entry('CorruptionError', 'The file is shorter than its header says.', RESTORE),
  SOMBRA_ROOTS: entry(['CorruptionError', 'finding'], 'The roots page, which lists all trees, is damaged.', RESTORE),
  SOMBRA_FREELIST: entry(
    ['CorruptionError', 'finding'],
    'The list of free pages is damaged.',
    'Export into a new database, or restore a backup.',
  ),
  SOMBRA_PAGE_CHECKSUM: entry(
    'CorruptionError',
    'The checksum of a page does not match its bytes; `details` has the page number and both checksums.',
    RESTORE,
  ),
  SOMBRA_PAGE_MISDIRECTED: entry(
    'CorruptionError',
    'A page holds another page: a write went to the wrong place.',
    RESTORE,
  ),
  SOMBRA_PAGE_LSN: entry(
    'CorruptionError',
    'A page is newer than the superblock says: the file was copied while it was being written, or its log was lost.',
    'Restore a backup that was made with the database closed.',
  ),
  SOMBRA_PAGE_RANGE: entry(['CorruptionError', 'DataError', 'finding'], 'A page number is outside the file.', VERIFY),
  SOMBRA_DELTA_BASE: entry('CorruptionError', 'A change in the log applies to another version of its page.', RESTORE),
  SOMBRA_WAL_DAMAGED: entry(
    'CorruptionError',
    'Synced data in the log cannot be read. Nothing was changed.',
    'Check the disk, restore a backup; or keep the commits before the damage with `sombra-repair checkpoint --to-last-good`.',
  ),
  SOMBRA_WAL_ENTRY: entry('CorruptionError', 'An entry of the log has changed since it was written.', RESTORE),
  SOMBRA_WAL_OPS: entry('CorruptionError', 'The page operations of a change in the log are invalid.', RESTORE),
  SOMBRA_WAL_RECORD: entry('CorruptionError', 'A commit record in the log is invalid.', RESTORE),
  SOMBRA_RESTORE_MISMATCH: entry(
    'CorruptionError',
    'The file is an older copy than the log beside it. Nothing was changed.',
    'Restore a newer copy, or move the log files away to open the copy as it is.',
  ),
  SOMBRA_SHM: entry(
    'CorruptionError',
    'The `-shm` file, through which connections coordinate, was damaged or truncated while the database was open.',
    'Close all connections and open the database again.',
  ),
  SOMBRA_TREE_PAGE: entry(['CorruptionError', 'finding'], 'A page of a tree is damaged.', VERIFY),
  SOMBRA_TREE_ORDER: entry(['CorruptionError', 'finding'], 'Keys of a tree are out of order.', VERIFY),
  SOMBRA_TREE_COUNT: entry(
    ['CorruptionError', 'finding'],
    'The number of entries of a tree is not what the catalogue says.',
    VERIFY,
  ),
  SOMBRA_OVERFLOW_CHAIN: entry('CorruptionError', 'The pages of a large value do not belong together.', VERIFY),
  SOMBRA_GRAPH_FORMAT: entry(
    ['CorruptionError', 'StateError'],
    'The file holds no graph, or an incomplete one: another program wrote it, or it is damaged.',
    'Open it with the program that wrote it, or restore a backup.',
  ),
  SOMBRA_RECORD: entry('CorruptionError', 'The record of a node or edge is damaged.', VERIFY),
  SOMBRA_ADJACENCY: entry('CorruptionError', 'The edges of a node are damaged.', VERIFY),
  SOMBRA_ID_BLOCK: entry('CorruptionError', 'The index of labels or edge types is damaged.', VERIFY),
  SOMBRA_PROPERTY_INDEX: entry('CorruptionError', 'A property index or its definition is damaged.', VERIFY),
  SOMBRA_DICTIONARY: entry('CorruptionError', 'The names of labels, edge types or property keys are damaged.', VERIFY),
  SOMBRA_STATISTICS: entry('CorruptionError', 'The number of nodes per label or of edges per type is damaged.', VERIFY),

  // ---- found by verify
  SOMBRA_INDEX_DIFFERS: entry(
    'finding',
    'An index or a count differs from the records. Finds may miss rows; the rows are there.',
    'Build property indexes again (`sombra repair index`); for others salvage the database (`sombra repair salvage`).',
  ),
  SOMBRA_PAGE_LOST: entry('finding', 'A page is neither used nor free. Nothing is wrong with the data.', 'Report it.'),
  SOMBRA_PAGE_TWICE: entry('finding', 'A page is used twice, or used and free.', RESTORE),

  // ---- a bug
  SOMBRA_INVARIANT: entry(
    ['InvariantError', 'finding'],
    'An internal invariant of Sombra was violated: this is a bug.',
    'Report it, with the message and the steps that led to it.',
  ),

  // ---- warnings
  SOMBRA_WAL_MISSING: entry(
    'warning',
    'The file was not closed and has no log: it was opened as of its last checkpoint, as after a restore.',
    'Nothing after a restore; otherwise find out why the log was removed.',
  ),
  SOMBRA_WAL_SET_ASIDE: entry(
    'warning',
    'The log beside the file belongs to another database or an older copy. It was not replayed, and is kept under another name.',
    'Remove it once you are sure that it is not needed.',
  ),
  SOMBRA_LOG_GIVEN_UP: entry(
    'warning',
    'Synced commits of the log could not be read. Those before the damage were kept, as `toLastGood` asks for; the discarded part is kept in files that the message names.',
    'Compare with a backup, check the disk.',
  ),
  SOMBRA_SUPERBLOCK_SLOT: entry(
    'warning',
    'One of the two superblock slots is damaged or was torn by a crash; the other one is used.',
    'Nothing after a crash; otherwise check the disk.',
  ),
  SOMBRA_SEGMENT_KEPT: entry(
    'warning',
    'A log segment that is no longer needed could not be removed or reused. The next checkpoint tries again.',
    'See the cause; check the directory.',
  ),
  SOMBRA_CHECKPOINT_FAILED: entry(
    'warning',
    'A checkpoint failed. Published commits are safe in the log, which keeps growing.',
    'See the cause; free disk space.',
  ),
  SOMBRA_HOOK_FAILED: entry(
    'warning',
    'A hook, or `onWarning`, threw an error or returned a promise that was rejected. The event that it was called for took effect all the same. It is reported by `process.emitWarning`.',
    'See the cause; correct the hook.',
  ),
  SOMBRA_LOG_FAILED: entry(
    'warning',
    'Lines of a log could not be written (`@sombra/observability`). They are kept, up to 1 MiB, and tried again with the next ones; what is beyond that is lost. The database is not concerned.',
    'See the text: free space, or correct the permission.',
  ),
  SOMBRA_METRICS_FAILED: entry(
    'warning',
    'Metrics could not be read, written into a file or sent (`@sombra/observability`). It is tried again; the database is not concerned.',
    'See the cause: the text names its code.',
  ),
  SOMBRA_UPKEEP_FAILED: entry(
    'warning',
    'Background work failed, such as releasing a lock after a commit or ending an old view. It is retried by a timer and by later calls.',
    'See the cause; check the disk and the directory of the database.',
  ),
  SOMBRA_LOG_OVER_LIMIT: entry(
    'warning',
    'The log is larger than `maxWalSizeMb`: a snapshot, here or in another process, keeps it from shrinking.',
    'Release old snapshots.',
  ),
  SOMBRA_TRANSACTION_LEAKED: entry(
    'warning',
    'A transaction was dropped without commit or rollback. It was rolled back.',
    'Use `transaction(fn)`, or end it in a `finally`.',
  ),
  SOMBRA_SNAPSHOT_LEAKED: entry(
    'warning',
    'A snapshot or an iterator was dropped before its end; until then checkpoints could not pass it.',
    'Release snapshots, run iterators to their end or close them with `return()`, as `for` does.',
  ),

  // ---- of the packages below, used alone
  SOMBRA_CACHE_FULL: entry(
    'StateError',
    'All pages of the cache are pinned or changed.',
    'Close cursors, or raise `cacheSize`.',
  ),
  SOMBRA_WAL_EXISTS: entry(
    'StateError',
    'A new log would replace an existing one.',
    'Recover that log, or move it away.',
  ),
  SOMBRA_WAL_FOREIGN: entry(
    'StateError',
    'The file belongs to another log, or to a database and not to an append log.',
    'Choose another path, or move the file away.',
  ),
  SOMBRA_TRUNCATED: entry(
    'StateError',
    'The record of an append log has been deleted by `truncateBefore`.',
    'Start reading at the oldest remaining record, which the message names.',
  ),
  SOMBRA_COUNTER: entry(
    'DataError',
    'There is no such counter, or its value is not a safe integer.',
    'Correct the call.',
  ),
  SOMBRA_PAGE_FREE: entry('StateError', 'The page is already free.', 'Free each page once.'),
  SOMBRA_PAGE_NOT_EDITABLE: entry(
    'StateError',
    'A page operation was applied to a page that is not writable.',
    'Change what `edit` returned, before the transaction ends.',
  ),
  SOMBRA_TREE: entry('DataError', 'There is no tree in this catalogue slot.', 'Open the tree by its name.'),
  SOMBRA_TREE_NAME: entry('DataError', 'The name of a tree is empty or too long.', 'Give it 1 to 47 bytes.'),
  SOMBRA_TREE_EXISTS: entry('DataError', 'There is a tree of this name.', 'Open it, or choose another name.'),
  SOMBRA_TREES_FULL: entry(
    'DataError',
    'The catalogue has no room for another tree.',
    'Drop one, or use larger pages.',
  ),
  SOMBRA_TREE_DROPPED: entry(
    'StateError',
    'The tree does not exist in this view: it was dropped, or was created later.',
    'Open it again in a newer view.',
  ),
  SOMBRA_OTHER_DATABASE: entry(
    'StateError',
    'The handle of a tree belongs to another database.',
    'Open the tree there.',
  ),
  SOMBRA_NOTHING_FOUND: entry(
    'StateError',
    'The last search found nothing to read or change.',
    'Look at its result first.',
  ),
  SOMBRA_CURSOR_NOWHERE: entry('StateError', 'The cursor stands on no entry.', 'Place it first, or take a step.'),
  SOMBRA_VALUE_IN_OVERFLOW: entry(
    'StateError',
    'A value in overflow pages cannot be changed in place.',
    'Put a new value.',
  ),
  SOMBRA_NOT_TEXT: entry('DataError', 'Bytes that were read as text are not UTF-8.', 'Read them as bytes.'),
  SOMBRA_KEY_TOO_LONG: entry(
    'DataError',
    'A key is longer than an eighth of a page.',
    'Shorten it, or use larger pages.',
  ),
  SOMBRA_KEY_ORDER: entry(
    'DataError',
    'The keys given to a bulk build are not in ascending order.',
    'Sort the entries first.',
  ),

  // ---- of places for objects (@sombra/ops)
  SOMBRA_OBJECT_KEY: entry(
    'DataError',
    'The text cannot be the key of an object: it is empty, has empty parts, `..` or control characters, is too long, or another object is in its way.',
    'Take names such as `wal/000012`.',
  ),
  SOMBRA_STORE_URL: entry(
    'DataError',
    'The location of a place for objects is neither a directory nor `s3://bucket/prefix`, or holds credentials.',
    'Correct it; credentials belong into the environment or a profile.',
  ),
  SOMBRA_OBJECT_MISSING: entry('StateError', 'There is no object of this key.', 'Check the key; `list` has them all.'),
  SOMBRA_OBJECT_EXISTS: entry(
    'StateError',
    'There is an object of this key, and it was to be written only if there was none. It was left as it is.',
    'Take another key, or leave out `ifAbsent` to replace it.',
  ),
  SOMBRA_OBJECT_CHANGED: entry(
    'StateError',
    'The object is not the one that was expected: somebody else has written or deleted it.',
    'Read it again, and decide anew.',
  ),
  SOMBRA_CONDITION_UNENFORCED: entry(
    'StateError',
    'The place does not enforce `ifAbsent` or `ifUnchanged`, so that two writers at once could both succeed. Nothing was written.',
    "Use another place, or accept the race with `unenforcedConditions: 'check-first'`.",
  ),
  SOMBRA_STORE_DRIVER: entry(
    'StateError',
    'The packages for S3 are not installed.',
    'Run `npm install @aws-sdk/client-s3 @aws-sdk/lib-storage`.',
  ),

  // ---- of the command line
  SOMBRA_USAGE: entry('DataError', 'The command line is invalid.', '`sombra --help` lists commands and options.'),
  SOMBRA_NOT_CONFIRMED: entry(
    'StateError',
    'The command needs a confirmation, and the answer was no, or there was no terminal to ask on. Nothing was done.',
    'Answer y, or pass `--yes`.',
  ),
  SOMBRA_NODE_AMBIGUOUS: entry(
    'DataError',
    'More than one node matches.',
    'Name the node by its id, or by a unique key.',
  ),
  SOMBRA_IMPORT_FILE: entry('DataError', 'A file to import cannot be read.', 'Check path, permission and compression.'),
  SOMBRA_CSV_HEADER: entry('DataError', 'The header of an import file lacks a column or has an invalid one.', IMPORT),
  SOMBRA_CSV_SYNTAX: entry(
    'DataError',
    'A line is not valid CSV, or its number of cells differs from the header.',
    IMPORT,
  ),
  SOMBRA_CSV_CELL: entry(
    'DataError',
    'A cell does not match the type of its column, for example an invalid number.',
    IMPORT,
  ),
  SOMBRA_IMPORT_DUPLICATE_ID: entry('DataError', 'Two nodes to import have the same id.', IMPORT),
  SOMBRA_IMPORT_DANGLING_EDGE: entry(
    'DataError',
    'An edge to import begins or ends at a node that does not exist.',
    IMPORT,
  ),
  SOMBRA_INDEX_NOT_FOUND: entry(
    'DataError',
    'There is no index on exactly these properties.',
    '`sombra index list` shows all indexes.',
  ),
  SOMBRA_JSONL_SYNTAX: entry(
    'DataError',
    'A line of JSON Lines is not an object for a node or an edge, as described in docs/reference/cli.md.',
    IMPORT,
  ),
  SOMBRA_JSONL_VALUE: entry('DataError', 'A property in a line of JSON Lines cannot be read.', IMPORT),
  SOMBRA_GRAPH_FILE_SYNTAX: entry(
    'DataError',
    'A file of GraphML, GEXF or graphology is not as its format says.',
    IMPORT,
  ),
  SOMBRA_GRAPH_FILE_VALUE: entry(
    'DataError',
    'A property in a file of GraphML, GEXF or graphology cannot be read.',
    IMPORT,
  ),
  SOMBRA_GRAPH_FILE_UNSUPPORTED: entry(
    'DataError',
    'A file of GraphML, GEXF or graphology has what a database cannot keep, for example nested graphs.',
    'Take it out of the file where the message says, and import again: nothing was imported.',
  ),
  SOMBRA_SAME_FILE: entry(
    'DataError',
    'A command would overwrite a file of the database, or import one. Nothing was changed.',
    'Name another file.',
  ),
  SOMBRA_EXPORT_VALUE: entry(
    'DataError',
    'The graph holds something that the format of an export cannot. Nothing was written.',
    'Leave it out by `--properties`, `--label` or `--type`, or export as csv or jsonl, which hold everything.',
  ),
  SOMBRA_EXPORT_EXISTS: entry(
    'DataError',
    'A file that an export would write exists. Nothing was written.',
    'Choose another destination, or pass `--force` to replace it.',
  ),
  SOMBRA_SCRIPT_EXISTS: entry(
    'DataError',
    'A script that `sombra install-scripts` would write is there and different. Nothing was written.',
    'Choose another folder, or pass `--force` to replace it.',
  ),
  SOMBRA_OUTPUT: entry(
    'IoError',
    'Standard output of a command cannot be written, for example on a full disk.',
    'Check where it goes, and free space there. The database was closed properly.',
  ),
  SOMBRA_EXPORT_FILE: entry(
    'IoError',
    'A file of an export cannot be written. None of its files was left behind.',
    'Check path, permission and free space.',
  ),
  SOMBRA_SCRIPT_FILE: entry(
    'IoError',
    'A script of `sombra install-scripts` cannot be read or written. None is half written.',
    'Check path, permission and free space.',
  ),
  SOMBRA_UNEXPECTED: entry('command line', 'An error without a code, which is a bug.', 'Report it, with the output.'),
});

/** A code of Sombra. */
export type ErrorCode = keyof typeof ERROR_CODES;

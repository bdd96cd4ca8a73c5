/** What shows that a backup can be restored: it is, into a file that is thrown away, and every page, record, edge and index of it is checked. */
import { directoryOf, IoError, toHex } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { Graph } from '@sombra/graph';
import type { VerifyReport } from '@sombra/graph';
import { Pager } from '@sombra/pager';
import type { ObjectStore } from '../base/object-store.ts';
import type { RestorePlan } from './choose.ts';
import { restorePlan } from './restore.ts';
import type { RestoreOptions } from './restore.ts';

export interface TestResult {
  readonly id: string;
  readonly lsn: number;
  /** Is everything as it should be? */
  readonly isClean: boolean;
  readonly report: VerifyReport;
}

/** @param folder  where the file is made, and removed @throws as `Backups.test` */
export async function testRestore(
  store: ObjectStore,
  vfs: Vfs,
  plan: RestorePlan,
  folder: string,
  options: Pick<RestoreOptions, 'onProgress' | 'signal'>,
): Promise<TestResult> {
  const { id } = plan.chain.at(-1)!;
  const path = `${folder}/sombra-test-${toHex(vfs.env.random(8))}.db`;
  try {
    const { lsn } = await restorePlan(store, vfs, plan, path, options);
    const pager = Pager.open({ vfs, path, createIfMissing: false });
    try {
      const report = await Graph.open(pager).verifyIntegrityAsync({ signal: options.signal });
      return { id, lsn, isClean: report.isClean, report };
    } finally {
      pager.close();
    }
  } finally {
    removeDatabase(vfs, path);
  }
}

/** The file and those beside it, as far as they are there. */
function removeDatabase(vfs: Vfs, path: string): void {
  const folder = directoryOf(path);
  const name = path.slice(folder === '/' ? 1 : folder.length + 1);
  for (const found of vfs.list(folder)) {
    if (!found.startsWith(name)) continue;
    try {
      vfs.unlink(`${folder}/${found}`);
    } catch (error) {
      // Another program has removed it.
      if (!(error instanceof IoError) || error.details['errno'] !== 'ENOENT') throw error;
    }
  }
}

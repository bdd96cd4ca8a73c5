import type { View } from '@sombra/pager';
import type { GraphStore } from '../store/store.ts';
import type { RecordSource } from '../model/record-source.ts';
import type { Watch } from '../model/watch.ts';
import type { Workspace } from './workspace.ts';

/** What traversals and algorithms read from: a reader with what it stands on. */
export interface ReadSource {
  readonly reader: RecordSource;
  readonly store: GraphStore;
  readonly workspace: Workspace;
  /** What the reader sees. */
  readonly view: View;
  /** Can it change while it is read? So it is in a transaction. */
  readonly changing: boolean;
  /** undefined: nothing ends the call early. */
  readonly watch: Watch | undefined;
}

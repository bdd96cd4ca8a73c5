/** Which kind of damage a code means. */
import type { FindingKind } from '@sombra/graph';

/** What is damaged: superblock or the file as a whole, log, pages, trees and the use of pages, records, adjacency, indexes and counts. */
export type DamageKind = 'headerErrors' | 'logErrors' | FindingKind;

const KINDS: Readonly<Record<string, DamageKind>> = {
  SOMBRA_SUPERBLOCK: 'headerErrors',
  SOMBRA_SUPERBLOCK_SLOT: 'headerErrors',
  SOMBRA_WAL_DAMAGED: 'logErrors',
  SOMBRA_WAL_FOREIGN: 'logErrors',
  SOMBRA_WAL_RECORD: 'logErrors',
  SOMBRA_WAL_OPS: 'logErrors',
  SOMBRA_WAL_EXISTS: 'logErrors',
  SOMBRA_RESTORE_MISMATCH: 'logErrors',
  SOMBRA_PAGE_CHECKSUM: 'checksumFailures',
  SOMBRA_PAGE_MISDIRECTED: 'checksumFailures',
  SOMBRA_PAGE_LSN: 'checksumFailures',
  SOMBRA_FILE_TRUNCATED: 'checksumFailures',
  SOMBRA_DELTA_BASE: 'checksumFailures',
  SOMBRA_WAL_ENTRY: 'checksumFailures',
  SOMBRA_FORMAT_VERSION: 'headerErrors',
  SOMBRA_RECORD: 'recordErrors',
  SOMBRA_ADJACENCY: 'adjacencyErrors',
  SOMBRA_PROPERTY_INDEX: 'indexErrors',
  SOMBRA_STATISTICS: 'indexErrors',
  SOMBRA_ID_BLOCK: 'indexErrors',
};

/** Kind of a finding that reading the file has met; of trees, catalogue, freelist and dictionary unless the code says otherwise. */
export function kindOf(code: string): DamageKind {
  return KINDS[code] ?? 'structureErrors';
}

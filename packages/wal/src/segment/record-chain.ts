/** When a record continues the log (rule F5), wherever its bytes come from. */
import { CorruptionError, readSafe64, readU32 } from '@sombra/vfs';
import {
  chainValue,
  REC_CHAIN,
  REC_CHECKSUM,
  REC_LSN,
  REC_NONCE,
  RECORD_HEADER_SIZE,
  recordChecksum,
} from '../record/record.ts';

/** Records of the log begin at multiples of this. */
export const ALIGNMENT = 8;

/** How far the chain of records has been followed. */
export interface ChainState {
  offset: number;
  chain: number;
  lsn: number;
}

/** Can a record have this length? */
export function isRecordLength(length: number): boolean {
  return length >= RECORD_HEADER_SIZE && length % ALIGNMENT === 0;
}

/** Does the record of `length` bytes at `bytes[at]`, all of which are there, continue the chain? Its salt and kind are not looked at. */
export function continuesChain(bytes: Uint8Array, at: number, length: number, state: Readonly<ChainState>): boolean {
  const checksum = readU32(bytes, at + REC_CHECKSUM);
  if (readSafe64(bytes, at + REC_LSN) !== state.lsn + 1) return false;
  if (readU32(bytes, at + REC_CHAIN) !== chainValue(state.chain, checksum, readU32(bytes, at + REC_NONCE)))
    return false;
  return checksum === recordChecksum(bytes, at, length);
}

/** The error about a record that continues the chain and is none that this release knows. */
export function unknownKind(path: string, offset: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_WAL_RECORD',
    `${path} holds a record of an unknown kind at ${offset}: use a newer release`,
    { details: { path, offset } },
  );
}

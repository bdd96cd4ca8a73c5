/**
 * Page operations: how a delta says what changed in a page. Little-endian 16-bit numbers, one operation behind the other:
 *
 *   set    1, offset, length - 1, the bytes, one byte of padding if their number is odd
 *   move   2, to, length - 1, from
 *   fill   3, offset, length - 1, value
 *
 * Bytes [0, 16) of a page are the pager's: no operation touches them.
 * Source: docs/format/page-ops.md.
 */
import { CorruptionError } from '@sombra/vfs';

export const OP_SET = 1;
export const OP_MOVE = 2;
export const OP_FILL = 3;
/** First byte of a page that operations may change. */
export const OPS_FIRST_BYTE = 16;
export const OP_CODE = 0;
export const OP_OFFSET = OP_CODE + 2;
export const OP_LENGTH = OP_OFFSET + 2;
export const OP_OPERAND = OP_LENGTH + 2;
/** Bytes of an operation before the bytes that a set carries. */
export const SET_HEADER_SIZE = OP_OPERAND;
/** Bytes of a move or a fill. */
export const SHORT_OP_SIZE = OP_OPERAND + 2;

function malformed(what: string): CorruptionError {
  return new CorruptionError('SOMBRA_WAL_OPS', `a delta in the log is malformed: ${what}; restore a backup`);
}

/**
 * Applies operations to a page.
 * @param page      holds the page from `base` on
 * @param ops       holds the operations in [from, to)
 * @throws CorruptionError SOMBRA_WAL_OPS when one reaches out of the page or the list; the page is then half changed
 */
export function applyOps(
  page: Uint8Array,
  base: number,
  pageSize: number,
  ops: Uint8Array,
  from: number,
  to: number,
): void {
  let at = from;
  while (at < to) {
    if (at + SET_HEADER_SIZE > to) throw malformed('an operation does not fit');
    const code = ops[at + OP_CODE]! | (ops[at + OP_CODE + 1]! << 8);
    const offset = ops[at + OP_OFFSET]! | (ops[at + OP_OFFSET + 1]! << 8);
    const length = (ops[at + OP_LENGTH]! | (ops[at + OP_LENGTH + 1]! << 8)) + 1;
    if (offset < OPS_FIRST_BYTE || offset + length > pageSize)
      throw malformed(`bytes ${offset} to ${offset + length} of a page of ${pageSize}`);
    const target = base + offset;
    if (code === OP_SET) {
      const source = at + SET_HEADER_SIZE;
      at = source + ((length + 1) & ~1);
      if (at > to) throw malformed('an operation does not fit');
      if (length > 64) page.set(ops.subarray(source, source + length), target);
      else for (let i = 0; i < length; i += 1) page[target + i] = ops[source + i]!;
      continue;
    }
    if (at + SHORT_OP_SIZE > to) throw malformed('an operation does not fit');
    const operand = ops[at + OP_OPERAND]! | (ops[at + OP_OPERAND + 1]! << 8);
    if (code === OP_MOVE) {
      if (operand < OPS_FIRST_BYTE || operand + length > pageSize)
        throw malformed(`a move from ${operand} of a page of ${pageSize}`);
      page.copyWithin(target, base + operand, base + operand + length);
    } else if (code === OP_FILL) {
      if (operand > 0xff) throw malformed(`a fill with ${operand}`);
      page.fill(operand, target, target + length);
    } else throw malformed(`unknown operation ${code}`);
    at += SHORT_OP_SIZE;
  }
}

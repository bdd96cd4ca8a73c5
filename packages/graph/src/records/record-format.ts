/**
 * Property record: labels and properties of a node, or the properties of an edge. Little-endian.
 *
 *   offset  size  field        notes
 *        0     1  format       format number in the high four bits (1), low four bits zero
 *        1        shapeLength  varint: bytes of the shape
 *                 shape        varint label count, label ids (varints); varint property count, then per property
 *                              key id (varint) and tag (one byte)
 *                 values       one after the other, in the order of the shape, sizes by tag; the record ends with them
 *
 * Records of the same labels, keys and tags have the same shape bytes, so a reader recognises the shape by comparing
 * bytes and need not parse it again.
 *
 * Source: docs/format/property-record.md. record-format.test.ts compares its tables with these constants.
 */

/** Format number, in the high four bits of the first byte. */
export const RECORD_FORMAT = 1;
export const RECORD_FORMAT_OFFSET = 0;
export const RECORD_SHAPE_LENGTH_OFFSET = RECORD_FORMAT_OFFSET + 1;

/** What a value is; the byte after its key in the shape. Numbers that are missing here are refused. */
export const TAG = {
  /** No value bytes. */
  false: 1,
  /** No value bytes. */
  true: 2,
  /** Signed varint of a safe integer. */
  integer: 3,
  /** Signed 64-bit integer, 8 bytes, for integers that are not safe. */
  integer64: 4,
  /** IEEE 754 double, 8 bytes. */
  float: 5,
  /** Varint length, bytes of ASCII. */
  ascii: 6,
  /** Varint length in bytes, UTF-8. */
  text: 7,
  /** Varint length, bytes. */
  bytes: 8,
  /** Milliseconds since 1970-01-01 UTC as a signed varint. */
  date: 9,
  /** Varint length of what follows in bytes; varint count; per element a tag and a value. */
  list: 10,
  /** Varint length of what follows in bytes; varint count; per entry key (tag ascii or text, length, bytes), tag, value. */
  map: 11,
} as const;

/**
 * Edge record: fixed fields, then a property record without labels.
 *
 *   offset  size  field       notes
 *        0     4  source      low 32 bits
 *        4     4  target      low 32 bits
 *        8     2  type        edge type id
 *       10     2  sourceHigh  high 16 bits
 *       12     2  targetHigh  high 16 bits
 *       14        properties  property record
 *
 * Source: docs/format/property-record.md.
 */
export const EDGE_SOURCE_OFFSET = 0;
export const EDGE_TARGET_OFFSET = EDGE_SOURCE_OFFSET + 4;
export const EDGE_TYPE_OFFSET = EDGE_TARGET_OFFSET + 4;
export const EDGE_SOURCE_HIGH_OFFSET = EDGE_TYPE_OFFSET + 2;
export const EDGE_TARGET_HIGH_OFFSET = EDGE_SOURCE_HIGH_OFFSET + 2;
export const EDGE_PROPERTIES_OFFSET = EDGE_TARGET_HIGH_OFFSET + 2;

/** Limits of the engine. Exceeding one gets a typed error, never a truncated answer. */

/** Largest node or edge id. */
export const ID_MAX = 2 ** 48 - 1;
/** Longest label, edge type or property key, in bytes of UTF-8. */
export const NAME_SIZE_MAX = 255;
/** Longest string or byte value, and largest list or map once encoded, in bytes. */
export const VALUE_SIZE_MAX = 16 * 1024 * 1024;
/** Largest record, all properties together, in bytes. */
export const RECORD_SIZE_MAX = VALUE_SIZE_MAX + 1024 * 1024;
/** Levels of nesting of lists and maps. */
export const NESTING_MAX = 32;
/** Levels of nesting of `and`, `or` and `not`. */
export const CONDITION_DEPTH_MAX = 256;
/** Number of different labels. */
export const LABELS_MAX = 65_535;
/** Number of different edge types. */
export const EDGE_TYPES_MAX = 65_535;
/** Number of different property keys. */
export const PROPERTY_KEYS_MAX = 2 ** 24;

// Statements that must be refused, each with its code and without any change of the data.
import type { GraphTransaction, PropertyInput, PropertyValue } from '../../src/index.ts';

/** A statement on a graph in which node `node` has edge `edge`, and `missing` is no id of anything. */
export interface BadStatement {
  readonly name: string;
  readonly code: string;
  readonly run: (tx: GraphTransaction, ids: { node: number; edge: number; missing: number }) => unknown;
}

const HALF = '\ud83d';
const LONG = 'é'.repeat(128);
const HUGE = 'x'.repeat(16 * 1024 * 1024 + 1);

function nested(depth: number): PropertyValue {
  let value: PropertyValue = 1;
  for (let i = 0; i < depth; i += 1) value = [value];
  return value;
}

const DEEP = nested(33);
const text = (value: unknown): string => value as string;
const id = (value: unknown): number => value as number;

/** Values that no property can have. A name that is new must not stay behind, so each comes with one. */
const VALUES: [string, unknown, string][] = [
  ['half a surrogate pair', HALF, 'SOMBRA_TEXT_SURROGATE'],
  ['a value over 16 MiB', HUGE, 'SOMBRA_VALUE_TOO_LARGE'],
  ['33 levels', DEEP, 'SOMBRA_NESTING'],
  ['a function', () => 1, 'SOMBRA_VALUE_KIND'],
  ['2^63', 2n ** 63n, 'SOMBRA_VALUE_KIND'],
];

const values: BadStatement[] = VALUES.flatMap(([what, value, code]) => {
  const bad = { neverBefore: 1, bad: value } as PropertyInput;
  const one = value as PropertyValue;
  return [
    { name: `addNode with ${what}`, code, run: (tx) => tx.addNode('NewLabel', bad) },
    { name: `addEdge with ${what}`, code, run: (tx, { node }) => tx.addEdge(node, node, 'NewType', bad) },
    { name: `setNodeProperty to ${what}`, code, run: (tx, { node }) => tx.setNodeProperty(node, 'newKey', one) },
    { name: `setEdgeProperty to ${what}`, code, run: (tx, { edge }) => tx.setEdgeProperty(edge, 'newKey', one) },
    { name: `replaceNodeProperties with ${what}`, code, run: (tx, { node }) => tx.replaceNodeProperties(node, bad) },
    { name: `updateEdgeProperties with ${what}`, code, run: (tx, { edge }) => tx.updateEdgeProperties(edge, bad) },
  ] satisfies BadStatement[];
});

const NAMES: [string, unknown, string][] = [
  ['of more than 255 bytes', LONG, 'SOMBRA_NAME_TOO_LONG'],
  ['with half a surrogate pair', HALF, 'SOMBRA_TEXT_SURROGATE'],
];

const names: BadStatement[] = [
  ...[
    ...NAMES,
    ['that is empty', '', 'SOMBRA_LABEL_EMPTY'] as const,
    ['that is a number', 7, 'SOMBRA_VALUE_KIND'] as const,
  ].flatMap(([what, name, code]): BadStatement[] => [
    { name: `a second label ${what}`, code, run: (tx) => tx.addNode(['NewLabel', text(name)], { newKey: 1 }) },
    { name: `addLabel ${what}`, code, run: (tx, { node }) => tx.addLabel(node, text(name)) },
    { name: `an edge type ${what}`, code, run: (tx, { node }) => tx.addEdge(node, node, text(name)) },
  ]),
  ...NAMES.flatMap(([what, name, code]): BadStatement[] => [
    { name: `a property key ${what}`, code, run: (tx) => tx.addNode('NewLabel', { newKey: 1, [text(name)]: 1 }) },
    { name: `a property key of an edge ${what}`, code, run: (tx, { edge }) => tx.setEdgeProperty(edge, text(name), 1) },
  ]),
  {
    name: 'labels that are no list',
    code: 'SOMBRA_VALUE_KIND',
    run: (tx) => tx.addNode({ label: 'A' } as unknown as string),
  },
  { name: 'no labels at all', code: 'SOMBRA_VALUE_KIND', run: (tx) => tx.addNode(undefined as unknown as string) },
  {
    name: 'a property key that is no string',
    code: 'SOMBRA_VALUE_KIND',
    run: (tx, { node }) => tx.setNodeProperty(node, text(5), 1),
  },
  {
    name: 'properties that are a list',
    code: 'SOMBRA_VALUE_KIND',
    run: (tx) => tx.addNode('NewLabel', [1] as unknown as PropertyInput),
  },
  {
    name: 'properties that are a Map',
    code: 'SOMBRA_VALUE_KIND',
    run: (tx, { node }) => tx.replaceNodeProperties(node, new Map() as unknown as PropertyInput),
  },
];

const missing: BadStatement[] = [
  {
    name: 'an edge to a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { node, missing }) => tx.addEdge(node, missing, 'NewType', { newKey: 1 }),
  },
  {
    name: 'an edge from a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { node, missing }) => tx.addEdge(missing, node, 'NewType'),
  },
  {
    name: 'setNodeProperty of a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { missing }) => tx.setNodeProperty(missing, 'newKey', 1),
  },
  {
    name: 'removeNodeProperty of a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { missing }) => tx.removeNodeProperty(missing, 'a'),
  },
  {
    name: 'replaceNodeProperties of a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { missing }) => tx.replaceNodeProperties(missing, {}),
  },
  {
    name: 'updateNodeProperties of a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { missing }) => tx.updateNodeProperties(missing, {}),
  },
  {
    name: 'addLabel to a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { missing }) => tx.addLabel(missing, 'NewLabel'),
  },
  {
    name: 'removeLabel from a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { missing }) => tx.removeLabel(missing, 'NewLabel'),
  },
  {
    name: 'deleteNode of a missing node',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { missing }) => tx.deleteNode(missing),
  },
  {
    name: 'deleteNode of a missing node, with its edges',
    code: 'SOMBRA_NODE_NOT_FOUND',
    run: (tx, { missing }) => tx.deleteNode(missing, { cascade: true }),
  },
  {
    name: 'deleteNode of a node with edges',
    code: 'SOMBRA_NODE_HAS_EDGES',
    run: (tx, { node }) => tx.deleteNode(node),
  },
  {
    name: 'deleteEdge of a missing edge',
    code: 'SOMBRA_EDGE_NOT_FOUND',
    run: (tx, { missing }) => tx.deleteEdge(missing),
  },
  {
    name: 'setEdgeProperty of a missing edge',
    code: 'SOMBRA_EDGE_NOT_FOUND',
    run: (tx, { missing }) => tx.setEdgeProperty(missing, 'newKey', 1),
  },
  {
    name: 'removeEdgeProperty of a missing edge',
    code: 'SOMBRA_EDGE_NOT_FOUND',
    run: (tx, { missing }) => tx.removeEdgeProperty(missing, 'a'),
  },
  {
    name: 'replaceEdgeProperties of a missing edge',
    code: 'SOMBRA_EDGE_NOT_FOUND',
    run: (tx, { missing }) => tx.replaceEdgeProperties(missing, {}),
  },
  {
    name: 'updateEdgeProperties of a missing edge',
    code: 'SOMBRA_EDGE_NOT_FOUND',
    run: (tx, { missing }) => tx.updateEdgeProperties(missing, {}),
  },
];

/** What cannot be an id. */
export const NO_IDS: readonly unknown[] = [0, -1, 1.5, NaN, Infinity, 2 ** 48, 2 ** 53, '1', 1n, null, undefined, {}];

const ids: BadStatement[] = NO_IDS.flatMap((bad): BadStatement[] => [
  {
    name: `addEdge from node ${typeof bad} ${String(bad)}`,
    code: 'SOMBRA_ID_RANGE',
    run: (tx, { node }) => tx.addEdge(id(bad), node, 'NewType'),
  },
  {
    name: `addEdge to node ${typeof bad} ${String(bad)}`,
    code: 'SOMBRA_ID_RANGE',
    run: (tx, { node }) => tx.addEdge(node, id(bad), 'NewType'),
  },
  { name: `deleteNode ${typeof bad} ${String(bad)}`, code: 'SOMBRA_ID_RANGE', run: (tx) => tx.deleteNode(id(bad)) },
  { name: `deleteEdge ${typeof bad} ${String(bad)}`, code: 'SOMBRA_ID_RANGE', run: (tx) => tx.deleteEdge(id(bad)) },
  {
    name: `setNodeProperty of ${typeof bad} ${String(bad)}`,
    code: 'SOMBRA_ID_RANGE',
    run: (tx) => tx.setNodeProperty(id(bad), 'a', 1),
  },
  {
    name: `addLabel to ${typeof bad} ${String(bad)}`,
    code: 'SOMBRA_ID_RANGE',
    run: (tx) => tx.addLabel(id(bad), 'NewLabel'),
  },
]);

const options: BadStatement[] = [
  {
    name: 'an unknown option',
    code: 'SOMBRA_OPTION',
    run: (tx, { node }) => tx.deleteNode(node, { casade: true } as never),
  },
  {
    name: 'an option of another kind',
    code: 'SOMBRA_OPTION',
    run: (tx, { node }) => tx.deleteNode(node, { cascade: 'yes' } as never),
  },
  {
    name: 'options that are no object',
    code: 'SOMBRA_OPTION',
    run: (tx, { node }) => tx.deleteNode(node, true as never),
  },
];

const savepoints: BadStatement[] = [
  { name: 'rollbackTo no savepoint', code: 'SOMBRA_SAVEPOINT', run: (tx) => tx.rollbackTo(12_345) },
  { name: 'releaseSavepoint of no savepoint', code: 'SOMBRA_SAVEPOINT', run: (tx) => tx.releaseSavepoint(12_345) },
];

export const BAD_STATEMENTS: readonly BadStatement[] = [
  ...values,
  ...names,
  ...missing,
  ...ids,
  ...options,
  ...savepoints,
];

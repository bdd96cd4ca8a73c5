// Writes and reads names that every object inherits, where a write to a prototype throws. Prints what it read.
import { GraphDB } from '@sombra/db';

for (const { prototype } of [Object, Array, Function, Map, Uint8Array]) Object.freeze(prototype);
const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'length', ''];
const valuesOf = () => JSON.parse(`{${names.map((name, i) => `${JSON.stringify(name)}:${i}`).join()}}`);

const db = GraphDB.open(':memory:', JSON.parse('{"cacheSize":100}'));
const labels = names.filter((name) => name !== '');
const node = db.addNode(labels, { ...valuesOf(), nested: [valuesOf()] });
const edges = labels.map((type) => db.addEdge(node, node, type, valuesOf()));
db.updateNodeProperties(node, valuesOf());
db.setNodeProperty(node, '__proto__', 'own');
db.setNodeProperty(node, 'constructor', null);
const read = db.getNode(node);
const own = (object) => Object.keys(object).map((name) => [name, object[name]]);
const answer = {
  labels: read.labels,
  properties: own(read.properties).filter(([name]) => name !== 'nested'),
  nested: own(read.properties.nested[0]),
  single: names.map((name) => db.getNodeProperty(node, name) ?? null),
  absent: [db.getNodeProperty(node, 'isPrototypeOf') ?? null, read.properties.isPrototypeOf ?? null],
  found: [
    db.findNodes({ label: '__proto__', where: { toString: 2 } }).all().length,
    db.findNodes({ label: 'toString', where: { toString: 3 } }).all().length,
  ],
  edges: edges.map((id) => own(db.getEdge(id).properties).length),
  types: labels.map((type) => [db.edgeCount(type), db.nodeCount(type), db.outgoing(node, { type }).length]),
  missing: [
    db.edgeCount('isPrototypeOf'),
    db.nodeCount('isPrototypeOf'),
    db.neighbors(node, { type: 'isPrototypeOf' }),
  ],
  keys: db.propertyKeys(),
  polluted: {}.polluted ?? null,
  problems: db.verifyIntegrity().errors,
};
db.close();
console.log(JSON.stringify(answer));

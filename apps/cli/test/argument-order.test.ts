// Goal: the verb is found in both orders of arguments. Method: argument lists, each with what it means.
import { describe, expect, it } from 'vitest';
import { verbFirst } from '../src/inspect/argument-order.ts';

const VERBS = new Set(['info', 'verify']);
const VALUED = new Set(['--max-errors']);

const cases: [given: string, args: string, legacy: boolean][] = [
  ['verify graph.db', 'verify graph.db', false],
  ['graph.db verify', 'verify graph.db', true],
  ['--json graph.db verify', 'verify --json graph.db', true],
  ['--json verify graph.db', 'verify --json graph.db', false],
  ['graph.db --json verify --max-errors 3', 'verify graph.db --json --max-errors 3', true],
  ['--max-errors 3 graph.db verify', 'verify --max-errors 3 graph.db', true],
  ['verify info', 'verify info', false], // a database whose name is a verb
  ['info verify', 'info verify', false],
  ['graph.db', 'graph.db', false],
  ['graph.db other verify', 'graph.db other verify', false],
  ['graph.db --json -- verify', 'graph.db --json -- verify', false],
  ['', '', false],
];

describe('the order of arguments', () => {
  it.each(cases)('%j', (given, args, legacy) => {
    const found = verbFirst(given.split(' '), VERBS, VALUED);
    expect([found.args.join(' '), found.legacy]).toEqual([args, legacy]);
  });
});

// Puts every question of a social network's truth to Sombra; what is loaded must pass verification.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphDB } from '@sombra/db';
import { readTruth } from './load.ts';
import { networkRows } from './network-files.ts';
import { NETWORK_SOLVERS } from './network-questions.ts';

/** `questions`: how many the truth has; none may get lost. */
export interface Network {
  readonly name: string;
  readonly nodes: number;
  readonly edges: number;
  readonly questions: number;
}

export const SMALL_NETWORKS: readonly Network[] = [
  { name: 'lsqb-example', nodes: 28, edges: 72, questions: 7 },
  { name: 'lsqb-sf0003', nodes: 31_524, edges: 49_680, questions: 28 },
];
export const LARGE_NETWORK: Network = { name: 'snb-sf01', nodes: 327_588, edges: 1_354_697, questions: 32 };

/** Declares the tests of one network. */
export function testNetwork({ name, nodes, edges, questions }: Network): void {
  describe(name, () => {
    let db: GraphDB;

    beforeAll(() => {
      db = GraphDB.open(':memory:');
      for (const label of ['Person', 'Comment']) db.createPropertyIndex(label, 'id', { unique: true });
      expect(db.bulkLoad(networkRows(name))).toMatchObject({ nodes, edges });
    });
    afterAll(() => db.close());

    const items = readTruth(name);
    it('has all its questions', () => expect(items.length).toBe(questions));

    it.each(items.map((item) => [item.id, item] as const))('%s', (id, item) => {
      const solver = NETWORK_SOLVERS.find(([pattern]) => pattern.test(id))?.[1];
      if (solver === undefined) throw new Error(`nothing answers ${id}: ${item.what}`);
      expect(solver(db, { id, params: item.params ?? {} })).toEqual(item.answer);
    });

    it('passes verification', () => {
      expect(db.verifyIntegrity().isClean).toBe(true);
    });
  });
}

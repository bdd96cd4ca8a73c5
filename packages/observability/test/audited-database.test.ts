// Goal: the audit trail of a database names every committed write with its user, and nothing else. Method: real databases and trails in a
// temporary folder; every method that writes, by several users, synchronous and asynchronous; rollbacks of all kinds; sinks and disks that fail.
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphDB } from '@sombra/db';
import { MemoryVfs, NodeVfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { auditFile, queryAudit, verifyAudit, withAudit } from '../src/index.ts';
import type { AuditedDatabase, AuditOptions, AuditRecord, AuditSink } from '../src/index.ts';
import { codeOf } from './support/codes.ts';
import { folder } from './support/folder.ts';

interface Audited {
  readonly db: GraphDB;
  readonly audited: AuditedDatabase<GraphDB>;
  readonly path: string;
  /** What was recorded: user, action, nodes, edges. */
  lines(): string[];
}

function open(options: Partial<AuditOptions> = {}): Audited {
  const directory = folder();
  const path = join(directory, 'audit.jsonl');
  const db = GraphDB.open(join(directory, 'graph.db'));
  const audited = withAudit(db, auditFile(path, { sync: false }), { user: 'system', ...options });
  onTestFinished(() => db.close());
  const lines = (): string[] =>
    [...queryAudit(path)].map(({ user, action, nodes, edges }) => `${user} ${action} ${nodes.join()} ${edges.join()}`);
  return { db, audited, path, lines };
}

describe('an audited database', () => {
  it('records every write with user, action, ids, time and commit', () => {
    const { db, audited, path } = open();
    const before = Date.now();
    const ada = audited.as('ada').addNode('Person', { name: 'Ada' });
    const { lsn } = db;
    const [entry] = queryAudit(path);
    expect(entry).toMatchObject({
      seq: 1,
      user: 'ada',
      action: 'addNode',
      node_id: ada,
      nodes: [ada],
      edges: [],
      lsn,
      transaction: 1,
    });
    const time = Date.parse(entry!.timestamp);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('has every method of the database that writes', async () => {
    const { db, audited, lines } = open();
    const bob = audited.as('bob');
    const a = bob.addNode('P', { key: 1 });
    const b = bob.addNode('P');
    const e = bob.addEdge(a, b, 'T');
    bob.setNodeProperty(a, 'k', 1);
    bob.updateNodeProperties(a, { k: 2 });
    bob.replaceNodeProperties(a, { key: 1, k: 3 });
    expect(bob.removeNodeProperty(a, 'k')).toBe(true);
    bob.setEdgeProperty(e, 'k', 1);
    bob.updateEdgeProperties(e, { k: 2 });
    bob.replaceEdgeProperties(e, { k: 3 });
    expect(bob.removeEdgeProperty(e, 'k')).toBe(true);
    expect(bob.addLabel(a, 'Q')).toBe(true);
    expect(bob.removeLabel(a, 'Q')).toBe(true);
    expect(bob.createPropertyIndex('P', 'key', { unique: true })).toBe(true);
    expect(await bob.createEdgePropertyIndexAsync('T', 'k')).toBe(true);
    expect(bob.upsertNode('P', { key: 1 }, { k: 1 })).toMatchObject({ id: a });
    bob.upsertEdge(a, b, 'T', { k: 9 });
    const { refs } = bob.addMany({
      nodes: [{ ref: 'c', labels: 'P' }],
      edges: [{ source: 'c', target: b, type: 'T' }],
    });
    const c = refs.get('c')!;
    expect(bob.deleteEdges([e])).toBe(1);
    bob.deleteNode(c, { cascade: true });
    expect(bob.deleteNodes([b])).toBe(1);
    expect(bob.dropPropertyIndex('P', 'key')).toBe(true);
    expect(bob.dropEdgePropertyIndex('T', 'k')).toBe(true);
    expect(lines().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
      [
        'addNode',
        'addNode',
        'addEdge',
        'setNodeProperty',
        'updateNodeProperties',
        'replaceNodeProperties',
        'removeNodeProperty',
        'setEdgeProperty',
        'updateEdgeProperties',
        'replaceEdgeProperties',
        'removeEdgeProperty',
        'addLabel',
        'removeLabel',
        'createPropertyIndex',
        'createEdgePropertyIndex',
        'updateNodeProperties',
        'updateEdgeProperties',
        'addNode',
        'addEdge',
        'deleteEdge',
        'deleteNode',
        'deleteNode',
        'dropPropertyIndex',
        'dropEdgePropertyIndex',
      ].map((action) => `bob ${action}`),
    );
    expect(lines()).toContain(`bob deleteNode ${c} 2`);
    expect(db.nodeCount()).toBe(1);
  });

  it('has no other method of the database', () => {
    const { audited } = open();
    const { as, pending, close, ...writes } = audited;
    expect([typeof as, pending, typeof close]).toEqual(['function', 0, 'function']);
    const own = Object.keys(writes);
    expect(own.length).toBe(30);
    expect(Object.keys(audited.as('ada')).sort()).toEqual(own.sort());
    expect(Object.isFrozen(audited)).toBe(true);
    // A method that writes and is not in the list would go unattributed: all others of the database only read, or change nothing of the graph.
    const others = methodsOf(GraphDB).filter((name) => !own.includes(name));
    expect(
      others.filter((name) => /^(add|set|remove|replace|update|delete|upsert|create|drop|bulk)/.test(name)),
    ).toEqual(['setCacheSize']);
  });

  it('records bulk loads and indexes with what they are about', () => {
    const { audited, path } = open();
    audited
      .as('ada')
      .bulkLoad({ nodes: [{ labels: 'P' }, { labels: 'P' }], edges: [{ source: 0, target: 1, type: 'T' }] });
    audited.createPropertyIndex('P', ['a', 'b']);
    const [load, index] = [...queryAudit(path)];
    expect(load).toMatchObject({ user: 'ada', action: 'bulkLoad', nodes: [], node_id: null, transaction: null });
    expect(load!.details).toEqual({ counts: { nodes: 2, edges: 1 } });
    expect(index).toMatchObject({ user: 'system', action: 'createPropertyIndex', transaction: null });
    expect(index!.details).toEqual({ index: { of: 'P', keys: ['a', 'b'] } });
  });

  it('attributes a transaction to whoever began it', () => {
    const { db, audited, lines } = open();
    audited.as('ada').transaction((tx) => {
      tx.addNode('A');
      audited.as('eve').transaction((inner) => inner.addNode('B'));
      tx.transaction((inner) => inner.addNode('C'));
    });
    const tx = audited.as('bob').beginTransaction();
    tx.addNode('D');
    tx.commit();
    db.addNode('E'); // past the audited database
    expect(lines()).toEqual([
      'ada addNode 1 ',
      'ada addNode 2 ',
      'ada addNode 3 ',
      'bob addNode 4 ',
      'system addNode 5 ',
    ]);
  });

  it('records nothing that was not committed', async () => {
    const { db, audited, lines, path } = open();
    const ada = audited.as('ada');
    const fail = (): never => {
      throw new Error('no');
    };
    expect(() => ada.transaction((tx) => [tx.addNode('A'), fail()])).toThrow('no');
    await expect(ada.transactionAsync((tx) => [tx.addNode('A'), fail()])).rejects.toThrow('no');
    ada.beginTransaction().rollback();
    const explicit = ada.beginTransaction();
    explicit.addNode('A');
    explicit.rollback();
    ada.transaction((tx) => tx.nodeCount());
    expect(codeOf(() => ada.addEdge(98, 99, 'T'))).toBe('SOMBRA_NODE_NOT_FOUND');
    expect(ada.deleteNodes([99])).toBe(0);
    ada.transaction((tx) => {
      const kept = tx.addNode('A');
      expect(() => tx.transaction((inner) => [inner.deleteNode(kept), fail()])).toThrow('no');
      const savepoint = tx.savepoint();
      tx.addNode('B');
      tx.setNodeProperty(kept, 'k', 1);
      tx.rollbackTo(savepoint);
      tx.addLabel(kept, 'C');
    });
    ada.beginTransaction().addNode('A');
    db.close();
    expect(lines().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['ada addNode', 'ada addLabel']);
    expect(verifyAudit(path)).toMatchObject({ ok: true, entries: 2 });
  });

  it('asks who the user is at the call, not when an asynchronous transaction runs', async () => {
    const users = new AsyncLocalStorage<string>();
    const { audited, lines } = open({ user: () => users.getStore() ?? 'nobody' });
    const write = (user: string, label: string): Promise<unknown> =>
      users.run(user, () => audited.transactionAsync((tx) => tx.addNode(label)));
    await Promise.all([write('ada', 'A'), write('bob', 'B'), write('eve', 'C')]);
    users.run('carol', () => audited.addNode('D'));
    audited.addNode('E');
    expect(lines()).toEqual([
      'ada addNode 1 ',
      'bob addNode 2 ',
      'eve addNode 3 ',
      'carol addNode 4 ',
      'nobody addNode 5 ',
    ]);
  });

  it('a synchronous write that runs asynchronous ones first takes none of them over', async () => {
    const { db, audited, lines } = open();
    const waiting = [
      audited.as('bob').transactionAsync((tx) => tx.addNode('A')),
      db.transactionAsync((tx) => tx.addNode('B')),
    ];
    audited.as('ada').addNode('C');
    await Promise.all(waiting);
    expect(lines()).toEqual(['bob addNode 1 ', 'system addNode 2 ', 'ada addNode 3 ']);
  });

  it('writes nothing for a user that there is none', () => {
    const { db, audited, lines } = open();
    for (const user of ['', undefined, 7, null]) {
      expect(codeOf(() => audited.as(user as string))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => audited.as(() => user as string).addNode('A'))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => audited.as(() => user as string).transactionAsync(() => 1))).toBe('SOMBRA_OPTION');
    }
    const failing = audited.as(() => {
      throw new Error('no request');
    });
    expect(() => failing.addNode('A')).toThrow('no request');
    expect([db.nodeCount(), lines()]).toEqual([0, []]);
  });

  it('records a write past it even when the user cannot be told', () => {
    const warnings: string[] = [];
    const { db, lines } = open({
      user: () => {
        throw new Error('no request');
      },
      onWarning: ({ code }) => warnings.push(code),
    });
    db.addNode('A');
    expect(lines()).toEqual(['null addNode 1 ']);
    expect(warnings).toEqual(['SOMBRA_AUDIT_FAILED']);
  });

  it('hands on what the database refuses', () => {
    const { db, audited } = open();
    const notAFunction = 7 as unknown as () => void;
    expect(codeOf(() => audited.transaction(notAFunction))).toBe(codeOf(() => db.transaction(notAFunction)));
    db.transaction(() => {
      expect(codeOf(() => audited.addNode('A'))).toBe('SOMBRA_TRANSACTION_ACTIVE');
    });
    const tx = db.beginTransaction();
    expect(codeOf(() => audited.addNode('A'))).toBe('SOMBRA_BUSY');
    expect(codeOf(() => audited.transaction(() => 1))).toBe('SOMBRA_BUSY');
    tx.rollback();
    expect(codeOf(() => audited.setNodeProperty(7, 'k', 1))).toBe('SOMBRA_NODE_NOT_FOUND');
    db.close();
    expect(codeOf(() => audited.addNode('A'))).toBe('SOMBRA_CLOSED');
  });

  it('ends with close, which closes the sink', () => {
    const { db, audited, path, lines } = open();
    audited.addNode('A');
    audited.close();
    audited.close();
    db.addNode('B');
    expect(lines()).toEqual(['system addNode 1 ']);
    auditFile(path).close(); // the lock is free
  });

  it('refuses options that do not exist', () => {
    const db = GraphDB.open(':memory:');
    const sink: AuditSink = { append: () => undefined, close: () => undefined };
    expect(codeOf(() => withAudit(db, sink, { user: '' }))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => withAudit(db, sink, { user: 'a', onFailure: 'stop' as 'warn' }))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => withAudit(db, sink, { user: 'a', onfailure: 'warn' } as AuditOptions))).toBe('SOMBRA_OPTION');
    db.close();
  });

  it('records no value of a property', () => {
    const { audited, path } = open();
    const id = audited.addNode('Person', { name: 'canary-7431' });
    audited.setNodeProperty(id, 'name', 'canary-7431');
    expect(readFileSync(path, 'utf8')).not.toContain('canary-7431');
  });
});

describe('a trail that cannot be written', () => {
  function failing(options: Partial<AuditOptions>): {
    db: GraphDB;
    audited: AuditedDatabase<GraphDB>;
    disk: FaultyVfs;
    warnings: string[];
    actions(): (string | null)[];
  } {
    const disk = new FaultyVfs(new NodeVfs());
    const path = join(folder(), 'audit.jsonl');
    const warnings: string[] = [];
    const db = GraphDB.open(':memory:');
    onTestFinished(() => db.close());
    const onWarning = ({ code }: { code: string }): number => warnings.push(code);
    const audited = withAudit(db, auditFile(path, { vfs: disk }), { user: 'ada', onWarning, ...options });
    const actions = (): string[] => [...queryAudit(path)].map(({ action, nodes }) => `${action} ${nodes.join()}`);
    return { db, audited, disk, warnings, actions };
  }

  it('a full disk: writes go on, with one warning, and the entries follow when there is room', () => {
    const { audited, disk, warnings, actions } = failing({});
    audited.addNode('A');
    disk.add({ op: 'pwrite', action: 'ENOSPC' });
    for (let i = 0; i < 5; i += 1) audited.addNode('B');
    expect([audited.pending, actions(), warnings]).toEqual([5, ['addNode 1'], ['SOMBRA_AUDIT_FAILED']]);
    disk.heal();
    audited.addNode('C');
    expect(audited.pending).toBe(0);
    expect(actions()).toEqual([1, 2, 3, 4, 5, 6, 7].map((id) => `addNode ${id}`));
    disk.add({ op: 'sync', action: 'EIO' });
    audited.addNode('D');
    expect(warnings).toEqual(['SOMBRA_AUDIT_FAILED', 'SOMBRA_AUDIT_FAILED']);
    expect(codeOf(() => audited.close())).toBe('SOMBRA_SYNC');
  });

  it("with onFailure 'refuse' nothing is written meanwhile", async () => {
    const { db, audited, disk, warnings, actions } = failing({ onFailure: 'refuse' });
    disk.add({ op: 'pwrite', action: 'ENOSPC' });
    audited.addNode('A'); // its entry is the first that cannot be written
    const bob = audited.as('bob');
    for (const write of [
      () => audited.addNode('B'),
      () => bob.transaction((tx) => tx.addNode('B')),
      () => bob.transactionAsync((tx) => tx.addNode('B')),
      () => bob.beginTransaction(),
      () => bob.createPropertyIndex('A', 'k'),
    ])
      expect(codeOf(write)).toBe('SOMBRA_AUDIT_FAILED');
    expect([db.nodeCount(), audited.pending, warnings]).toEqual([1, 1, ['SOMBRA_AUDIT_FAILED']]);
    disk.heal();
    audited.addNode('C');
    await bob.transactionAsync((tx) => tx.addNode('D'));
    expect(actions()).toEqual(['addNode 1', 'addNode 2', 'addNode 3']);
  });

  it('for long: what is beyond the limit is dropped, counted, and told in the trail', () => {
    const kept: AuditRecord[] = [];
    let full = false;
    const sink: AuditSink = {
      append(records) {
        if (full) throw new Error('full');
        kept.push(...records);
      },
      close: () => undefined,
    };
    const db = GraphDB.open(':memory:', { vfs: new MemoryVfs() });
    const audited = withAudit(db, sink, { user: 'ada', onWarning: () => undefined });
    full = true;
    audited.addNode('A');
    audited.transaction((tx) => {
      for (let i = 0; i < 10_050; i += 1) tx.addNode('B');
    });
    audited.addNode('C');
    expect(audited.pending).toBe(10_052);
    full = false;
    audited.addNode('D');
    expect(kept.length).toBe(10_001);
    const { action, details, user } = kept.at(-1)!;
    expect({ action, details, user }).toEqual({ action: 'audit.dropped', details: { entries: 53 }, user: null });
    audited.addNode('E');
    expect(kept.at(-1)).toMatchObject({ action: 'addNode', nodes: [10_054] });
    audited.close();
    db.close();
  });
});

/** Names of the methods of a class and of those that it extends. */
function methodsOf(type: { readonly prototype: object }): string[] {
  const names: string[] = [];
  for (let at = type.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    names.push(...Object.getOwnPropertyNames(at));
  return [...new Set(names)].sort();
}

import { setTimeout as pause } from 'node:timers/promises';
import type { GraphDB } from '@sombra/db';

/** A bit of everything that metrics count, again and again until it is ended. */
export class Workload {
  private readonly db: GraphDB;
  private isOver = false;
  private running: Promise<void> | undefined;

  constructor(db: GraphDB) {
    this.db = db;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  private async run(): Promise<void> {
    const { db } = this;
    const text = 'x'.repeat(2000);
    for (let round = 0; !this.isOver; round += 1) {
      const ids = db.transaction((tx) => {
        const made = Array.from({ length: 20 }, (_, i) => tx.addNode('Person', { name: `${round}/${i}`, text }));
        made.slice(1).forEach((id, i) => tx.addEdge(made[i]!, id, 'KNOWS'));
        return made;
      });
      // Among them nodes of long ago, which are no longer in the cache.
      for (let i = 1; i <= 40; i += 1) db.getNode(((ids[0]! * i) % ids[0]!) + 1 || 1);
      db.neighbors(ids[0]!);
      if (round % 10 === 0) rollBack(db);
      if (round % 20 === 0) db.checkpoint();
      if (round % 20 === 10) db.setCacheSize(round % 40 === 10 ? 48 : 64);
      await pause(10);
    }
  }
}

function rollBack(db: GraphDB): void {
  const refused = new Error('rolled back');
  try {
    db.transaction((tx) => {
      tx.addNode('Person', {});
      throw refused;
    });
  } catch (error) {
    if (error !== refused) throw error;
  }
}

// Ways to use a log, for crash enumeration.
import { Random } from '@sombra/vfs/testing';
import type { Script } from './log-sweep.ts';

const FULL = { syncMode: 'full', segmentSize: 2048 } as const;
const NORMAL = { syncMode: 'normal', segmentSize: 2048 } as const;

/** Each commit synced before it counts, over rotations, with segments given up and used again. */
const full: Script = {
  name: 'full: synced commits, rotation, reuse of segments',
  options: FULL,
  run(life) {
    life.open();
    for (let i = 0; i < 26; i += 1) {
      life.put(100 + (i % 5) * 120);
      life.sync();
      life.publish();
      if (i % 8 === 7) life.checkpoint();
    }
    life.close();
  },
};

const normal: Script = {
  name: 'normal: commits count before they are synced',
  options: NORMAL,
  run(life) {
    life.open();
    for (let i = 0; i < 40; i += 1) {
      life.put(60 + (i % 7) * 90);
      life.publish();
      if (i % 9 === 8) life.sync();
      if (i % 13 === 12) life.checkpoint();
    }
    life.close();
  },
};

const group: Script = {
  name: 'group: several commits share a sync',
  options: FULL,
  run(life) {
    life.open();
    for (let round = 0; round < 8; round += 1) {
      for (let i = 0; i < 4; i += 1) life.put(150);
      life.sync();
      life.publish();
      if (round === 4) life.checkpoint();
    }
    life.close();
  },
};

const takenBack: Script = {
  name: 'records taken back before they counted',
  options: NORMAL,
  run(life) {
    life.open();
    for (let round = 0; round < 10; round += 1) {
      life.put(200);
      life.publish();
      life.put(200);
      life.put(200);
      if (round % 3 === 0) life.sync();
      life.rewind();
      life.put(200);
      life.sync();
      life.publish();
    }
    life.close();
  },
};

const large: Script = {
  name: 'records larger than a segment',
  options: FULL,
  run(life) {
    life.open();
    for (const size of [100, 5000, 100, 9000, 3000, 100, 100]) {
      life.put(size);
      life.sync();
      life.publish();
      if (size === 9000) life.checkpoint();
    }
    life.close();
  },
};

const fullDisk: Script = {
  name: 'a disk that is full now and then, and short writes',
  options: NORMAL,
  run(life, faults) {
    life.open();
    for (let i = 0; i < 24; i += 1) {
      if (i % 3 === 1) {
        faults.add({ op: 'pwrite', nth: 1, action: { short: 30 + i * 9 } });
        if (i % 2 === 1) faults.add({ op: 'pwrite', nth: 2, action: 'ENOSPC' });
      }
      life.put(300);
      faults.heal();
      life.publish();
      if (i % 4 === 3) life.sync();
    }
    life.close();
  },
};

const deaths: Script = {
  name: 'processes that die, and others that go on',
  options: NORMAL,
  run(life) {
    life.open();
    for (let i = 0; i < 24; i += 1) {
      life.put(250);
      if (i % 3 !== 2) life.publish();
      if (i % 4 === 3) life.die();
      if (i % 7 === 6) {
        life.sync();
        life.publish();
        life.checkpoint();
      }
    }
    life.publish();
    life.close();
  },
};

const reopened: Script = {
  name: 'closing and opening again, without allocation ahead',
  options: { syncMode: 'off', segmentSize: 3000 },
  run(life) {
    for (let round = 0; round < 5; round += 1) {
      life.open();
      for (let i = 0; i < 5; i += 1) {
        life.put(150 + 90 * i);
        life.publish();
      }
      life.checkpoint();
    }
    life.close();
  },
};

export const SCRIPTS: readonly Script[] = [full, normal, group, takenBack, large, fullDisk, deaths, reopened];

/** A script of random steps. */
export function randomScript(seed: number): Script {
  const dice = new Random(seed);
  const options = {
    syncMode: dice.pick(['full', 'normal', 'off'] as const),
    segmentSize: dice.pick([1024, 2048, 5000]),
  };
  const steps = 20 + dice.below(30);
  return {
    name: `random steps ${seed}: ${options.syncMode}, segments of ${options.segmentSize}`,
    options,
    run(life, faults) {
      life.open();
      for (let step = 0; step < steps; step += 1) {
        const draw = dice.below(100);
        if (draw < 55) life.put(40 + dice.below(dice.chance(0.05) ? 6000 : 600));
        else if (draw < 70) life.publish();
        else if (draw < 80) life.sync();
        else if (draw < 84) life.rewind();
        else if (draw < 90) life.checkpoint();
        else if (draw < 93) life.die();
        else if (draw < 95) life.open();
        else {
          faults.add({ op: 'pwrite', nth: 1, action: { short: 1 + dice.below(400) } });
          if (dice.chance(0.5)) faults.add({ op: 'pwrite', nth: 2, action: 'ENOSPC' });
          life.put(300);
          faults.heal();
        }
        if (options.syncMode === 'full' && dice.chance(0.5)) {
          life.sync();
          life.publish();
        }
      }
      life.close();
    },
  };
}

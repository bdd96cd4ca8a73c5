// The queries of LDBC SNB interactive v1 by name. Each takes the parameters of the benchmark and gives rows.
import { ic1 } from './ic1.ts';
import { ic2 } from './ic2.ts';
import { ic3 } from './ic3.ts';
import { ic4 } from './ic4.ts';
import { ic5 } from './ic5.ts';
import { ic6 } from './ic6.ts';
import { ic7 } from './ic7.ts';
import { ic8 } from './ic8.ts';
import { ic9 } from './ic9.ts';
import { ic10 } from './ic10.ts';
import { ic11 } from './ic11.ts';
import { ic12 } from './ic12.ts';
import { ic13 } from './ic13.ts';
import { ic14 } from './ic14.ts';
import { is1 } from './is1.ts';
import { is2 } from './is2.ts';
import { is3 } from './is3.ts';
import { is4 } from './is4.ts';
import { is5 } from './is5.ts';
import { is6 } from './is6.ts';
import { is7 } from './is7.ts';
import type { SnbDB } from './schema.ts';

/** The truth gives each query the parameters that it asks for. */
export type Query = (db: SnbDB, params: never) => unknown[][];

export const QUERIES: Readonly<Record<string, Query>> = {
  IS1: is1,
  IS2: is2,
  IS3: is3,
  IS4: is4,
  IS5: is5,
  IS6: is6,
  IS7: is7,
  IC1: ic1,
  IC2: ic2,
  IC3: ic3,
  IC4: ic4,
  IC5: ic5,
  IC6: ic6,
  IC7: ic7,
  IC8: ic8,
  IC9: ic9,
  IC10: ic10,
  IC11: ic11,
  IC12: ic12,
  IC13: ic13,
  IC14: ic14,
};

// Goal: as processes.test.ts, with more kills. Method: the same writers, 20 seeds of 60 kills.
import { seeds } from '@sombra/vfs/testing';
import { describe, it } from 'vitest';
import { killWriters } from './support/kill-writers.ts';

const KILLS = 60;

describe('kill -9 of a process that writes', () => {
  it.each(seeds(20))(`loses no acknowledged commit in ${KILLS} kills, seed %i`, (seed) => killWriters(seed, KILLS));
});

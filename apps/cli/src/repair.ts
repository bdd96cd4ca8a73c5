#!/usr/bin/env node
import { runRepair } from './repair/run-repair.ts';
import { start } from './start.ts';

await start(runRepair);

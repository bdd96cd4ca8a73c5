#!/usr/bin/env node
import { runRepair } from './repair/run-repair.ts';
import { start } from './shell/start.ts';

await start(runRepair);

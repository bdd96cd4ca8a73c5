#!/usr/bin/env node
import { run } from './run.ts';
import { start } from './shell/start.ts';

await start(run);

#!/usr/bin/env node
import { runInspect } from './inspect/run-inspect.ts';
import { start } from './shell/start.ts';

await start(runInspect);

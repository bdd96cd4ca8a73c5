// Runs commands one after the other, with streams that remember what was written. A process of its own, because the one of the
// tests resolves packages to their sources, which the thread of an import could not load.
import { Writable } from 'node:stream';
import { runInspect } from '../../dist/run-inspect.js';
import { runRepair } from '../../dist/run-repair.js';
import { run } from '../../dist/run.js';

const PROGRAMS = { sombra: run, 'sombra-inspect': runInspect, 'sombra-repair': runRepair };

class Captured extends Writable {
  text = '';

  constructor(isTTY) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.columns = isTTY ? 100 : undefined;
  }

  _write(chunk, _encoding, done) {
    this.text += chunk;
    done();
  }
}

process.on('message', ({ program, args, terminal, env }) => {
  for (const [name, value] of Object.entries(env)) {
    if (value === null) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  const [stdout, stderr] = [new Captured(terminal), new Captured(terminal)];
  PROGRAMS[program](args, { stdout, stderr }).then(
    (code) => process.send({ code, stdout: stdout.text, stderr: stderr.text }),
    (error) => process.send({ code: null, stdout: stdout.text, stderr: `run threw ${error.stack}` }),
  );
});

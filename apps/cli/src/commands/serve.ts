import { Option } from 'commander';
import { readServerConfig, Server } from '@sombra/server';
import { addJson } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { usageError } from '../errors/usage-error.ts';

interface ServeOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly logLevel?: 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  readonly drainDelay?: string;
  readonly shutdownTimeout?: string;
  readonly readOnly?: boolean;
  readonly json?: boolean;
}

/** `sombra serve`: a database over HTTP, until a signal ends it. */
export function addServe({ program, shell, exit }: Parts): void {
  addJson(program.command('serve'))
    .description('serve a database over HTTP: health, metrics, figures; SIGTERM or SIGINT ends it cleanly')
    .argument('<db>', 'path of the database, which is created if it does not exist')
    .option('--config <file>', 'TOML file with fields of the server, and a table database')
    .option('--host <address>', 'address to listen on (default 127.0.0.1: this machine only)')
    .option('--port <number>', 'port to listen on, 0 for a free one (default 7654)')
    .addOption(
      new Option('--log-level <level>', 'least severe lines of the log, on stderr (default info)').choices(LEVELS),
    )
    .option('--drain-delay <ms>', 'time between readiness ending and connections being closed (default 0)')
    .option('--shutdown-timeout <ms>', 'time that requests get to end at a stop (default 10000)')
    .option('--read-only', 'open the database without the right to write')
    .action(async (path: string, options: ServeOptions) => {
      const out = shell(options.json);
      const config = readServerConfig({
        file: options.config,
        env: process.env,
        flags: {
          host: options.host,
          port: whole('--port', options.port),
          logLevel: options.logLevel,
          drainDelayMs: whole('--drain-delay', options.drainDelay),
          shutdownTimeoutMs: whole('--shutdown-timeout', options.shutdownTimeout),
        },
        database: { readOnly: options.readOnly },
      });
      const server = await Server.start(path, config, { write: (line) => out.note(line.trimEnd()) });
      const { signals } = out;
      out.result({ address: server.address }, () => `serving ${path} at ${server.address}`);
      await new Promise<void>((resolve) => {
        if (signals.first.aborted) resolve();
        else signals.first.addEventListener('abort', () => resolve(), { once: true });
      });
      await server.stop({ force: signals.second });
      if (signals.second.aborted) exit(signals.exitCode);
    });
}

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'];

/** A flag that is a number. */
function whole(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw usageError(`${flag} is '${text}': give a whole number`);
  return Number(text);
}

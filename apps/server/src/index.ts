/** A Sombra graph database as a service. Start at `Server.start`. */
export { readServerConfig } from './config/read-config.ts';
export type { ConfigSources } from './config/read-config.ts';
export type { ServerConfig } from './config/server-config.ts';
export { Server } from './life/server.ts';
export type { ServerState, StopOptions } from './life/server.ts';

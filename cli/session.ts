import type { Command } from 'commander';
import { type Environment, readEnvironment } from '#shared/config/environment.js';
import { SendoffError } from '#shared/errors.js';
import type { DatabaseSession } from './database.js';
import type { OperatorOptions } from './operator.js';
import { addressOf } from './server/address.js';
import type { Server } from './server/client.js';

/** Options that every command has. */
export interface CommonOptions {
  config?: string;
  json?: boolean;
  server?: string;
}

export function commonOptions(command: Command): { config: string | undefined; json: boolean } {
  const { config, json } = command.optsWithGlobals<CommonOptions>();
  return { config, json: json ?? false };
}

/** The server that a command is to ask; null: the database. */
export function serverFor(command: Command, environment: Environment): string | null {
  return command.optsWithGlobals<CommonOptions>().server ?? environment.server;
}

export function environmentNow(): Environment {
  return readEnvironment(process.env);
}

/** Two ways to the same: each file of reach/ is one. */
export interface Reach<T> {
  inDatabase(session: DatabaseSession): T;
  atServer(server: Server): T;
}

/**
 * Gives a command what it is about: over the API of the server that is named (`--server`, SENDOFF_SERVER), else out of
 * the database.
 */
export async function withSendoff<T, R>(
  command: Command,
  load: () => Promise<Reach<T>>,
  run: (noun: T) => Promise<R>,
): Promise<R> {
  const environment = environmentNow();
  const named = serverFor(command, environment);
  const { as, config } = command.optsWithGlobals<CommonOptions & OperatorOptions>();
  // Each way is loaded when it is gone: whoever asks a server needs no database, and a completion needs neither.
  if (named === null) {
    const [reach, { withSession }] = await Promise.all([load(), import('./database.js')]);
    return withSession({ config, as }, environment, (session) => run(reach.inDatabase(session)));
  }
  if (as !== undefined) throw notForServers('--as', 'the server knows you by your token');
  if (config !== undefined) throw notForServers('--config', 'the server has a configuration of its own');
  const address = addressOf(named, environment.token);
  const [reach, { openServer }] = await Promise.all([load(), import('./server/client.js')]);
  const server = openServer(address);
  try {
    return await run(reach.atServer(server));
  } finally {
    await server.close();
  }
}

function notForServers(option: string, why: string): SendoffError {
  return new SendoffError(`${option} does not go with a server: ${why}`, {
    code: 'OPTIONS_CONFLICT',
    blame: 'input',
    remedy: 'leave it out',
  });
}

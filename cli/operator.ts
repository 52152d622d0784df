import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { SendoffError } from '#shared/errors.js';

/** Who is at the keyboard, for the audit trail and for whoever has to approve what another ordered. */
export interface OperatorOptions {
  as?: string | undefined;
}

export function addOperatorOption(command: Command): Command {
  return command.option('--as <name>', 'who you are; default: the user of this machine');
}

/** @throws SendoffError for a name that could be taken for something else */
export function operatorOf(options: OperatorOptions): string {
  return `operator:${nameOf(options)}`;
}

/** An assistant that somebody started: it is not them, but what it asks for is theirs. @throws SendoffError likewise */
export function assistantOf(options: OperatorOptions): string {
  return `mcp:${nameOf(options)}`;
}

/** In a container, a process may be nobody whom the machine knows by name. */
function machineUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

function nameOf({ as }: OperatorOptions): string {
  const name = as ?? machineUser();
  if (/^[\w.@+-]{1,100}$/.test(name)) return name;
  throw new SendoffError(`"${name}" is no name of an operator`, {
    code: 'OPERATOR_INVALID',
    blame: 'input',
    remedy: 'write letters, digits and . @ + - _ only, such as jane or jane@acme.com',
  });
}

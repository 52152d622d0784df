import type { Command } from 'commander';
import type { Config } from '#shared/config/schema.js';
import { SendoffError } from '#shared/errors.js';

/** @throws SendoffError ACCOUNT_UNKNOWN */
export function assertAccount({ accounts }: Config, account: string): void {
  if (Object.hasOwn(accounts, account)) return;
  throw new SendoffError(`there is no account ${account} in the configuration`, {
    code: 'ACCOUNT_UNKNOWN',
    blame: 'input',
    remedy: `there is ${Object.keys(accounts).join(', ')}`,
  });
}

/** Completion knows by its placeholder that an account's name is wanted. */
export function addAccountOption(command: Command, description: string): Command {
  return command.option('--account <account>', description);
}

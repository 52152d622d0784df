import { SendoffError } from '#shared/errors.js';

// What was asked for by its id or name is there, or the caller is told that it is not.

/** @throws SendoffError NOT_FOUND */
export function found<T>(what: string, id: string, value: T | null): T {
  if (value !== null) return value;
  throw new SendoffError(`there is no ${what} with the id ${id}`, {
    code: 'NOT_FOUND',
    blame: 'input',
    remedy: 'the lists show the ids',
  });
}

/** @throws SendoffError ACCOUNT_UNKNOWN */
export function assertAccount(accounts: object, account: string): void {
  if (Object.hasOwn(accounts, account)) return;
  throw new SendoffError(`there is no account ${account} in the configuration`, {
    code: 'ACCOUNT_UNKNOWN',
    blame: 'input',
    remedy: `there is ${Object.keys(accounts).join(', ')}`,
  });
}

import { type Command, Option } from 'commander';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import { assertAddress } from '#shared/operations/orders.js';
import { addAccountOption } from './accounts.js';
import { shortTime } from './listing.js';
import { addOperatorOption, type OperatorOptions } from './operator.js';
import { print, table } from './output.js';
import type { Keys, Owner } from './reach/keys.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/keys.js');

interface KeyOptions extends OperatorOptions {
  account: string;
  subuser?: string;
  owner: string;
  onLeave?: 'revoke' | 'successor';
}

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('who owns which API key: SendGrid does not say, and a key outlives whoever made it');

  addKeyOptions(keys.command('create'))
    .description('make an API key and register its owner; the key is shown this once')
    .requiredOption('--name <name>', 'name of the key in SendGrid')
    .requiredOption('--scope <scope...>', 'what it may do, such as mail.send')
    .addHelpText(
      'after',
      '\nExample:\n  sendoff keys create --account marketing --owner jane@acme.com --name nightly --scope mail.send',
    )
    .action(async (options: KeyOptions & { name: string; scope: string[] }, command: Command) => {
      const { json } = commonOptions(command);
      assertAddress(options.owner);
      const { name, scope: scopes } = options;
      const made = await withSendoff(command, reach, ({ create }) => create(ownerOf(options), { name, scopes }));
      const document = {
        account: options.account,
        id: made.id,
        name: made.name,
        owner: canonicalAddress(options.owner),
        key: made.secret,
      };
      print(
        json,
        document,
        () => `${made.name} (${made.id}) belongs to ${options.owner}.\nIts key, shown this once:\n${made.secret}`,
      );
    });

  addKeyOptions(keys.command('adopt').argument('<id>'))
    .description('register who owns a key that exists')
    .addHelpText('after', '\nExample:\n  sendoff keys adopt RxZ4bK9jQ0 --account marketing --owner jane@acme.com')
    .action(async (id: string, options: KeyOptions, command: Command) => {
      const { json } = commonOptions(command);
      assertAddress(options.owner);
      const name = await withSendoff(command, reach, ({ adopt }) => adopt(ownerOf(options), id));
      const document = { account: options.account, id, name, owner: canonicalAddress(options.owner) };
      print(json, document, () => `${name} (${id}) belongs to ${options.owner}.`);
    });

  requireAccount(addOperatorOption(keys.command('owner').argument('<id>').argument('<email>')))
    .description('give a registered key another owner')
    .option('--subuser <name>', 'the subuser of the key')
    .action(async (id: string, email: string, options: KeyOptions, command: Command) => {
      const { json } = commonOptions(command);
      assertAddress(email);
      const owner = ownerOf({ ...options, owner: email });
      const name = await withSendoff(command, reach, ({ changeOwner }) => changeOwner(owner, id));
      const document = { account: options.account, id, name, owner: canonicalAddress(email) };
      print(json, document, () => `${name} (${id}) belongs to ${email} now.`);
    });

  addAccountOption(keys.command('list'), 'only this account')
    .description('keys of the accounts, read anew, with their owners')
    .option('--unattributed', 'only those without an owner')
    .action(async (options: { account?: string; unattributed?: boolean }, command: Command) => {
      const { json } = commonOptions(command);
      const { items, unread } = await withSendoff(command, reach, ({ read }) => read(options));
      for (const { account, part, reason } of unread)
        process.stderr.write(`sendoff: ${account}: ${part} not read: ${reason}\n`);
      print(json, { items, next: null }, () => keyTable(items));
    });
}

function addKeyOptions(command: Command): Command {
  return requireAccount(addOperatorOption(command))
    .option('--subuser <name>', 'the subuser of the key')
    .requiredOption('--owner <email>', 'whose key it is')
    .addOption(
      new Option(
        '--on-leave <what>',
        'what becomes of it when the owner leaves; default: offboarding.apiKeys.registered',
      ).choices(['revoke', 'successor']),
    );
}

function requireAccount(command: Command): Command {
  return command.requiredOption('--account <account>', 'the SendGrid account of the key');
}

function ownerOf({ account, subuser, owner, onLeave }: KeyOptions): Owner {
  return { account, subuser: subuser ?? null, owner, onLeave: onLeave ?? null };
}

type Key = Awaited<ReturnType<Keys['read']>>['items'][number];

function keyTable(items: Key[]): string {
  return table(
    items,
    [
      { title: 'ACCOUNT', value: (key) => (key.subuser === null ? key.account : `${key.account} (${key.subuser})`) },
      { title: 'NAME', value: (key) => key.name },
      { title: 'STATE', value: (key) => key.state, isState: true },
      { title: 'OWNER', value: (key) => key.owner },
      { title: 'KNOWN SINCE', value: (key) => shortTime(key.firstSeenAt) },
      { title: 'ID', value: (key) => key.id },
    ],
    'No keys.',
  );
}

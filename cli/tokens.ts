import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Role, roles } from '#shared/access/roles.js';
import { defaultTokenDays, maxTokenDays } from '#shared/operations/tokens.js';
import { shortTime } from './listing.js';
import { addOperatorOption, type OperatorOptions } from './operator.js';
import { print, table } from './output.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/tokens.js');

export function addTokens(program: Command): void {
  const tokens = program
    .command('tokens')
    .description('keys of programs to the API: one for each, with a role and an end');

  addOperatorOption(tokens.command('create').argument('<name>', 'what it is for, such as grafana', tokenName))
    .description('make a token; it is shown this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('viewer'))
    .option('--days <n>', 'how long it is good for', days, defaultTokenDays)
    .addHelpText('after', '\nExample:\n  sendoff tokens create grafana --role viewer --days 90')
    .action(async (name: string, options: OperatorOptions & { role: Role; days: number }, command: Command) => {
      const { json } = commonOptions(command);
      const { role, days } = options;
      const token = await withSendoff(command, reach, ({ create }) => create({ name, role, days }));
      print(
        json,
        token,
        () =>
          `${name} may act as ${role} until ${shortTime(token.expiresAt)}.\nIts token, shown this once:\n${token.token}`,
      );
    });

  tokens
    .command('list')
    .description('all of them, with their last use')
    .action(async (_options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      const items = await withSendoff(command, reach, ({ list }) => list());
      print(json, { items, next: null }, () =>
        table(
          items,
          [
            { title: 'NAME', value: (token) => token.name },
            { title: 'STATE', value: (token) => token.state, isState: true },
            { title: 'ROLE', value: (token) => token.role },
            { title: 'EXPIRES', value: (token) => shortTime(token.expiresAt) },
            { title: 'LAST USED', value: (token) => shortTime(token.lastUsedAt) },
            { title: 'MADE BY', value: (token) => token.createdBy },
          ],
          'No tokens. `sendoff tokens create <name>` makes one.',
        ),
      );
    });

  addOperatorOption(tokens.command('revoke').argument('<name>'))
    .description('end a token at once')
    .action(async (name: string, _options: OperatorOptions, command: Command) => {
      const { json } = commonOptions(command);
      const token = await withSendoff(command, reach, ({ revoke }) => revoke(name));
      print(json, token, () => `${name} opens nothing any more.`);
    });
}

function tokenName(text: string): string {
  if (/^[\w.@+-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('letters, digits and . @ + - _ only');
}

function days(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= maxTokenDays) return number;
  throw new InvalidArgumentError(`a whole number from 1 to ${maxTokenDays}`);
}

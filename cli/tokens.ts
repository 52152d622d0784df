import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Role, roles } from '#shared/access/roles.js';
import { defaultTokenDays, endToken, makeToken, maxTokenDays } from '#shared/operations/tokens.js';
import { listTokens } from '#shared/store/api-tokens.js';
import { everyPage } from '#shared/store/lists.js';
import { shortTime } from './listing.js';
import { addOperatorOption, type OperatorOptions, operatorOf } from './operator.js';
import { print, table } from './output.js';
import { commonOptions, environmentNow, withDatabase } from './session.js';

export function addTokens(program: Command): void {
  const tokens = program
    .command('tokens')
    .description('keys of programs to the API: one for each, with a role and an end');

  addOperatorOption(tokens.command('create').argument('<name>', 'what it is for, such as grafana', tokenName))
    .description('make a token; it is shown this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('viewer'))
    .option('--days <n>', 'how long it is good for', days, defaultTokenDays)
    .action(async (name: string, options: OperatorOptions & { role: Role; days: number }, command: Command) => {
      const { json } = commonOptions(command);
      const by = operatorOf(options);
      const { role } = options;
      const token = await withDatabase(environmentNow(), ({ db }) =>
        makeToken(db, { name, role, days: options.days, by }),
      );
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
      const items = await withDatabase(environmentNow(), ({ db }) =>
        everyPage((before) => listTokens(db, { limit: 500, before })),
      );
      print(json, { items, next: null }, () =>
        table(
          items,
          [
            { title: 'NAME', value: (token) => token.name },
            { title: 'STATE', value: (token) => token.state },
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
    .action(async (name: string, options: OperatorOptions, command: Command) => {
      const { json } = commonOptions(command);
      const by = operatorOf(options);
      const token = await withDatabase(environmentNow(), ({ db }) => endToken(db, { name }, by));
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

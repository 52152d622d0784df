import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { type Command, Option } from 'commander';
import pino from 'pino';
import type { Role } from '#shared/access/roles.js';
import { policyOf } from '#shared/config/policy.js';
import { mcpServers } from '#shared/mcp/server.js';
import type { McpCaller, McpContext } from '#shared/mcp/tool.js';
import { createLog } from '#shared/telemetry/log.js';
import { scrubber } from '#shared/telemetry/redact.js';
import { configOf } from './config.js';
import { withDatabase } from './database.js';
import { addOperatorOption, assistantOf, type OperatorOptions } from './operator.js';
import { commonOptions, environmentNow } from './session.js';

/** Those that have tools of their own: nothing here takes more. */
const assistantRoles = ['viewer', 'operator'] as const satisfies readonly Role[];

interface McpOptions extends OperatorOptions {
  role: (typeof assistantRoles)[number];
}

export function addMcp(program: Command): void {
  addOperatorOption(program.command('mcp'))
    .description('serve an assistant on this machine: the Model Context Protocol on stdin and stdout, until stdin ends')
    .addOption(
      new Option('--role <role>', 'viewer: it may look; operator: it may also propose an offboarding')
        .choices(assistantRoles)
        .default('viewer'),
    )
    .action(async (options: McpOptions, command: Command) => {
      const caller: McpCaller = { actor: assistantOf(options), role: options.role, via: 'stdio' };
      const { config, secrets } = configOf(commonOptions(command));
      const environment = environmentNow();
      const known = [...secrets, ...environment.secrets];
      // stdout is the protocol's.
      const log = createLog({
        level: environment.logLevel,
        role: 'mcp',
        secrets: known,
        destination: pino.destination(2),
      });
      await withDatabase(environment, ({ db }) => {
        // Nobody to nudge: the workers look every second.
        const context = { db, config, policy: policyOf(config), log, scrub: scrubber(known), nudge: () => undefined };
        return serve(context, caller);
      });
    });
}

/** Until the client closes stdin, goes away, or somebody stops the process; what was asked before is answered first. */
async function serve(context: McpContext, caller: McpCaller): Promise<void> {
  const { server, idle } = mcpServers(context)(caller);
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, () => resolve());
    process.stdout.once('error', () => resolve());
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await server.connect(new StdioServerTransport());
  context.log.info({ actor: caller.actor, role: caller.role }, 'mcp is up');
  await ended;
  await idle();
  // The answers go out before the transport is closed.
  await new Promise((resolve) => setImmediate(resolve));
  await server.close();
}

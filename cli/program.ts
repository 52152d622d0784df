import { createRequire } from 'node:module';
import { Command } from 'commander';
import { SendoffError } from '#shared/errors.js';

/** One file per command. Only the one that is asked for is loaded: a web server takes a second to load. */
const commands = {
  up: async () => (await import('./up.js')).addUp,
  web: async () => (await import('./web.js')).addWeb,
  worker: async () => (await import('./worker.js')).addWorker,
  migrate: async () => (await import('./migrate.js')).addMigrate,
  check: async () => (await import('./check.js')).addCheck,
  doctor: async () => (await import('./doctor.js')).addDoctor,
  plan: async () => (await import('./plan.js')).addPlan,
  offboard: async () => (await import('./offboard.js')).addOffboard,
  restore: async () => (await import('./restore.js')).addRestore,
  reconcile: async () => (await import('./reconcile.js')).addReconcile,
  events: async () => (await import('./events.js')).addEvents,
  plans: async () => (await import('./plans.js')).addPlans,
  actions: async () => (await import('./actions.js')).addActions,
  keys: async () => (await import('./keys.js')).addKeys,
  stop: async () => (await import('./stop.js')).addStop,
  resume: async () => (await import('./stop.js')).addResume,
  subscriptions: async () => (await import('./subscriptions.js')).addSubscriptions,
  tokens: async () => (await import('./tokens.js')).addTokens,
  alerts: async () => (await import('./alerts.js')).addAlerts,
  audit: async () => (await import('./audit.js')).addAudit,
  mcp: async () => (await import('./mcp.js')).addMcp,
  completion: async () => (await import('./completion.js')).addCompletion,
};

/** Commands that are about this machine, and why no server can be asked instead. */
const local: Record<string, string> = {
  up: 'it starts processes on this machine',
  web: 'it starts a process on this machine',
  worker: 'it starts a process on this machine',
  migrate: 'only who holds the database changes its tables',
  check: 'it looks at the sendoff.yaml of this machine',
  mcp: 'it answers a program on this machine; a server answers at /mcp by itself',
  completion: 'it is about the shell of this machine',
};

/** What `sendoff` can be followed by. */
export const commandNames = Object.keys(commands);

/** @param words what was typed: the command among them is loaded, all of them where there is none */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program: Command = new Command('sendoff')
    .description('Removes the Twilio SendGrid access of people who left, reads it back and proves it.')
    .option('--config <file>', 'configuration file (default: sendoff.yaml, or SENDOFF_CONFIG)')
    .option('--server <url>', 'ask this Sendoff over its API instead of the database (or SENDOFF_SERVER)')
    .option('--json', 'print one JSON document on stdout and nothing else there')
    .version(versionOf(), '--version', 'print the version')
    .showHelpAfterError('(sendoff --help lists the commands)')
    .addHelpText(
      'after',
      `
Exit codes: 0 done · 1 failed · 2 usage or configuration error · 3 held or refused by a guard

First steps:
  sendoff check             is sendoff.yaml valid?
  sendoff doctor            can every key and directory do what it needs?
  sendoff up                run everything here, with an embedded PostgreSQL
  sendoff plan <email>      what would change for this person now, and why

From another machine:
  SENDOFF_TOKEN=… sendoff --server https://sendoff.acme.com plans list`,
    )
    .hook('preAction', (_, command) => assertTakesServer(program, command))
    .exitOverride();
  const asked = words.find((word) => Object.hasOwn(commands, word));
  if (asked === undefined && words.includes('--version')) return program;
  const wanted = asked === undefined ? Object.values(commands) : [commands[asked as keyof typeof commands]];
  for (const load of wanted) (await load())(program);
  return program;
}

function versionOf(): string {
  return (createRequire(import.meta.url)('#package.json') as { version: string }).version;
}

/** @throws SendoffError where `--server` was written for a command that is about this machine */
function assertTakesServer(program: Command, command: Command): void {
  let top = command;
  while (top.parent !== null && top.parent !== program) top = top.parent;
  const why = local[top.name()];
  if (why === undefined || program.opts<{ server?: string }>().server === undefined) return;
  throw new SendoffError(`sendoff ${top.name()} takes no --server: ${why}`, {
    code: 'SERVER_CANNOT',
    blame: 'input',
    remedy: 'leave it out',
  });
}

#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { exitCodes, reportFailure } from './output.js';

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
};

const program = new Command('sendoff')
  .description('Removes the Twilio SendGrid access of people who left, reads it back and proves it.')
  .option('--config <file>', 'configuration file (default: sendoff.yaml, or SENDOFF_CONFIG)')
  .option('--json', 'print one JSON document on stdout and nothing else there')
  .showHelpAfterError('(sendoff --help lists the commands)')
  .addHelpText(
    'after',
    `
Exit codes: 0 done · 1 failed · 2 usage or configuration error · 3 held or refused by a guard

First steps:
  sendoff check             is sendoff.yaml valid?
  sendoff doctor            can every key and directory do what it needs?
  sendoff up                run everything here, with an embedded PostgreSQL
  sendoff plan <email>      what would change for this person now, and why`,
  )
  .exitOverride();

const asked = process.argv.slice(2).find((word) => Object.hasOwn(commands, word));
const wanted = asked === undefined ? Object.values(commands) : [commands[asked as keyof typeof commands]];
for (const load of wanted) (await load())(program);

try {
  await program.parseAsync();
} catch (error) {
  // Commander has printed its own message already; help and version are no failures.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  // What a role opened before it failed would keep the process alive.
  else process.exit(reportFailure(error));
}

import type { Config } from '#shared/config/schema.js';
import { sourceKind } from '#shared/config/sources/index.js';
import type { Check } from '#shared/directory/directory.js';
import { messageOf } from '#shared/errors.js';
import type { Outside } from '#shared/planning/surroundings.js';
import { doctorAccount } from '#shared/sendgrid/doctor.js';
import { openBreakers } from '#shared/store/accounts.js';
import type { Db } from '#shared/store/database.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import { taskStates } from '#shared/store/source-tasks.js';
import { everywhere, listStops } from '#shared/store/stops.js';
import { subscriptionAges } from '#shared/store/subscriptions.js';
import type { TwilioClient } from '#shared/twilio/client.js';

/**
 * Can every key, directory and scope do what the configuration needs? With a remedy for each that can't.
 * @param withinMs what has not answered by then is said to be so
 * @param more what else is asked at the same time, each with its name
 */
export async function runDoctor(
  db: Db,
  config: Config,
  { clients, surroundings, twilio }: Outside,
  withinMs: number,
  more: [string, Promise<Check[]>][] = [],
): Promise<Check[]> {
  const { policy } = surroundings;
  const groups = [...new Set(policy.grants.map(({ group }) => group))];
  const sections: [string, Promise<Check[]>][] = [
    ...surroundings.directories.all.map((directory): [string, Promise<Check[]>] => [
      `sources.${directory.name}`,
      directory.doctor(groups),
    ]),
    ...[...clients].map(([name, client]): [string, Promise<Check[]>] => {
      const sweeps = policy.accounts.find((account) => account.name === name)?.subusers !== 'none';
      return [`accounts.${name}`, doctorAccount(client, { subusers: sweeps, reassign: policy.offboarding.reassign })];
    }),
    ...(twilio === null ? [] : ([['targets.twilio', twilioChecks(twilio)]] satisfies [string, Promise<Check[]>][])),
    ['database', databaseChecks(db)],
    ['sources', sourceChecks(db, config.sources)],
    ...more,
  ];
  const answers = await Promise.all(sections.map(([name, checks]) => inTime(name, checks, withinMs)));
  return answers.flat();
}

async function inTime(name: string, checks: Promise<Check[]>, withinMs: number): Promise<Check[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Check[]>((resolve) => {
    const detail = `no answer within ${withinMs / 1_000} s`;
    timer = setTimeout(resolve, withinMs, [{ name, ok: false, detail, remedy: 'ask again later: sendoff doctor' }]);
  });
  return Promise.race([checks, late]).finally(() => clearTimeout(timer));
}

/** A user who can't exist is looked for: the answer tells whether the app may ask. */
async function twilioChecks(twilio: TwilioClient): Promise<Check[]> {
  const remedy = 'check targets.twilio: the OAuth app needs the managed-users scopes of the Organization';
  try {
    await twilio.findUser('sendoff-doctor@invalid.example');
    return [{ name: 'targets.twilio users', ok: true, detail: 'can be read', remedy: '' }];
  } catch (error) {
    return [{ name: 'targets.twilio users', ok: false, detail: messageOf(error), remedy }];
  }
}

async function databaseChecks(db: Db): Promise<Check[]> {
  const alive = await isWorkerAlive(db);
  const breakers = await openBreakers(db);
  const stops = await listStops(db);
  return [
    { name: 'database', ok: true, detail: 'answers', remedy: '' },
    {
      name: 'worker',
      ok: true,
      detail: alive ? 'a worker is running' : 'no worker is running right now; events are kept until one does',
      remedy: '',
    },
    ...stops.map(({ scope, by, reason, at }) => ({
      name: scope === everywhere ? 'effects' : `accounts.${scope} effects`,
      ok: false,
      detail: `stopped by ${by} at ${at.toISOString()}${reason === null ? '' : `: ${reason}`}`,
      remedy: scope === everywhere ? 'sendoff resume' : `sendoff resume --account ${scope}`,
    })),
    ...breakers.map(({ account, openedAt, reason }) => ({
      name: `accounts.${account} work`,
      ok: false,
      detail: `waits since ${openedAt.toISOString()}: ${reason}`,
      remedy: `put a valid key into accounts.${account}.apiKey and restart; the work goes on by itself`,
    })),
  ];
}

/** What the workers last saw of each source: catch-up, and the hooks and subscriptions that were made. */
export async function sourceChecks(db: Db, sources: Config['sources']): Promise<Check[]> {
  const tasks = (await taskStates(db)).filter(({ source }) => Object.hasOwn(sources, source));
  const subscriptions = (await subscriptionAges(db)).filter(({ source }) => Object.hasOwn(sources, source));
  const unsubscribed = Object.entries(sources).filter(
    ([name, source]) =>
      sourceKind(source.type)?.subscribes(source) === true && !subscriptions.some((one) => one.source === name),
  );
  return [
    ...tasks.map(({ source, task, lastOkAt, lastError, failures }) => {
      const asked = lastOkAt === null ? 'not yet asked' : `asked last at ${lastOkAt.toISOString()}`;
      return {
        name: `sources.${source} ${task}`,
        ok: failures === 0,
        detail: failures === 0 ? asked : `failed ${failures} times in a row: ${lastError}; ${asked}`,
        remedy: failures === 0 ? '' : `what the message names; docs/sources has the permissions ${source} needs`,
      };
    }),
    ...subscriptions.map(({ source, kind, secondsLeft, problem }) => {
      const isOver = secondsLeft !== null && secondsLeft <= 0;
      const left = secondsLeft === null ? 'does not end' : `ends in ${Math.round(secondsLeft / 3_600)} h`;
      return {
        name: `sources.${source} subscription ${kind}`,
        ok: problem === null && !isOver,
        detail: problem ?? (isOver ? 'is over' : left),
        remedy: problem === null && !isOver ? '' : 'sendoff subscriptions ensure',
      };
    }),
    // No fault: a hook made by hand is not known here.
    ...unsubscribed.map(([name]) => ({
      name: `sources.${name} subscriptions`,
      ok: true,
      detail: 'none was made from here, so without one made by hand only polling tells: `sendoff subscriptions ensure`',
      remedy: '',
    })),
  ];
}

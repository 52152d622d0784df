import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { hookPayload } from '#test/emulators/okta/index.js';
import { freePort } from '#test/support/sendoff.js';
import { hookSecret, type World } from '#test/support/world.js';
import type { Section } from './section.js';
import { openBenchWorld } from './world.js';

export const intake: Section = {
  name: 'intake',
  title: 'Intake',
  async run(serverUrl) {
    const world = await openBenchWorld(serverUrl, { roles: ['web'], moreSources: graphYaml });
    for (const [kind, id] of Object.entries(subscriptions)) {
      await world.database.pool.query(`insert into subscription (source, kind, remote_id) values ('graph', $1, $2)`, [
        kind,
        id,
      ]);
    }
    const { bare, sendoff, okta, graph, batches, validations } = await measure(world);
    await world.end();
    const ratio = sendoff / bare;
    return {
      rows: [
        {
          what: 'sustained intake against a bare Fastify route that inserts the same row',
          measured: `${Math.round(sendoff)} / ${Math.round(bare)} per s = ${ratio.toFixed(2)} x`,
          promise: 'at least 0.7 x',
          met: ratio >= 0.7,
        },
        offeredRow('hook answered after commit, 200 events/s offered', okta),
        offeredRow('Graph notification answered after commit, 200 events/s offered', graph),
        offeredRow('the same in deliveries of one to nine, of two subscriptions, 200 notifications/s offered', batches),
        {
          what: 'Graph’s validation of the address meanwhile',
          measured: `slowest of ${validations.length} ${Math.round(Math.max(...validations))} ms`,
          // Graph gives up after ten seconds, and calls an answer good within three.
          promise: '< 3000 ms',
          met: Math.max(...validations) < 3_000,
        },
      ],
    };
  },
};

/** The same deliveries to a bare route and to Sendoff, in turns: a machine that is busy for a while is so for both. */
async function measure(world: World) {
  const port = await freePort();
  const bare = await startBare(port, world.database.url);
  const bareUrl = `http://127.0.0.1:${port}`;
  for (const url of [bareUrl, world.url]) await fire(url, { seconds: 3 });
  const [bareRates, rates]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 3; turn += 1) {
    bareRates.push((await fire(bareUrl, { seconds: 3 })).requests.average);
    rates.push((await fire(world.url, { seconds: 3 })).requests.average);
  }
  const okta = await fire(world.url, { seconds: 10, rate: 200 });
  const graph = await stored(world, () => fire(world.url, { seconds: 10, rate: 200, kind: 'graph' }));
  let validations: number[] = [];
  const batches = await stored(world, async () => {
    const validating = validate(world.url, 10);
    const run = await fire(world.url, { seconds: 10, rate: 200 / meanBatch, kind: 'graph', batches: true });
    validations = await validating;
    return run;
  });
  bare.kill('SIGKILL');
  return {
    bare: mean(bareRates),
    sendoff: mean(rates),
    okta,
    graph,
    batches,
    validations,
  };
}

function mean(rates: number[]): number {
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

/** Graph is told 202 of what is discarded too: only the rows show that its notifications were believed. */
async function stored(world: World, run: () => Promise<autocannon.Result>): Promise<autocannon.Result> {
  const rows = async () => {
    const { rows: found } = await world.database.pool.query(
      `select count(*)::int as n from inbox where source = 'graph'`,
    );
    return found[0].n as number;
  };
  const [before, toldBefore] = [await rows(), told];
  const result = await run();
  // What was under way when the time was over may not have been answered.
  const lost = told - toldBefore - (await rows()) + before;
  if (lost > connections * largestBatch) throw new Error(`${lost} notifications were told and not stored`);
  return result;
}

/** Asks as Graph does before it makes a subscription, ten times a second. @returns ms of each answer */
async function validate(url: string, seconds: number): Promise<number[]> {
  const took: number[] = [];
  for (let turn = 0; turn < seconds * 10; turn += 1) {
    const token = `Validation: ${randomUUID()}`;
    const began = performance.now();
    const answer = await fetch(`${url}/hooks/graph?validationToken=${encodeURIComponent(token)}`, { method: 'POST' });
    if ((await answer.text()) !== token) throw new Error('the token did not come back');
    took.push(performance.now() - began);
    await sleep(100);
  }
  return took;
}

/** Okta and Graph both give up after three seconds (idp-events.md §0). */
function offeredRow(what: string, { latency, non2xx, errors }: autocannon.Result) {
  const refused = non2xx + errors;
  return {
    what,
    measured: `p99 ${latency.p99} ms, ${refused} not 2xx`,
    promise: 'p99 < 100 ms',
    met: latency.p99 < 100 && refused === 0,
  };
}

async function startBare(port: number, databaseUrl: string): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('bare-server.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    env: { ...process.env, PORT: String(port), DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

interface Fire {
  seconds: number;
  rate?: number;
  kind?: 'okta' | 'graph';
  batches?: boolean;
}

const connections = 20;

function fire(url: string, { seconds, rate, kind = 'okta', batches = false }: Fire): Promise<autocannon.Result> {
  return autocannon({
    url: `${url}/hooks/${kind}`,
    connections: rate === undefined ? 64 : connections,
    duration: seconds,
    ...(rate === undefined ? {} : { overallRate: rate }),
    method: 'POST',
    headers: { authorization: hookSecret, 'content-type': 'application/json' },
    requests: [
      {
        setupRequest: (request) => ({
          ...request,
          body: JSON.stringify(kind === 'okta' ? oktaDelivery() : graphDelivery(batches)),
        }),
      },
    ],
  });
}

function oktaDelivery(): object {
  const about = { eventType: 'user.lifecycle.deactivate', userId: '00u-bench', login: 'bench@acme.com' };
  return hookPayload('https://acme.okta.com', [{ ...about, uuid: randomUUID() }]);
}

const tenantId = randomUUID();
const subscriptions = { users: randomUUID(), groups: randomUUID() };
const clientState = 'bench-client-state-0123456789';

const graphYaml = `  graph:
    type: entra
    tenantId: ${tenantId}
    clientId: ${randomUUID()}
    clientSecret: bench-client-secret
    clientState: ${clientState}
    poll: off`;

const largestBatch = 9;
const meanBatch = (1 + largestBatch) / 2;
let deliveries = 0;
/** Notifications so far. */
let told = 0;

/** One, or one to nine in turn, with users and groups mixed: each item is proven by itself. */
function graphDelivery(batches: boolean): object {
  deliveries += 1;
  const count = batches ? 1 + (deliveries % largestBatch) : 1;
  told += count;
  return { value: Array.from({ length: count }, (_, index) => notification(index % 2 === 0 ? 'users' : 'groups')) };
}

function notification(kind: keyof typeof subscriptions): object {
  const id = randomUUID();
  const noun = kind === 'users' ? 'User' : 'Group';
  return {
    subscriptionId: subscriptions[kind],
    clientState,
    tenantId,
    changeType: 'updated',
    resource: `${noun}s/${id}`,
    resourceData: {
      '@odata.type': `#Microsoft.Graph.${noun}`,
      '@odata.id': `${noun}s/${id}`,
      id,
      organizationId: tenantId,
      ...(kind === 'users' ? {} : { 'members@delta': [{ id: randomUUID() }] }),
    },
  };
}

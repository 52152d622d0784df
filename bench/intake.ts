import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
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
    await world.database.pool.query(
      `insert into subscription (source, kind, remote_id) values ('graph', 'users', $1)`,
      [subscriptionId],
    );
    const { bare, sendoff, okta, graph } = await measure(world);
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
      ],
    };
  },
};

/** The same deliveries to a bare route and to Sendoff, one after the other, in the same run and database. */
async function measure(world: World) {
  const port = await freePort();
  const bare = await startBare(port, world.database.url);
  const seconds = 6;
  await fire(`http://127.0.0.1:${port}`, { seconds: 1 });
  await fire(world.url, { seconds: 1 });
  const bareRun = await fire(`http://127.0.0.1:${port}`, { seconds });
  const sendoffRun = await fire(world.url, { seconds });
  const okta = await fire(world.url, { seconds: 10, rate: 200 });
  const graph = await fire(world.url, { seconds: 10, rate: 200, kind: 'graph' });
  bare.kill('SIGKILL');
  return {
    bare: bareRun.requests.average,
    sendoff: sendoffRun.requests.average,
    okta,
    graph,
  };
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
}

function fire(url: string, { seconds, rate, kind = 'okta' }: Fire): Promise<autocannon.Result> {
  return autocannon({
    url: `${url}/hooks/${kind}`,
    connections: rate === undefined ? 64 : 20,
    duration: seconds,
    ...(rate === undefined ? {} : { overallRate: rate }),
    method: 'POST',
    headers: { authorization: hookSecret, 'content-type': 'application/json' },
    requests: [
      {
        setupRequest: (request) => ({
          ...request,
          body: JSON.stringify(kind === 'okta' ? oktaDelivery() : graphDelivery()),
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
const subscriptionId = randomUUID();
const clientState = 'bench-client-state-0123456789';

const graphYaml = `  graph:
    type: entra
    tenantId: ${tenantId}
    clientId: ${randomUUID()}
    clientSecret: bench-client-secret
    clientState: ${clientState}
    poll: off`;

function graphDelivery(): object {
  const id = randomUUID();
  return {
    value: [
      {
        subscriptionId,
        clientState,
        tenantId,
        changeType: 'updated',
        resource: `Users/${id}`,
        resourceData: {
          '@odata.type': '#Microsoft.Graph.User',
          '@odata.id': `Users/${id}`,
          id,
          organizationId: tenantId,
        },
      },
    ],
  };
}

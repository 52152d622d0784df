import { afterEach, describe, expect, it } from 'vitest';
import {
  broadcast,
  credentials,
  type OneLoginEmulator,
  startOneLoginEmulator,
  webhookBody,
  webhookEvent,
} from '#test/emulators/onelogin/index.js';
import type { EmulatedEvent } from '#test/emulators/onelogin/world.js';
import { until } from '#test/support/sendoff.js';
import { type Human, type SourceDriver, tellStory } from '#test/support/source-scenario.js';
import { createWorld, type World } from '#test/support/world.js';

const authorization = 'Bearer onelogin-hook-secret-0123456789';
const roleIds: Record<string, number> = { Writers: 501, Readers: 502 };

function yaml(url: string, poll: string): string {
  return `  onelogin:
    type: onelogin
    baseUrl: ${url}
    clientId: ${credentials.clientId}
    clientSecret: ${credentials.clientSecret}
    hookSecret: ${authorization}
    poll: ${poll}`;
}

async function startCompany(): Promise<OneLoginEmulator> {
  const onelogin = await startOneLoginEmulator();
  for (const [name, id] of Object.entries(roleIds)) onelogin.roles.set(id, name);
  onelogin.addUser({ id: 1, email: 'service@acme.com' });
  return onelogin;
}

/** People come and go as an administrator does it in the portal; deleted for good when they leave. */
async function startDriver(): Promise<SourceDriver> {
  const onelogin = await startCompany();
  const queue: EmulatedEvent[] = [];
  let lastId = 100;
  const record = (event_type_id: number, { name, email }: Human, more: Partial<EmulatedEvent> = {}) => {
    const user_id = userOf(email).id;
    queue.push(onelogin.record({ event_type_id, user_id, user_name: name, ...more }));
  };
  const userOf = (email: string) => {
    const user = [...onelogin.users.values()].find((one) => one.email === email);
    if (user === undefined) throw new Error(`nobody is ${email}`);
    return user;
  };
  const role = (name: string) => ({ role_id: roleIds[name] ?? 0, role_name: name });
  const hire = (human: Human, group: string) => {
    lastId += 1;
    onelogin.addUser({ id: lastId, email: human.email, firstname: human.name, roles: new Set([role(group).role_id]) });
    record(13, human);
    record(147, human, role(group));
  };
  return {
    source: 'onelogin',
    yaml: ({ poll }) => yaml(onelogin.url, poll),
    hire,
    move(human, from, to) {
      const { roles } = userOf(human.email);
      roles.delete(role(from).role_id);
      roles.add(role(to).role_id);
      record(148, human, role(from));
      record(147, human, role(to));
    },
    suspend(human) {
      userOf(human.email).status = 2;
      record(21, human);
    },
    reactivate(human) {
      userOf(human.email).status = 1;
      record(32, human);
    },
    terminate(human) {
      record(17, human);
      onelogin.users.delete(userOf(human.email).id);
    },
    rehire: hire,
    async deliver(url, times = () => 1) {
      const events = queue.splice(0);
      const sent = events.flatMap((event, index) => {
        const told = webhookEvent(event);
        return Array.from({ length: times(index) }, () => told);
      });
      await broadcast(`${url}/hooks/onelogin`, authorization, sent);
    },
    types: { hire: ['joined', 'moved'], suspend: ['suspended'], terminate: ['terminated'] },
    close: onelogin.close,
  };
}

tellStory('OneLogin', startDriver, { push: true, poll: true });

describe('OneLogin, what reaches the inbox', () => {
  let world: World;
  let onelogin: OneLoginEmulator;
  afterEach(async () => {
    await world?.end();
    await onelogin?.close();
  });

  async function open(poll: string): Promise<void> {
    onelogin = await startCompany();
    onelogin.addUser({ id: 7, email: 'jane@acme.com', roles: new Set([501]) });
    world = await createWorld({ sources: { authority: 'onelogin', yaml: yaml(onelogin.url, poll) } });
  }
  const rows = async () => (await world.database.pool.query('select event_id, state, type from inbox')).rows;
  const post = async (headers: [string, string][], body: string) =>
    (await fetch(`${world.url}/hooks/onelogin`, { method: 'POST', headers, body })).status;

  it('every mutation of a valid request is refused and leaves no row', async () => {
    await open('off');
    const body = webhookBody([webhookEvent(onelogin.record({ event_type_id: 17, user_id: 7 }))], 'json');
    const secret = authorization;
    const mutations: [string, string][][] = [
      [],
      [['authorization', '']],
      [['authorization', secret.toLowerCase()]],
      [['authorization', secret.slice(0, -1)]],
      [['authorization', `${secret}x`]],
      [['authorization', secret.replace('Bearer ', '')]],
      [['authorization', `${secret}, ${secret}`]],
      [['x-authorization', secret]],
    ];
    for (const headers of mutations) expect(await post(headers, body), JSON.stringify(headers)).toBe(401);
    expect(await rows()).toEqual([]);
    expect(await post([['authorization', secret]], body)).toBe(200);
    expect(await rows()).toHaveLength(1);
  });

  it('logins by the hundred are acknowledged and kept out', async () => {
    await open('off');
    const logins = Array.from({ length: 300 }, () => webhookEvent(onelogin.record({ event_type_id: 5, user_id: 7 })));
    const update = webhookEvent(onelogin.record({ event_type_id: 14, user_id: 7 }));
    expect(await post([['authorization', authorization]], webhookBody([...logins, update], 'ndjson'))).toBe(200);
    expect(await rows()).toMatchObject([{ type: 'moved' }]);
  });

  it('a push and the poll of the same fact meet in one row, whichever is first', async () => {
    await open('1s');
    const polls = () => onelogin.requests.filter(({ path }) => path === '/api/1/events').length;
    const pollTwice = async () => {
      const before = polls();
      await until('it was polled twice', async () => polls() >= before + 2);
    };
    const pushed = onelogin.record({
      event_type_id: 14,
      user_id: 7,
      created_at: `${new Date().toISOString().slice(0, 19)}.900Z`,
    });
    expect(await broadcast(`${world.url}/hooks/onelogin`, authorization, [webhookEvent(pushed)])).toBe(200);
    await pollTwice();
    const polled = onelogin.record({ event_type_id: 148, user_id: 7, role_id: 501 });
    await until('the poll brought the second', async () => (await rows()).length === 2);
    expect(await broadcast(`${world.url}/hooks/onelogin`, authorization, [webhookEvent(polled)])).toBe(200);
    await pollTwice();
    expect(await rows()).toHaveLength(2);
  });

  it('an account whose credentials lost their owner answers 500 to everything: nobody is taken for gone', async () => {
    await open('off');
    world.account().addTeammate({ email: 'jane@acme.com' });
    onelogin.fault = { kind: 'owner-deleted' };
    const event = webhookEvent(onelogin.record({ event_type_id: 17, user_id: 7 }));
    expect(await broadcast(`${world.url}/hooks/onelogin`, authorization, [event])).toBe(200);
    await until('it was asked', async () => onelogin.requests.some(({ status }) => status === 500));
    await until('the event waits', async () => (await rows())[0]?.state === 'waiting');
    expect(world.sendgrid.journal.filter(({ method }) => method === 'DELETE')).toEqual([]);
    const { checks } = await world.json<{ checks: { name: string; ok: boolean; remedy: string }[] }>('doctor');
    expect(checks.find(({ name }) => name === 'sources.onelogin API credentials')).toMatchObject({
      ok: false,
      remedy: expect.stringContaining('service user'),
    });
  });
});

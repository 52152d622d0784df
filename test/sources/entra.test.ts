import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type EntraEmulator, makeCertificate, registration, startEntraEmulator } from '#test/emulators/entra/index.js';
import { until } from '#test/support/sendoff.js';
import { type Human, type SourceDriver, tellStory } from '#test/support/source-scenario.js';
import { createWorld, type World } from '#test/support/world.js';
import { dueNow, taskRow } from './okta-world.js';

const clientState = 'client-state-0123456789abcdef';

/** A Microsoft Entra tenant as the story needs it: subscribed to by the command an administrator would use. */
async function startDriver(): Promise<SourceDriver & { entra: EntraEmulator }> {
  const tls = makeCertificate();
  const entra = await startEntraEmulator(tls);
  const ids = new Map<string, string>();
  const idOf = ({ name }: Human) => ids.get(name) ?? '';
  const groupId = (name: string) => entra.groupNamed(name).id;

  const hire = ({ name, email }: Human, group: string): void => {
    const { id } = entra.addUser({ email });
    ids.set(name, id);
    entra.join(groupId(group), id);
  };
  return {
    entra,
    source: 'entra',
    env: { ENTRA_CLIENT_SECRET: registration.clientSecret, NODE_EXTRA_CA_CERTS: tls.path },
    yaml: ({ poll }) => `  entra:
    type: entra
    tenantId: ${registration.tenantId}
    clientId: ${registration.clientId}
    clientSecret: \${ENTRA_CLIENT_SECRET}
    clientState: ${clientState}
    graphUrl: ${entra.url}
    authorityHost: ${entra.url}
    poll: ${poll}`,
    ready: (world) => subscribe(world),
    hire,
    move(human, from, to) {
      entra.leave(groupId(from), idOf(human));
      entra.join(groupId(to), idOf(human));
    },
    suspend: (human) => entra.setEnabled(idOf(human), false),
    reactivate: (human) => entra.setEnabled(idOf(human), true),
    terminate: (human) => entra.softDelete(idOf(human)),
    // A new account with the old address, while the old one lies in the recycle bin.
    rehire: hire,
    async deliver(_url, times) {
      for (const status of await entra.deliver(times)) {
        if (status !== 202) throw new Error(`a delivery was answered ${status}`);
      }
    },
    // What arrives does not say what happened (idp-events.md §2.4).
    types: { hire: ['moved'], suspend: ['moved', 'suspended'], terminate: ['moved', 'terminated'] },
    async close() {
      await entra.close();
      tls.remove();
    },
  };
}

/** `sendoff subscriptions ensure`, with the address under which the web process is reached. */
async function subscribe({ workplace, url }: World): Promise<void> {
  const config = join(workplace.dir, 'sendoff.yaml');
  await writeFile(config, `${await readFile(config, 'utf8')}\npublicUrl: ${url}\n`);
  const { code, stdout, stderr } = await workplace.run(['subscriptions', 'ensure', '--json']);
  if (code !== 0) throw new Error(`sendoff subscriptions ensure ended with ${code}: ${stdout}${stderr}`);
}

tellStory('test/sources/entra', startDriver, { push: true, poll: true });

describe('Entra, what no notification brought', () => {
  let world: World;
  let driver: Awaited<ReturnType<typeof startDriver>>;
  afterEach(async () => {
    await world?.end();
    await driver?.close();
  });

  const open = async (count: number) => {
    driver = await startDriver();
    world = await createWorld({
      sources: { authority: 'entra', yaml: driver.yaml({ poll: '1h' }) },
      roles: [],
      migrate: false,
      env: { ...driver.env },
      config: 'offboarding: { successor: none, recheck: 0s, reassign: [] }',
    });
    const people = Array.from({ length: count }, (_, i) => ({ name: `p${i}`, email: `p${i}@acme.com` }));
    for (const human of people) {
      driver.entra.addUser({ email: human.email });
      world.account().addTeammate({ email: human.email });
    }
    await world.start('up');
    await world.reconciled();
    await until('delta has its places', async () => (await place('users-delta')) && (await place('groups-delta')));
    return people;
  };
  const place = async (task: string) => (await taskRow(world, 'entra', task))?.cursor ?? null;
  const idOf = ({ email }: Human) => [...driver.entra.users.values()].find(({ mail }) => mail === email)?.id ?? '';
  const removals = () => world.sendgrid.applied().filter(({ method }) => method === 'DELETE');
  const gone = (...people: Human[]) =>
    until('they are gone', () => people.every(({ email }) => !world.account().has(email)));

  it('the receiver was away and the subscriptions vanished: one catch-up finds every leaver, once', async () => {
    const people = await open(12);
    await subscribe(world);
    await world.running[0]?.stop();
    for (const human of people.slice(0, 10)) driver.entra.softDelete(idOf(human));
    // Nobody is told that a subscription of users is gone (idp-events.md §2.3).
    driver.entra.subscriptions.all.clear();
    await driver.entra.deliver();
    await world.start('up');
    for (const task of ['subscriptions', 'users-delta']) await dueNow(world, task);
    await gone(...people.slice(0, 10));
    await until('they are there again', () => driver.entra.subscriptions.all.size === 2);
    await world.quiet();
    expect(removals()).toHaveLength(10);
  });

  it('a token that Graph has forgotten: who left meanwhile is compared out at once, and nobody else', async () => {
    const [jane, ...others] = (await open(5)) as [Human, ...Human[]];
    const runs = async () => (await world.database.pool.query('select started_by from reconcile_run')).rows;
    driver.entra.softDelete(idOf(jane));
    driver.entra.forgetTokens();
    await dueNow(world, 'users-delta');
    await gone(jane);
    await world.quiet();
    expect(world.running[0]?.output()).toContain('no longer knows where we were');
    expect(await runs()).toContainEqual({ started_by: 'source:entra' });
    expect(removals()).toHaveLength(1);
    for (const { email } of others) expect(world.account().has(email)).toBe(true);
    expect(await place('users-delta')).toContain('deltatoken');
  });
});

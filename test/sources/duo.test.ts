import { afterEach, describe, expect, it } from 'vitest';
import { type DuoEmulator, startDuoEmulator } from '#test/emulators/duo/index.js';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { until } from '#test/support/sendoff.js';
import { type Human, type SourceDriver, tellStory } from '#test/support/source-scenario.js';
import { createWorld, type World } from '#test/support/world.js';

function duoYaml({ url, host, integrationKey, secretKey }: DuoEmulator, poll: string): string {
  return `  duo:
    type: duo
    apiHost: ${host}
    baseUrl: ${url}
    integrationKey: ${integrationKey}
    secretKey: ${secretKey}
    poll: ${poll}`;
}

/** Everybody is called by user name; somebody else is always there, for a directory that knows nobody proves nothing. */
async function startDriver(setUp: (duo: DuoEmulator) => Pick<SourceDriver, 'terminate' | 'rehire'>) {
  const duo = await startDuoEmulator();
  duo.addUser({ username: 'keeper', email: 'keeper@acme.com' });
  return {
    duo,
    driver: {
      yaml: ({ poll }: { poll: string }) => duoYaml(duo, poll),
      source: 'duo',
      hire: ({ name, email }: Human, group: string) => void duo.addUser({ username: name, email, groups: [group] }),
      move: (human: Human, _from: string, to: string) => duo.change(idOf(duo, human), { groups: [to] }),
      suspend: (human: Human) => duo.change(idOf(duo, human), { status: 'disabled' }),
      reactivate: (human: Human) => duo.change(idOf(duo, human), { status: 'active' }),
      types: { hire: ['joined'], suspend: ['suspended'], terminate: ['terminated'] },
      close: duo.close,
      ...setUp(duo),
    } satisfies SourceDriver,
  };
}

function idOf(duo: DuoEmulator, { email }: Human): string {
  const user = [...duo.users.values()].find((one) => one.email === email);
  if (user === undefined) throw new Error(`Duo has no ${email}`);
  return user.user_id;
}

tellStory(
  'Duo as the authority, by its activity log',
  async () =>
    (
      await startDriver((duo) => ({
        terminate: (human) => duo.remove(idOf(duo, human)),
        // Under the old name, but as somebody new: ids are never given twice.
        rehire: ({ name, email }, group) => void duo.addUser({ username: name, email, groups: [group] }),
      }))
    ).driver,
  { push: false, poll: true },
);

tellStory(
  'Duo as the authority, by its older log, which names people by user name',
  async () => {
    const { duo, driver } = await startDriver((it) => ({
      terminate: (human) => it.trash(idOf(it, human)),
      rehire: (human, group) => {
        it.restore(idOf(it, human));
        it.change(idOf(it, human), { groups: [group] });
      },
    }));
    duo.activityRefused = 403;
    return driver;
  },
  { push: false, poll: true },
);

describe('Duo beside Okta, which is the authority', () => {
  let okta: OktaEmulator;
  let duo: DuoEmulator;
  let world: World;

  afterEach(async () => {
    await world?.end();
    await duo?.close();
    await okta?.close();
  });

  it('a deletion in Duo is a hint: Okta is asked, and only whom Okta has deactivated is removed', async () => {
    okta = await startOktaEmulator();
    duo = await startDuoEmulator();
    duo.addUser({ username: 'keeper', email: 'keeper@acme.com' });
    const people = ['anna', 'ben'].map((name) => {
      const email = `${name}@acme.com`;
      okta.addUser({ id: `00u-${name}`, email });
      return { email, id: duo.addUser({ username: email, email }).user_id };
    });
    const [anna, ben] = people as [(typeof people)[0], (typeof people)[0]];
    world = await createWorld({
      sources: {
        authority: 'okta',
        yaml: `  okta:
    type: okta
    orgUrl: ${okta.url}
    token: \${OKTA_API_TOKEN}
    hookSecret: hook-secret-0123456789abcdef
    poll: off
${duoYaml(duo, '1s')}`,
      },
      config: 'offboarding: { successor: none, recheck: 0s, reassign: [] }',
    });
    for (const { email } of people) world.account().addTeammate({ email });
    const mates = () => [...world.account().teammates.values()].map(({ email }) => email);
    const ended = (email: string) =>
      until(`the deletion of ${email} is through`, async () => {
        const { items } = await world.json<{ items: Event[] }>('events', 'list', '--all');
        return items.find((one) => one.source === 'duo' && one.type === 'terminated' && one.person?.email === email);
      });

    duo.trash(anna.id);
    duo.remove(anna.id);
    await ended(anna.email);
    await world.quiet();
    expect(mates()).toContain(anna.email);
    expect(world.sendgrid.journal.filter(({ method }) => method !== 'GET')).toEqual([]);

    // Okta's hook about Ben is lost.
    okta.setStatus('00u-ben', 'DEPROVISIONED');
    duo.remove(ben.id);
    await ended(ben.email);
    await until('Ben is removed', () => !mates().includes(ben.email));
    await world.quiet();
    expect(mates()).toContain(anna.email);
  }, 240_000);
});

interface Event {
  source: string;
  type: string;
  person: { email: string | null } | null;
}

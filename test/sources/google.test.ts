import { afterEach, describe, expect, it } from 'vitest';
import { channelToken, subject } from '#test/emulators/google/config.js';
import { type GoogleEmulator, googleError, startGoogleEmulator } from '#test/emulators/google/index.js';
import { until } from '#test/support/sendoff.js';
import { type Human, type SourceDriver, tellStory } from '#test/support/source-scenario.js';
import { createWorld, type World } from '#test/support/world.js';

const yaml = (google: GoogleEmulator, { poll, name = 'google' }: { poll: string; name?: string }) => `  ${name}:
    type: google
    clientEmail: ${google.tokens.account.clientEmail}
    privateKey: \${GOOGLE_KEY_OF_${name.toUpperCase()}}
    subject: ${subject}
    channelToken: ${channelToken}
    poll: ${poll}
    baseUrl: ${google.url}
    tokenUrl: ${google.url}
`;
// Where Google is to send to, which it is told when a channel is opened.
const publicUrl = `publicUrl: "http://127.0.0.1:\${PORT}"`;
/** On one line, as environment variables have it. */
const keyOf = (google: GoogleEmulator) => google.tokens.account.privateKey.replaceAll('\n', '\\n');

async function startDriver(): Promise<SourceDriver> {
  const google = await startGoogleEmulator();
  google.addUser({ primaryEmail: subject });
  for (const name of ['Writers', 'Readers']) google.addGroup({ email: `${name.toLowerCase()}@acme.com`, name });
  google.changes.length = 0;
  const idOf = ({ email }: Human): string => {
    const user = [...google.users.values()].find((one) => one.primaryEmail === email && one.deletionTime === null);
    if (user === undefined) throw new Error(`the emulator has no ${email}`);
    return user.id;
  };
  const groupOf = (name: string) => `${name.toLowerCase()}@acme.com`;
  const hire = ({ name, email }: Human, group: string): void => {
    const user = google.addUser({ primaryEmail: email, givenName: name });
    google.addMember(groupOf(group), user.id);
  };
  return {
    source: 'google',
    yaml: ({ poll }) => `${yaml(google, { poll })}${publicUrl}`,
    env: { GOOGLE_KEY_OF_GOOGLE: keyOf(google) },
    async ready(world) {
      const { stdout, stderr } = await world.workplace.run(['subscriptions', 'ensure', '--json']);
      expect(JSON.parse(stdout || '{}'), stderr).toMatchObject({ sources: [{ subscriptions: [{ state: 'active' }] }] });
      expect(google.channels.syncs).toEqual([204]);
    },
    hire,
    move(human, from, to) {
      const id = idOf(human);
      google.removeMember(groupOf(from), id);
      google.addMember(groupOf(to), id);
      // No channel tells of groups; whoever moves gets another organisational unit too.
      google.change(id, 'MOVE_USER_TO_ORG_UNIT', {}, { NEW_VALUE: `/${to}`, ORG_UNIT_NAME: `/${from}` });
    },
    suspend: (human) => google.change(idOf(human), 'SUSPEND_USER', { suspended: true }),
    reactivate: (human) => google.change(idOf(human), 'UNSUSPEND_USER', { suspended: false }),
    terminate: (human) => google.deleteUser(idOf(human)),
    rehire: hire,
    deliver: async (_, times) => {
      const statuses = await google.channels.deliver(google, times);
      expect(new Set([...statuses, 204])).toEqual(new Set([204]));
    },
    types: { hire: ['joined', 'moved'], suspend: ['suspended', 'moved'], terminate: ['terminated'] },
    close: google.close,
  };
}

tellStory('Google Workspace', startDriver, { push: true, poll: true });

describe('Google Workspace, end to end', () => {
  const emulators: GoogleEmulator[] = [];
  let world: World;
  afterEach(async () => {
    await world?.end();
    await Promise.all(emulators.splice(0).map((google) => google.close()));
  });

  async function start(poll: string, names = ['google']): Promise<GoogleEmulator[]> {
    for (const _ of names) {
      const google = await startGoogleEmulator();
      google.addUser({ primaryEmail: subject });
      emulators.push(google);
    }
    const parts = names.map((name, i) => yaml(emulators[i] as GoogleEmulator, { poll, name }));
    world = await createWorld({
      sources: { authority: names.at(-1) ?? '', yaml: `${parts.join('')}${publicUrl}` },
      config: 'offboarding: { successor: none, recheck: 0s, reassign: [] }',
      env: Object.fromEntries(
        names.map((name, i) => [`GOOGLE_KEY_OF_${name.toUpperCase()}`, keyOf(emulators[i] as GoogleEmulator)]),
      ),
    });
    return emulators;
  }
  /** Somebody with SendGrid access. */
  function person(google: GoogleEmulator, name: string): string {
    const { id, primaryEmail } = google.addUser({ primaryEmail: `${name}@acme.com` });
    world.account().addTeammate({ email: primaryEmail });
    return id;
  }
  const has = (email: string) => [...world.account().teammates.values()].some((mate) => mate.email === email);
  const rows = async () => (await world.database.pool.query('select event_id, state from inbox')).rows;

  it('refuses every mutation of a valid message, and a channel that ended, without a row', async () => {
    const [google] = (await start('off')) as [GoogleEmulator];
    await world.workplace.run(['subscriptions', 'ensure']);
    const [channel] = [...google.channels.open.values()];
    const valid = {
      'content-type': 'application/json; utf-8',
      'x-goog-channel-id': channel?.id ?? '',
      'x-goog-channel-token': channelToken,
      'x-goog-resource-state': 'delete',
      'x-goog-message-number': '236440',
    };
    const post = async (headers: Record<string, string>) => {
      const body = JSON.stringify({ id: '111220860655841818702', primaryEmail: 'user@acme.com' });
      return (await fetch(`${world.url}/hooks/google`, { method: 'POST', headers, body })).status;
    };
    const { 'x-goog-channel-token': _, ...withoutToken } = valid;
    for (const forged of [
      withoutToken,
      { ...valid, 'x-goog-channel-token': '' },
      { ...valid, 'x-goog-channel-token': channelToken.toUpperCase() },
      { ...valid, 'x-goog-channel-token': `${channelToken}0` },
      { ...valid, 'x-goog-channel-id': '01234567-89ab-cdef-0123456789ab' },
      { ...valid, 'x-goog-channel-id': '' },
    ]) {
      expect(await post(forged)).toBe(401);
    }
    expect(await rows()).toEqual([]);
    expect(await post(valid)).toBe(204);
    expect(await post(valid)).toBe(204);
    expect(await rows()).toMatchObject([{ event_id: `${channel?.id}:236440` }]);
    await world.database.pool.query("update subscription set expires_at = now() - interval '1 second'");
    await until('the channel is known to have ended', async () => (await post(valid)) === 401);
  });

  it('finds a leaver whose channel was removed without a word, and a deletion that no log told of', async () => {
    const [google] = (await start('1s')) as [GoogleEmulator];
    await world.workplace.run(['subscriptions', 'ensure']);
    const [jane, joe] = [person(google, 'jane'), person(google, 'joe')];
    google.channels.open.clear();
    google.deleteUser(jane);
    google.auditLagMs = 24 * 60 * 60_000;
    google.deleteUser(joe);
    expect(await google.channels.deliver(google)).toEqual([]);
    for (const name of ['jane', 'joe']) await until(`${name} is removed`, () => !has(`${name}@acme.com`));
    await world.quiet();
    expect(world.sendgrid.journal.filter(({ method }) => method === 'DELETE')).toHaveLength(2);
  });

  it('after RENAME_USER the old address, which somebody else has now, costs nobody their access', async () => {
    const [google] = (await start('1s')) as [GoogleEmulator];
    const jane = person(google, 'jane');
    google.rename(jane, 'jane.doe@acme.com');
    const renamed = google.users.get(jane);
    if (renamed !== undefined) renamed.aliases = [];
    google.addUser({ primaryEmail: 'jane@acme.com' });
    const ref = await until('the rename was seen', async () => {
      const { rows: seen } = await world.database.pool.query(
        `select person_ref from inbox where sender_type = 'RENAME_USER'`,
      );
      return seen[0]?.person_ref;
    });
    expect(ref).toEqual({ directoryId: null, email: 'jane.doe@acme.com' });
    await world.quiet();
    expect(has('jane@acme.com')).toBe(true);
    expect(world.sendgrid.journal.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  it.each([
    ['403 quotaExceeded', googleError(403, 'quotaExceeded', 'Quota exceeded')],
    ['429', googleError(429, 'rateLimitExceeded', 'Too Many Requests', { 'retry-after': '3600' })],
  ])('%s slows that source alone', async (_, answer) => {
    const [slow, fine] = (await start('1s', ['slow', 'fine'])) as [GoogleEmulator, GoogleEmulator];
    slow.fault = () => ({ kind: 'answer', answer });
    const failing = async () => {
      const { rows: tasks } = await world.database.pool.query(
        `select extract(epoch from due_at - now())::float8 as wait from source_task
         where source = 'slow' and task = 'activities' and failures > 0`,
      );
      return tasks[0]?.wait as number | undefined;
    };
    const wait = await until('the throttled source is left alone', failing);
    expect(wait).toBeGreaterThan(answer.status === 429 ? 3_000 : 20);
    fine.deleteUser(person(fine, 'jane'));
    await until('the other source is heard', () => !has('jane@acme.com'));
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmulatedAccount } from '#test/emulators/sendgrid/index.js';
import { calm, minutesPass, newestPlan, verifiedTrail, writes } from '#test/support/flow.js';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

interface Made {
  id: string;
  key: string;
  owner: string;
}
interface Listed {
  items: { id: string; name: string; subuser: string | null; state: string; owner: string | null }[];
}

describe('API keys, which outlive whoever made them', () => {
  let world: World;
  let account: EmulatedAccount;
  const boss = { id: '00u-boss', email: 'boss@acme.com' };
  const jane = { id: '00u-jane', email: 'jane@acme.com' };
  const made = { revoked: null as Made | null, handed: null as Made | null };
  const secrets: string[] = [];

  beforeAll(async () => {
    world = await createWorld({
      accounts: [{ name: 'marketing', subusers: [{ id: 11, username: 'brand-eu' }] }],
    });
    account = world.account();
    world.hire('boss');
    world.hire('jane', { managerId: boss.id });
    world.hire('kim');
    for (const name of ['jane-nightly', 'billing', 'janet-report', 'legacy']) account.addApiKey({ name });
    account.inSubuser('brand-eu').addApiKey({ name: 'eu-mailer' });
    await minutesPass(world);
  });
  afterAll(() => world.end());

  const keyNamed = (name: string, space = account) => [...space.apiKeys.values()].find((key) => key.name === name);
  const idOf = (name: string, space = account) => keyNamed(name, space)?.id ?? '';
  const listed = async (...more: string[]) => (await world.json<Listed>('keys', 'list', ...more)).items;
  const ownerOf = async (id: string) => (await listed()).find((key) => key.id === id)?.owner;
  const leave = async (person: { id: string; email: string }) => {
    await minutesPass(world);
    world.okta.setStatus(person.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', person));
    await calm(world);
  };

  it('are made with an owner; the key itself is shown once and works', async () => {
    const options = ['--account', 'marketing', '--owner', 'Jane@acme.com', '--scope', 'mail.send'];
    made.revoked = await world.json<Made>('keys', 'create', '--name', 'reports', ...options);
    const text = await world.workplace.run([
      'keys',
      'create',
      '--name',
      'importer',
      ...options,
      '--on-leave',
      'successor',
    ]);
    const secret = /SG\.[\w-]+\.[\w-]+/.exec(text.stdout)?.[0] ?? '';
    made.handed = { id: idOf('importer'), key: secret, owner: '' };
    secrets.push(made.revoked.key, secret);

    expect(made.revoked).toMatchObject({ owner: 'jane@acme.com', id: idOf('reports') });
    for (const name of ['reports', 'importer']) expect(keyNamed(name)?.scopes).toEqual(['mail.send']);
    expect(keyNamed('importer')?.secret).toBe(secret);
    const answer = await fetch(`${world.sendgrid.url}/v3/scopes`, { headers: { authorization: `Bearer ${secret}` } });
    expect(answer.status).toBe(200);
  });

  it('that exist are adopted, in a subuser too; one that does not exist is refused', async () => {
    const inEu = ['--account', 'marketing', '--subuser', 'brand-eu'];
    const euId = idOf('eu-mailer', account.inSubuser('brand-eu'));
    await world.json('keys', 'adopt', euId, ...inEu, '--owner', jane.email);
    await world.json('keys', 'adopt', idOf('legacy'), '--account', 'marketing', '--owner', jane.email);
    const unknown = await world.workplace.run([
      ...['keys', 'adopt', 'nonsense', '--account', 'marketing', '--owner', jane.email],
    ]);

    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain('there is no API key nonsense in marketing');
    expect(await ownerOf(euId)).toBe(jane.email);
  });

  it('get another owner by a command, and are listed with and without owners; Sendoff’s own is not among them', async () => {
    await world.json('keys', 'owner', idOf('legacy'), 'Kim@acme.com', '--account', 'marketing');
    const all = await listed('--account', 'marketing');
    const state = Object.fromEntries(all.map(({ name, state: is, owner }) => [name, owner ?? is]));

    expect(state).toEqual({
      reports: 'jane@acme.com',
      importer: 'jane@acme.com',
      'eu-mailer': 'jane@acme.com',
      legacy: 'kim@acme.com',
      'jane-nightly': 'unattributed',
      'janet-report': 'unattributed',
      billing: 'unattributed',
    });
    const open = await listed('--unattributed');
    expect(open.map(({ name }) => name).sort()).toEqual(['billing', 'jane-nightly', 'janet-report']);
  });

  it('of a leaver are revoked or go to the successor, as each says; those of others stay', async () => {
    await leave(jane);

    expect(keyNamed('reports')).toBeUndefined();
    expect(keyNamed('eu-mailer', account.inSubuser('brand-eu'))).toBeUndefined();
    expect(keyNamed('importer')).toBeDefined();
    expect(await ownerOf(made.handed?.id ?? '')).toBe(boss.email);
    expect(await ownerOf(idOf('legacy'))).toBe('kim@acme.com');
    const revoked = writes(world.sendgrid.journal).filter((line) => line.includes('DELETE /v3/api_keys'));
    expect(revoked).toHaveLength(2);
    expect((await newestPlan(world, jane.email)).state).toBe('settled');
  });

  it('that look like theirs by name are reported, and the rest is counted', async () => {
    const texts = (await newestPlan(world, jane.email)).todos.map(({ text }) => text).join('\n');
    expect(texts).toContain('API key “jane-nightly”');
    expect(texts).not.toContain('janet-report');
    expect(texts).toContain('2 API keys have no known owner');
    expect(keyNamed('jane-nightly')).toBeDefined();
  });

  it('handed over leave with the next owner in turn', async () => {
    await leave(boss);
    const plan = await newestPlan(world, boss.email);
    // Nobody manages the boss, so the key that was to be handed over is left to the operator.
    expect(keyNamed('importer')).toBeDefined();
    expect(plan.todos.map(({ text }) => text).join()).toContain('API key “importer”');
  });

  it('that are not attributed stay whoever leaves, and the one that Sendoff works with above all', async () => {
    await leave({ id: '00u-kim', email: 'kim@acme.com' });
    expect(keyNamed('legacy')).toBeUndefined();
    for (const name of ['Sendoff', 'billing', 'janet-report']) expect(keyNamed(name)).toBeDefined();
    expect(account.revoked).toBe(false);
  });

  it('once made are secret: nowhere in the database, in no log and in no listing', async () => {
    expect(secrets.every((secret) => /^SG\..{10,}\..{20,}$/.test(secret))).toBe(true);
    expect(
      await placesHolding(
        world,
        secrets.map((secret) => secret.split('.')[2] ?? secret),
      ),
    ).toEqual([]);
    const { stdout } = await world.workplace.run(['keys', 'list', '--json']);
    const said = [stdout, ...world.running.map((one) => one.output())].join('\n');
    for (const secret of secrets) expect(said).not.toContain(secret.split('.')[2]);
    // The scan does find what is there.
    expect(await placesHolding(world, [made.handed?.id ?? ''])).toContain('api_key.key_id');
  });

  it('are in the audit trail: who registered them, who revoked them, and no secret', async () => {
    const trail = await verifiedTrail(world);
    expect(trail.filter(({ kind }) => kind === 'key.registered')).toHaveLength(5);
    const ends = trail.filter(({ kind, action }) => kind === 'action.applied' && action?.footprint === 'api-key');
    expect(ends.map(({ action }) => action?.kind).sort()).toEqual(['hand-over', 'revoke', 'revoke', 'revoke']);
    for (const { before, after } of trail) expect(JSON.stringify({ before, after })).not.toMatch(/@|jane/i);
  });
});

describe('API keys where the policy revokes by name', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({
      accounts: [{ name: 'marketing', apiKeys: [{ name: 'send_job' }, { name: 'sendoff' }, { name: 'sender' }] }],
      config: `offboarding: { recheck: 3s, apiKeys: { match: "^{local}", action: revoke, registered: successor } }\n`,
    });
  });
  afterAll(() => world.end());

  it('go with the leaver they are named after, but never the configured key, whatever it is called', async () => {
    const account = world.account();
    // The configured key is called Sendoff, which this person’s name matches too; the register even says it is theirs.
    const send = world.hire('send');
    world.hire('kim');
    const adopted = await world.workplace.run([
      ...['keys', 'adopt', 'key-of-marketing', '--account', 'marketing', '--owner', send.email, '--on-leave', 'revoke'],
    ]);
    expect([0, 2]).toContain(adopted.code);
    await minutesPass(world);
    world.okta.setStatus(send.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', send));
    await calm(world);

    expect([...account.apiKeys.values()].map(({ name }) => name)).toEqual(['Sendoff']);
    expect(account.revoked).toBe(false);
    expect(account.has(send.email)).toBe(false);
  });

  it('are looked for once more after some minutes: one that is still listed is revoked again', async () => {
    const account = world.account();
    const ida = world.hire('ida');
    const key = account.addApiKey({ name: 'ida-nightly' });
    await minutesPass(world);
    world.okta.setStatus(ida.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', ida));
    await until(
      'it is settled',
      async () => (await newestPlan(world, ida.email).catch(() => null))?.state === 'settled',
    );
    expect(account.apiKeys.has(key.id)).toBe(false);

    account.apiKeys.set(key.id, key);
    await until('it is gone again', () => !account.apiKeys.has(key.id));
    await until('it is settled again', async () => (await newestPlan(world, ida.email)).state === 'settled');
    const said = (await verifiedTrail(world)).filter(({ kind }) => kind === 'person.returned');
    expect(said.map(({ detail }) => detail?.why)).toEqual(['something of theirs is still there: revoke api-key']);
  });

  it('that could not be read when their owner left are revoked as soon as they can be', async () => {
    const account = world.account();
    const jo = world.hire('jo');
    const key = account.addApiKey({ name: 'jo-nightly' });
    await minutesPass(world);
    const fault = world.sendgrid.faults.inject({ path: /api_keys/, fault: { kind: 'status', status: 500 } });
    world.okta.setStatus(jo.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', jo));
    await until('it waits', async () => (await newestPlan(world, jo.email).catch(() => null))?.state === 'waiting');
    // It goes on for ten minutes, and settles without.
    await world.database.pool.query(`update inbox set received_at = received_at - interval '11 minutes'`);
    await world.database.pool.query(`update plan set due_at = now() where state = 'waiting'`);
    await until('it is settled', async () => (await newestPlan(world, jo.email)).state === 'settled');
    expect((await newestPlan(world, jo.email)).notRead.map(({ part }) => part)).toContain('api keys');
    expect(account.apiKeys.has(key.id)).toBe(true);

    fault.remove();
    await until('it is revoked', async () => {
      await world.database.pool.query(`update plan set due_at = now() where recheck_at is not null and due_at > now()`);
      return !account.apiKeys.has(key.id);
    });
  });
});

/** Columns of all tables in whose text one of these is. */
async function placesHolding({ database: { pool } }: World, needles: string[]): Promise<string[]> {
  const { rows: tables } = await pool.query(
    `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name, table_name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const places: string[] = [];
  for (const { name, table_name: table } of tables) {
    const { rows } = await pool.query(
      `select distinct field.key as column from ${name} as line, jsonb_each_text(to_jsonb(line)) as field
       where exists (select from unnest($1::text[]) as needle where strpos(field.value, needle) > 0)`,
      [needles],
    );
    places.push(...rows.map(({ column }) => `${table}.${column}`));
  }
  return places;
}

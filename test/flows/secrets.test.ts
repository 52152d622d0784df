import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken, createWorld, hookSecret, type World } from '#test/support/world.js';

const planted = {
  'SendGrid key': 'SG.key-of-marketing',
  'Okta token': 'okta-emulator-token',
  'hook secret': hookSecret,
  'admin token': adminToken,
};

describe('secrets', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ env: { LOG_LEVEL: 'trace' } });
    // Everything that tends to leak: refusals, outages, a revoked key, garbage, a dead directory, wrong sign-ins.
    const jane = world.hire('jane');
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    world.sendgrid.faults.inject({
      method: 'DELETE',
      times: 1,
      fault: { kind: 'status', status: 500, body: { errors: [{ message: `key ${planted['SendGrid key']} failed` }] } },
    });
    await world.post(world.event('user.lifecycle.deactivate', jane));
    await world.quiet();
    const kim = world.hire('kim');
    world.okta.setStatus(kim.id, 'DEPROVISIONED');
    world.okta.fault = {
      kind: 'status',
      status: 401,
      body: { errorCode: 'E0000011', errorSummary: `Invalid token ${planted['Okta token']}` },
    };
    await world.post(world.event('user.lifecycle.deactivate', kim));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    world.okta.fault = null;
    await world.quiet();
    await fetch(`${world.url}/hooks/okta`, {
      method: 'POST',
      headers: { authorization: `${hookSecret}x` },
      body: '{}',
    });
    await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } });
    await fetch(`${world.url}/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: world.url },
      body: `token=${adminToken}`,
    });
    await world.workplace.run(['doctor', '--json']);
  });
  afterAll(() => world.end());

  const places: [string, () => Promise<string>][] = [
    ['the log', async () => world.running.map((one) => one.output()).join('\n')],
    ['the database, the queue’s tables included', async () => dump(world)],
    ['the audit export', async () => (await world.workplace.run(['audit', 'export'])).stdout],
    [
      'the metrics',
      async () => (await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } })).text(),
    ],
    [
      'the queue dashboard’s data',
      async () =>
        (
          await fetch(`${world.url}/queues/api/queues?activeQueue=actions&status=completed`, {
            headers: { authorization: `Bearer ${adminToken}` },
          })
        ).text(),
    ],
    [
      'what commands print',
      async () => {
        const runs = await Promise.all(
          [
            ['check'],
            ['check', '--json'],
            ['doctor'],
            ['events', 'list'],
            ['plans', 'list', '--json'],
            ['actions', 'list', '--json'],
          ].map((args) => world.workplace.run(args)),
        );
        return runs.map(({ stdout, stderr }) => stdout + stderr).join('\n');
      },
    ],
  ];

  it.each(places)('none is in %s', async (_, read) => {
    const text = await read();
    expect(text.length).toBeGreaterThan(100);
    for (const [name, secret] of Object.entries(planted)) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
        expect([name, text.includes(form)]).toEqual([name, false]);
      }
    }
  });

  it('the queue holds ids and no address', async () => {
    const { rows } = await world.database.pool.query(
      `select table_name from information_schema.columns where table_schema = 'bullmq' group by 1`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(await dump(world, 'bullmq')).not.toContain('@acme.com');
  });
});

/** Every value of every table, as text. */
async function dump(world: World, schema?: string): Promise<string> {
  const { rows: tables } = await world.database.pool.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema = any($1)`,
    [schema === undefined ? ['public', 'bullmq'] : [schema]],
  );
  const parts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await world.database.pool.query<{ row: string }>(`select t::text as row from ${name} t`);
    parts.push(...rows.map(({ row }) => row));
    const raw = await world.database.pool.query(`select * from ${name}`);
    parts.push(
      ...raw.rows.flatMap((row) =>
        Object.values(row)
          .filter(Buffer.isBuffer)
          .map((value) => value.toString()),
      ),
    );
  }
  return parts.join('\n');
}

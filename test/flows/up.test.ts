import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createWorkplace, freePort, until, type Workplace } from '#test/support/sendoff.js';

describe('sendoff up with its own PostgreSQL', () => {
  let okta: OktaEmulator;
  let sendgrid: SendGridEmulator;
  let place: Workplace;
  let url: string;
  afterEach(async () => {
    await place.remove();
    await okta.close();
    await sendgrid.close();
  });

  const open = async (env: NodeJS.ProcessEnv = {}) => {
    okta = await startOktaEmulator();
    sendgrid = await startSendGridEmulator();
    sendgrid.addAccount({ name: 'main', apiKey: 'SG.main', teammates: [{ email: 'jane@acme.com' }] });
    okta.addUser({ id: '00u-jane', email: 'jane@acme.com' });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    place = await createWorkplace(
      `version: 1
authority: okta
sources: { okta: { type: okta, orgUrl: "${okta.url}", token: okta-emulator-token, hookSecret: 0123456789abcdef, poll: off } }
accounts: { main: { apiKey: SG.main, baseUrl: "${sendgrid.url}", mode: enforce } }
`,
      { PORT: String(port), ...env },
    );
  };

  it('prints its token once, keeps secrets in owner-only files, and answers the command line beside it', async () => {
    await open({ SENDOFF_ADMIN_TOKEN: undefined });
    const first = await place.start('up');
    const token = /admin token \(shown this once\): (\S+)/.exec(first.output())?.[1] ?? '';
    expect(token.length).toBeGreaterThanOrEqual(32);
    expect((await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    for (const name of readdirSync(join(place.dir, 'data')).filter((file) => /token|key|url|json/.test(file))) {
      expect([name, statSync(join(place.dir, 'data', name)).mode & 0o077]).toEqual([name, 0]);
    }
    const settled = await place.run(['offboard', 'jane@acme.com', '--reason', 'left', '--wait', '--json']);
    expect([settled.code, settled.stderr]).toEqual([0, '']);
    expect(JSON.parse(settled.stdout)).toMatchObject({
      state: 'settled',
      person: { email: 'jane@acme.com' },
      actions: [{ state: 'done', account: 'main', target: 'jane@acme.com' }],
    });
    expect(sendgrid.account('main').has('jane@acme.com')).toBe(false);

    const second = await place.run(['up']);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(String(first.child.pid));

    expect(await first.stop()).toBe(0);
    const again = await place.start('up');
    expect(again.output()).not.toContain('shown this once');
    expect(await again.stop()).toBe(0);
    // With nothing running, the command starts the database for as long as it takes.
    const listed = await place.run(['plans', 'list', '--json']);
    expect(JSON.parse(listed.stdout).items).toHaveLength(1);
    expect((await place.run(['audit', 'verify'])).code).toBe(0);
  }, 240_000);

  it('shows its token once, and after a start that failed the next one does', async () => {
    await open({ SENDOFF_ADMIN_TOKEN: undefined });
    writeFileSync(join(place.dir, 'bad.yaml'), 'version: 2\n');
    expect((await place.run(['up', '--config', 'bad.yaml'])).code).toBe(2);
    const first = await place.start('up');
    expect(first.output()).toContain('admin token (shown this once)');
    expect(await first.stop()).toBe(0);
  }, 240_000);

  it('recovers what it had when it was killed', async () => {
    await open();
    const first = await place.start('up');
    okta.setStatus('00u-jane', 'DEPROVISIONED');
    sendgrid.faults.inject({ method: 'DELETE', times: 1, fault: { kind: 'status', status: 500 } });
    expect(
      await okta.deliver(`${url}/hooks/okta`, '0123456789abcdef', [
        { eventType: 'user.lifecycle.deactivate', userId: '00u-jane', login: 'jane@acme.com' },
      ]),
    ).toBe(204);
    await first.kill();
    const second = await place.start('up');
    await until('jane is gone', () => !sendgrid.account('main').has('jane@acme.com'), 80_000);
    expect(await second.stop()).toBe(0);
    expect(sendgrid.applied()).toHaveLength(1);
  }, 240_000);

  it('an order stands against an active directory until it is cancelled', async () => {
    await open();
    const up = await place.start('up');
    expect((await place.run(['offboard', 'jane@acme.com', '--wait', '--timeout', '40'])).code).toBe(0);
    sendgrid.account('main').addTeammate({ email: 'jane@acme.com' });
    await okta.deliver(`${url}/hooks/okta`, '0123456789abcdef', [
      { eventType: 'user.lifecycle.activate', userId: '00u-jane', login: 'jane@acme.com' },
    ]);
    await until('the order still stands', () => !sendgrid.account('main').has('jane@acme.com'));
    expect((await place.run(['offboard', 'jane@acme.com', '--cancel', '--wait', '--timeout', '40'])).code).toBe(0);
    sendgrid.account('main').addTeammate({ email: 'jane@acme.com' });
    const plan = await place.run(['plan', 'jane@acme.com', '--json']);
    expect([plan.code, JSON.parse(plan.stdout).actions]).toEqual([0, []]);
    expect(await up.stop()).toBe(0);
  }, 240_000);

  it('answers wrong use and wrong configuration with exit code 2 and what to do', async () => {
    await open();
    writeFileSync(
      join(place.dir, 'bad.yaml'),
      'version: 1\nauthority: okta\nsources: {}\naccounts:\n  main: { apiKey: x, mod: enforce }\n',
    );
    const bad = await place.run(['check', '--config', 'bad.yaml']);
    expect(bad.code).toBe(2);
    expect(bad.stdout).toBe('');
    expect(bad.stderr).toMatch(/^bad\.yaml:5:\d+ accounts\.main\.mod: .*mode/m);
    for (const args of [
      ['nonsense'],
      ['plan'],
      ['plan', 'no-address'],
      ['events', 'list', '--state', 'x'],
      ['events', 'show', 'x'],
      ['events', 'list', '--before', 'x'],
      ['worker'],
      ['web'],
    ]) {
      expect([args, (await place.run(args)).code]).toEqual([args, 2]);
    }
    expect((await place.run(['check', '--json'])).code).toBe(0);
    // Whoever reads may stop reading.
    const sendoff = `${process.execPath} ${resolve('dist/cli/main.js')}`;
    const piped = spawnSync('bash', ['-c', `set -o pipefail; ${sendoff} check | true`], {
      cwd: place.dir,
      env: place.env,
    });
    expect([piped.status, piped.stderr.toString()]).toEqual([0, '']);
    const key = execFileSync('openssl', [
      'genpkey',
      '-algorithm',
      'rsa',
      '-pkeyopt',
      'rsa_keygen_bits:2048',
    ]).toString();
    const worker = await place.run(['worker'], {
      DATABASE_URL: 'postgres://x@127.0.0.1:1/x',
      SENDOFF_SIGNING_KEY: key,
    });
    expect([worker.code, worker.stderr]).toEqual([2, expect.stringContaining('Ed25519')]);
    const none = await place.run(['worker'], { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('openssl genpkey')]);
  }, 240_000);
});

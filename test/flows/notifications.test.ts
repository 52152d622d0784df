import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen, type Request, send } from '#test/emulators/http.js';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

const key = Buffer.alloc(32, 7).toString('base64');

describe('who is told', () => {
  let world: World;
  let ears: Awaited<ReturnType<typeof listen>>;
  let heard: Request[];
  let answer: number;

  beforeEach(async () => {
    heard = [];
    answer = 200;
    ears = await listen((request, response) => {
      heard.push(request);
      send(response, { status: answer });
    });
    world = await createWorld({
      accounts: [{ name: 'marketing', mode: 'approve' }],
      env: { SLACK_URL: `${ears.url}/slack` },
      config: `sla: { deprovision: 4s }
notifications:
  team: { type: slack, token: "\${SLACK_URL}", on: [hold], digest: 1s }
  siem: { type: webhook, url: "${ears.url}/siem", signingSecret: whsec_${key}, on: [sla-breached], digest: 1s }
  mail: { type: email, account: marketing, from: sendoff@acme.com, to: [it@acme.com], on: [hold], digest: 1s }
`,
    });
  });
  afterEach(async () => {
    await world.end();
    await ears.close();
  });

  const mails = () => world.sendgrid.journal.filter(({ path }) => path === '/v3/mail/send');
  const at = (path: string) => heard.filter((request) => request.path === path);

  it('a hold and a broken promise, each once, each to whom it concerns; the signature proves who says it', async () => {
    const jane = world.hire('jane<b>');
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', jane));
    await until(
      'everybody is told',
      async () => at('/slack').length > 0 && at('/siem').length > 0 && mails().length > 0,
      40_000,
    );
    expect(JSON.stringify(at('/slack')[0]?.body)).toContain('jane&lt;b&gt;@acme.com');
    expect(JSON.stringify(mails()[0]?.body)).toContain('it@acme.com');
    const said = at('/siem')[0];
    const signed = `${said?.headers['webhook-id']}.${said?.headers['webhook-timestamp']}.${said?.rawBody}`;
    const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest('base64');
    expect(said?.headers['webhook-signature']).toBe(`v1,${signature}`);
    expect(JSON.stringify(said?.body)).toContain('sla-breached');
    expect(at('/slack')).toHaveLength(1);
    const { items } = await world.json<{ items: { kind: string }[] }>('alerts', 'list');
    expect(items.map(({ kind }) => kind).sort()).toEqual(['hold', 'sla-breached']);
    expect(world.running[0]?.output()).not.toContain(`${ears.url}/slack`);
  });

  it('`alerts test` tries each channel and says which one does not work', async () => {
    answer = 500;
    const { code, stdout, stderr } = await world.workplace.run(['alerts', 'test', '--json']);
    expect(code).toBe(1);
    const { channels } = JSON.parse(stdout) as { channels: { channel: string; ok: boolean; error: string | null }[] };
    expect(channels.map(({ channel, ok }) => `${channel} ${ok}`)).toEqual(['team false', 'siem false', 'mail true']);
    expect(stdout + stderr).not.toContain(ears.url);
    expect((await world.workplace.run(['alerts', 'test', 'nobody'])).code).toBe(2);
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { startOktaEmulator } from '#test/emulators/okta/index.js';
import { startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createWorkplace, freePort, until } from '#test/support/sendoff.js';

// The main job, played on real input: the built Sendoff, its own PostgreSQL, HTTP servers that behave like SendGrid and
// Okta. `--exit` ends by itself, with 0 only if the removal was read back and the audit trail verified.

const exitAtEnd = process.argv.includes('--exit');
const jane = { id: '00u3m90rxKjGQ0G6L1d6', email: 'jane.doe@acme.com' };
const hookSecret = 'demo-okta-hook-secret';
const began = Date.now();

const colour = (style: Parameters<typeof styleText>[0], text: string) =>
  process.stdout.isTTY ? styleText(style, text) : text;

function say(who: string, what: string, style: Parameters<typeof styleText>[0] = 'reset'): void {
  const at = ((Date.now() - began) / 1_000).toFixed(2).padStart(6);
  process.stdout.write(`${colour('dim', `${at}s`)}  ${colour(style, who.padEnd(9))} ${what}\n`);
}

const okta = await startOktaEmulator();
const sendgrid = await startSendGridEmulator({ latencyMs: 20 });
okta.addUser({ ...jane, firstName: 'Jane', lastName: 'Doe' });
okta.addUser({ id: '00u0kim', email: 'kim@acme.com' });
const accounts = ['marketing', 'transactional'].map((name) =>
  sendgrid.addAccount({
    name,
    apiKey: `SG.demo-${name}`,
    owner: { username: `acme-${name}`, email: 'owner@acme.com' },
    teammates: [{ email: 'kim@acme.com' }, { email: jane.email, is_sso: name === 'marketing' }],
    invitations: name === 'transactional' ? [{ email: 'Jane.Doe@acme.com' }] : [],
  }),
);

const port = await freePort();
const workplace = await createWorkplace(
  `version: 1
authority: okta
sources:
  okta: { type: okta, orgUrl: ${okta.url}, token: okta-emulator-token, hookSecret: ${hookSecret}, poll: off }
accounts:
${accounts.map((a) => `  ${a.name}: { apiKey: ${a.apiKey}, baseUrl: ${sendgrid.url}, mode: enforce }`).join('\n')}
protect: [owner@acme.com]
`,
  { PORT: String(port), LOG_LEVEL: 'warn' },
);

say('demo', `Jane Doe is a teammate of two SendGrid accounts; in one she has a pending invitation as well`);
say('sendoff', 'starting, with a PostgreSQL of its own …', 'cyan');
const sendoff = await workplace.start('up');
say('sendoff', `up at http://127.0.0.1:${port}`, 'cyan');

okta.on('request', ({ method, path, status }) => say('sendoff', `asks Okta: ${method} ${path} → ${status}`, 'cyan'));
sendgrid.on('request', ({ account, method, path, status, applied }) =>
  say(
    'sendoff',
    `${account}: ${method} ${decodeURIComponent(path).replace(/[0-9a-f]{32}/, '…')} → ${status}`,
    applied ? 'red' : 'cyan',
  ),
);

okta.setStatus(jane.id, 'DEPROVISIONED');
say('okta', 'an administrator deactivates Jane Doe; Okta posts its event hook', 'yellow');
const sent = Date.now();
const status = await okta.deliver(`http://127.0.0.1:${port}/hooks/okta`, hookSecret, [
  { eventType: 'user.lifecycle.deactivate', userId: jane.id, login: jane.email },
]);
say('sendoff', `answers ${status}: the event is stored, after ${Date.now() - sent} ms`, 'cyan');

const plans = await until(
  'Jane is out of both accounts, read back',
  async () => {
    const { stdout } = await workplace.run(['plans', 'list', '--json']);
    const { items } = JSON.parse(stdout) as { items: Plan[] };
    return items[0]?.state === 'settled' ? items : null;
  },
  // On a slow machine every command takes its time.
  180_000,
).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n${sendoff.output()}\n`);
  return [];
});

// An account that answered late is in a plan of its own.
const removed = plans.flatMap(({ actions }) => actions.filter((action) => action.state === 'done'));
for (const { account, footprint, target, before } of removed) {
  const had = before === null || footprint !== 'teammate' ? '' : ` (had ${describe(before)})`;
  say('proof', `${account}: ${footprint} ${target} is gone, read back${had}`, 'green');
}
const file = join(workplace.dir, 'audit.jsonl');
const exported = await workplace.run(['audit', 'export']);
await writeFile(file, exported.stdout);
for (const line of exported.stdout.trim().split('\n')) {
  const { seq, kind, account, action } = JSON.parse(line);
  if (seq !== undefined)
    say(
      'audit',
      `${String(seq).padStart(3)} ${kind.padEnd(16)} ${account ?? ''} ${action === null ? '' : `${action.kind} ${action.footprint}`}`,
      'magenta',
    );
}
const verified = await workplace.run(['audit', 'verify', '--file', file]);
say('audit', verified.stdout.trim(), verified.code === 0 ? 'green' : 'red');

const gone = accounts.every((account) => !account.has(jane.email) && account.has('kim@acme.com'));
const good = status === 204 && removed.length === 3 && gone && verified.code === 0;
say(
  'demo',
  good ? 'Jane is out, everywhere, and it can be proven.' : 'Something did not come out as it should.',
  good ? 'green' : 'red',
);

if (!exitAtEnd && good) {
  process.stdout.write(`
Where to look next (Sendoff keeps running; Ctrl-C ends it):
  queue dashboard    http://127.0.0.1:${port}/queues   token: ${workplace.env.SENDOFF_ADMIN_TOKEN}
  metrics            curl -H "Authorization: Bearer ${workplace.env.SENDOFF_ADMIN_TOKEN}" http://127.0.0.1:${port}/metrics
  the audit export   ${file}
  commands           cd ${workplace.dir} && SENDOFF_ENV=test SENDOFF_DATA=data node ${process.cwd()}/dist/cli/main.js plans list
  your own set-up    cp sendoff.example.yaml sendoff.yaml, then README.md "Set it up"
`);
  await new Promise((resolve) => process.once('SIGINT', resolve));
}
await sendoff.stop();
await okta.close();
await sendgrid.close();
await workplace.remove();
process.exitCode = good ? 0 : 1;

interface Plan {
  state: string;
  actions: {
    state: string;
    account: string;
    footprint: string;
    target: string;
    before: { admin: boolean; scopes: string[] } | null;
  }[];
}

function describe({ admin, scopes }: { admin: boolean; scopes: string[] }): string {
  return admin ? 'full access' : `${scopes.length} scopes`;
}

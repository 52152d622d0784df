import { writeFile } from 'node:fs/promises';
import { startOktaEmulator } from '#test/emulators/okta/index.js';
import { startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createWorkplace, freePort, until } from '#test/support/sendoff.js';

// Plays a leaver with every kind of footprint and writes what an operator types and sees: docs/plan-session.md.

const jane = { id: '00u3m90rxKjGQ0G6L1d6', email: 'jane@acme.com' };
const hookSecret = 'session-okta-hook-secret';
const okta = await startOktaEmulator();
const sendgrid = await startSendGridEmulator();
okta.addUser({ ...jane, firstName: 'Jane', lastName: 'Doe', managerId: '00u0boss' });
for (const name of ['boss', 'kim']) okta.addUser({ id: `00u0${name}`, email: `${name}@acme.com` });
const marketing = sendgrid.addAccount({
  name: 'marketing',
  apiKey: 'SG.session-marketing',
  owner: { username: 'acme-marketing', email: 'owner@acme.com' },
  teammates: [{ email: jane.email }, { email: 'boss@acme.com' }, { email: 'kim@acme.com' }],
  accessRequests: [{ email: jane.email }],
  subusers: [
    { id: 1, username: 'brand-eu', email: jane.email, teammates: [{ email: jane.email }] },
    { id: 2, username: 'brand-us', invitations: [{ email: jane.email }] },
  ],
  verifiedSenders: [{ nickname: 'Jane', from_email: jane.email }],
  senders: [{ nickname: 'Newsletter', from: jane.email }],
  alerts: [{ email_to: jane.email }],
  forwardBounce: jane.email,
  forwardSpam: `ops@acme.com,${jane.email}`,
  apiKeys: [{ name: 'orders-prod' }, { name: 'jane-nightly' }, { name: 'legacy' }],
  authenticatedDomains: [],
});
sendgrid.addAccount({
  name: 'transactional',
  apiKey: 'SG.session-transactional',
  owner: { username: 'acme-transactional', email: 'owner@acme.com' },
  teammates: [{ email: jane.email }, { email: 'boss@acme.com' }, { email: 'kim@acme.com' }],
});

const port = await freePort();
const workplace = await createWorkplace(
  `version: 1
authority: okta
sources:
  okta: { type: okta, orgUrl: ${okta.url}, token: okta-emulator-token, hookSecret: ${hookSecret}, poll: off }
accounts:
  marketing: { apiKey: SG.session-marketing, baseUrl: ${sendgrid.url}, mode: enforce }
  transactional: { apiKey: SG.session-transactional, baseUrl: ${sendgrid.url}, mode: approve }
offboarding:
  successor: manager
  apiKeys: { match: "^{local}[-_. ]" }
`,
  { PORT: String(port), LOG_LEVEL: 'warn' },
);
const sendoff = await workplace.start('up');

const parts: string[] = [];
/** Runs a command and keeps it with what it printed. */
async function type(...words: string[]): Promise<void> {
  const { stdout, stderr } = await workplace.run(words);
  const typed = words.map((word) => (/[\s"]/.test(word) ? `"${word}"` : word)).join(' ');
  parts.push(`$ sendoff ${typed}\n${`${stdout}${stderr}`.trimEnd()}`);
}
const newest = async () => {
  const { stdout } = await workplace.run(['plans', 'list', '--json']);
  return (JSON.parse(stdout) as { items: { id: string; state: string; actions: { state: string }[] }[] }).items[0];
};
/** The newest plan, once nothing of it is under way any more. */
const decided = (states: string[]) =>
  until(`the plan is ${states.join(' or ')}`, async () => {
    const plan = await newest();
    const isDone = plan?.actions.every(({ state }) => ['done', 'waiting', 'held'].includes(state));
    return plan !== undefined && states.includes(plan.state) && isDone ? plan : null;
  });

try {
  const key = [...marketing.apiKeys.values()].find(({ name }) => name === 'orders-prod');
  await type('keys', 'adopt', key?.id ?? '', '--account', 'marketing', '--owner', jane.email);
  okta.setStatus(jane.id, 'DEPROVISIONED');
  await type('plan', jane.email);
  await okta.deliver(`http://127.0.0.1:${port}/hooks/okta`, hookSecret, [
    { eventType: 'user.lifecycle.deactivate', userId: jane.id, login: jane.email },
  ]);
  const { id } = await decided(['held']);
  const before = parts.splice(0);
  await type('plans', 'approve', id, '--reason', 'checked with HR');
  await decided(['waiting', 'settled']);
  await type('plans', 'show', id);
  await type('reconcile');
  await writeFile(new URL('../../docs/plan-session.md', import.meta.url), page(before, parts));
} catch (error) {
  process.stderr.write(`${String(error)}\n${sendoff.output()}\n`);
  process.exitCode = 1;
} finally {
  await sendoff.stop();
  await workplace.remove();
  await okta.close();
  await sendgrid.close();
}

function page(before: string[], after: string[]): string {
  const console = (blocks: string[]) => `\`\`\`console\n${blocks.join('\n\n')}\n\`\`\``;
  return `# A plan, from the terminal

Captured by \`npm run plan-session\` from a run against the emulators: Jane leaves. She is a teammate in two accounts and in one subuser, invited into another, has asked for more access, and her address stands in senders, an alert and two forwardings. One API key is hers by the key register, one looks like hers. \`marketing\` enforces, \`transactional\` asks for an approval.

${console(before)}

After the hook had arrived, \`marketing\` was done at once and \`transactional\` waited for an answer. The senders wait for their new owner to click SendGrid's link; nobody's access waits for that.

${console(after)}
`;
}

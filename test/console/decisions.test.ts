import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OidcEmulator, startOidcEmulator } from '#test/emulators/oidc/index.js';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';
import { open, type Visitor, visit } from './browser.js';

describe('orders and approvals, by people with names', () => {
  let world: World;
  let idp: OidcEmulator;
  const visitors: Visitor[] = [];
  const enter = async (email: string, ...groups: string[]) => {
    const visitor = await visit(world, { as: { idp, email, groups } });
    visitors.push(visitor);
    return visitor.page;
  };

  beforeAll(async () => {
    idp = await startOidcEmulator();
    world = await createWorld({
      accounts: [{ name: 'marketing', mode: 'approve' }],
      config: `publicUrl: http://127.0.0.1:\${PORT}
approvals: { approvers: [ann@acme.com, ben@acme.com] }
signIn:
  issuer: ${idp.issuer}
  clientId: ${idp.clientId}
  clientSecret: ${idp.clientSecret}
  roles: { viewer: [auditors], approver: [leads] }
`,
    });
    for (const name of ['kim', 'lee', 'max']) {
      const person = world.hire(name);
      await world.post(world.event('user.account.update_profile', person));
    }
    await world.quiet();
  });
  afterAll(async () => {
    await Promise.all(visitors.map((visitor) => visitor.close()));
    await world?.end();
    await idp?.close();
  });

  it('who orders an offboarding is refused the approval; a second person gives it', async () => {
    const ann = await enter('ann@acme.com', 'leads');
    await open(ann, 'People');
    await ann.getByLabel('Search').fill('kim');
    await ann.getByRole('link', { name: 'kim@acme.com' }).click();
    await ann.getByRole('button', { name: 'Offboard' }).click();
    const dialog = ann.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('laid off');
    await dialog.getByLabel('Type kim@acme.com to confirm').fill('kim@acme.com');
    await dialog.getByRole('button', { name: 'Offboard' }).click();
    await ann.getByText('Not out: the plan is held').waitFor();

    await open(ann, 'Approvals');
    await ann.getByText('Two-person rule').waitFor();
    const shown = ann.getByRole('article', { name: 'Held plan for kim@acme.com' });
    await shown.getByText('mode-approve').waitFor();
    await shown.getByRole('button', { name: 'Approve' }).click();
    await shown.getByRole('alert').getByText('SAME_PERSON').waitFor();
    expect(world.account().has('kim@acme.com')).toBe(true);

    const ben = await enter('ben@acme.com', 'leads');
    await open(ben, 'Approvals');
    const question = ben.getByRole('article', { name: 'Held plan for kim@acme.com' });
    await question.getByLabel('Comment').fill('checked with HR');
    await question.getByRole('button', { name: 'Approve' }).click();
    await question.waitFor({ state: 'detached' });
    await until('kim is out', () => !world.account().has('kim@acme.com'));
    // Ann’s page follows by itself.
    await ann.getByText('Nothing is held').waitFor();
  });

  it('several are answered at once by whoever types how many', async () => {
    for (const name of ['lee', 'max']) {
      world.okta.setStatus(`00u-${name}`, 'DEPROVISIONED');
      await world.post(world.event('user.lifecycle.deactivate', { id: `00u-${name}`, email: `${name}@acme.com` }));
    }
    const ben = await enter('ben@acme.com', 'leads');
    await open(ben, 'Approvals');
    for (const name of ['lee', 'max']) await ben.getByLabel(`Choose the plan for ${name}@acme.com`).check();
    await ben.getByRole('button', { name: 'Answer the chosen plans' }).click();
    const dialog = ben.getByRole('dialog');
    const approve = dialog.getByRole('button', { name: 'Approve all' });
    await dialog.getByLabel('How many plans is that?').fill('1');
    expect(await approve.isDisabled()).toBe(true);
    await dialog.getByLabel('How many plans is that?').fill('2');
    await approve.click();
    await dialog.getByText('lee@acme.com: approved').waitFor();
    await dialog.getByText('max@acme.com: approved').waitFor();
    await until('both are out', () => !['lee', 'max'].some((name) => world.account().has(`${name}@acme.com`)));
  });

  it('an auditor searches, exports, and is offered nothing that changes anything', async () => {
    const page = await enter('olga@acme.com', 'auditors');
    await open(page, 'Audit');
    await page.getByLabel('Kind').fill('plan.approved');
    const row = page
      .getByRole('table', { name: 'Audit trail' })
      .getByRole('row')
      .filter({ hasText: 'checked with HR' });
    await row.getByText('user:ben@acme.com').waitFor();
    expect(await page.getByRole('button', { name: 'Verify now' }).count()).toBe(0);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export JSONL' }).click(),
    ]);
    const lines = (await readFile(await download.path(), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ kind: 'checkpoint' });
    expect(lines.map(({ kind }) => kind)).toContain('plan.approved');

    await open(page, 'Approvals');
    await page.getByText('you can look').waitFor();
    await open(page, 'People');
    await page.getByRole('link', { name: 'kim@acme.com' }).click();
    await page.getByText('Out, everywhere').waitFor();
    expect(await page.getByRole('button', { name: /Offboard|Replay|Restore/ }).count()).toBe(0);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';
import { open, screenshot, type Visitor, visit } from './browser.js';

describe('what failed', () => {
  let world: World;
  let visitor: Visitor;
  beforeAll(async () => {
    world = await createWorld();
    visitor = await visit(world);
  });
  afterAll(async () => {
    await visitor?.close();
    await world?.end();
  });

  const fail = async (...names: string[]) => {
    const fault = world.sendgrid.faults.inject({ method: 'DELETE', fault: { kind: 'status', status: 403 } });
    for (const name of names) {
      const person = world.hire(name);
      world.okta.setStatus(person.id, 'DEPROVISIONED');
      await world.post(world.event('user.lifecycle.deactivate', person));
    }
    await until('all have failed', async () => {
      const { rows } = await world.database.pool.query(`select count(*)::int as n from action where state = 'failed'`);
      return rows[0].n === names.length;
    });
    fault.remove();
  };
  const isIn = (name: string) => world.account().has(`${name}@acme.com`);

  it('is found by the person, says why, and is retried from there', async () => {
    await fail('jane');
    const { page } = visitor;
    await page.keyboard.press('Control+K');
    await page.getByRole('heading', { level: 1, name: 'People' }).waitFor();
    await page.waitForFunction('document.activeElement.id === "search"');
    await page.keyboard.type('jane');
    await page.getByRole('link', { name: 'jane@acme.com' }).click();
    await page
      .getByText(/Last error: .*403/)
      .first()
      .waitFor();
    expect(isIn('jane')).toBe(true);
    await page.getByRole('button', { name: 'Replay' }).first().click();
    await page.getByText('Received: the person is planned anew.').waitFor();
    await page.getByText('Out, everywhere').waitFor();
    expect(isIn('jane')).toBe(false);
  });

  it('is grouped by cause, and a cause is retried as a whole', async () => {
    await fail('kim', 'lee', 'max');
    const { page } = visitor;
    await open(page, 'Queues');
    const cause = page.getByRole('region', { name: /403/ });
    await cause.getByText('3 failures', { exact: true }).waitFor();
    await cause.getByRole('button', { name: 'Replay 3 failures' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('3 events that name a person').waitFor();
    await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
    const replay = page.getByRole('article', { name: 'Replay of 3 events' });
    await replay.getByText('3 of 3 events planned anew').waitFor();
    await page.getByText('Nothing has failed').waitFor();
    await until('all are out', () => !['kim', 'lee', 'max'].some(isIn));
  });

  it('and is many: their number is typed, how far it is shows to who comes back, and the rest is aborted', async () => {
    // Of people whom the directory can't be asked about just now: nothing of it ends by itself.
    world.okta.fault = { kind: 'status', status: 503 };
    await world.database.pool.query(
      `insert into inbox (source, event_id, type, person_ref, raw, state)
       select 'okta', 'm' || n, 'terminated', jsonb_build_object('directoryId', 'm' || n, 'email', 'm' || n || '@acme.com'), '{}', 'dead'
       from generate_series(1, 200) n`,
    );
    const { page } = visitor;
    await page.goto(`${world.url}/events?state=dead`);
    await page.getByRole('button', { name: 'Replay all that match' }).click();
    const dialog = page.getByRole('dialog');
    const go = dialog.getByRole('button', { name: 'Replay', exact: true });
    await dialog.getByLabel('How many events is that?').fill('199');
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByLabel('How many events is that?').fill('200');
    await go.click();
    const replay = page.getByRole('article', { name: 'Replay of 200 events' });
    await replay.getByText('0 of 200 events planned anew').waitFor();

    await open(page, 'Queues');
    await replay.getByRole('button', { name: 'Abort' }).waitFor();
    await screenshot(page, 'replay');
    await replay.getByRole('button', { name: 'Abort' }).click();
    await replay.getByText(/aborted by admin-token, (19\d|200) were not begun/).waitFor();
    expect(await replay.getByRole('button', { name: 'Abort' }).count()).toBe(0);
    world.okta.fault = null;
  });

  it('made the browser complain about nothing', () => {
    expect(visitor.complaints).toEqual([]);
  });
});

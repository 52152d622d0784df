import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '#test/support/world.js';
import { type Visitor, visit } from './browser.js';

describe('Today', () => {
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

  it('shows a termination and how it ends, without a reload', async () => {
    const { page } = visitor;
    const jane = world.hire('jane');
    await page.evaluate(() => Object.assign(globalThis, { notReloaded: true }));
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    expect(await world.post(world.event('user.lifecycle.deactivate', jane))).toBe(204);

    const row = page.getByRole('table', { name: 'Leaving' }).getByRole('row').filter({ hasText: jane.email });
    await row.getByText('settled').waitFor();
    await row.getByText('1 of 1 read back').waitFor();
    expect(world.account().has(jane.email)).toBe(false);
    expect(await page.evaluate(() => 'notReloaded' in globalThis)).toBe(true);

    await row.getByRole('link', { name: jane.email }).click();
    await page.getByText('Out, everywhere').waitFor();
  });

  it('needs nothing from elsewhere, and keeps to its content security policy', () => {
    expect(visitor.complaints).toEqual([]);
  });
});

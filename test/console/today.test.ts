import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '#test/support/world.js';
import { type Visitor, visit } from './browser.js';

describe('Today', () => {
  let world: World;
  let visitor: Visitor;
  beforeAll(async () => {
    world = await createWorld();
    // Nothing is asked for at intervals: what the page shows anew, it was told of.
    visitor = await visit(world, { before: (page) => page.addInitScript('globalThis.setInterval = () => 0') });
  });
  afterAll(async () => {
    await visitor?.close();
    await world?.end();
  });

  const leave = async (name: string) => {
    const person = world.hire(name);
    world.okta.setStatus(person.id, 'DEPROVISIONED');
    expect(await world.post(world.event('user.lifecycle.deactivate', person))).toBe(204);
    return person;
  };
  const rowOf = (page: Page, email: string) =>
    page.getByRole('table', { name: 'Leaving' }).getByRole('row').filter({ hasText: email });

  it('shows a termination and how it ends, told by the server, without a reload', async () => {
    const { page } = visitor;
    await page.evaluate(() => Object.assign(globalThis, { notReloaded: true }));
    const jane = await leave('jane');
    const row = rowOf(page, jane.email);
    await row.getByText('settled').waitFor();
    await row.getByText('1 of 1 read back').waitFor();
    expect(world.account().has(jane.email)).toBe(false);
    expect(await page.evaluate(() => 'notReloaded' in globalThis)).toBe(true);

    await row.getByRole('link', { name: jane.email }).click();
    await page.getByText('Out, everywhere').waitFor();
  });

  it('asks every few seconds where the stream does not reach', async () => {
    const cut = await visit(world, { before: (page) => page.route('**/api/v1/stream', (route) => route.abort()) });
    const kim = await leave('kim');
    await rowOf(cut.page, kim.email).getByText('settled').waitFor();
    await cut.close();
  });

  it('needs nothing from elsewhere, and keeps to its content security policy', () => {
    expect(visitor.complaints).toEqual([]);
  });
});

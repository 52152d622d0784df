import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';
import { open, screenshot, type Visitor, visit } from './browser.js';

const console = createRequire(join(import.meta.dirname, '../../console/package.json'));
const axe = readFileSync(console.resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

async function seriousViolations(page: Page): Promise<string[]> {
  // Through the debugger, which the page's own policy does not hold back.
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
    violations: Violation[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}

/** A page by its name in the menu, and what is opened on it. */
const places: [string, string, (page: Page) => Promise<unknown>][] = [
  [
    'today',
    'Today',
    async (page) => {
      await page.getByRole('table', { name: 'Leaving' }).waitFor();
      await page.getByRole('region', { name: 'What needs you' }).getByText('Answer it').first().waitFor();
    },
  ],
  ['people', 'People', (page) => page.getByRole('table', { name: 'People' }).waitFor()],
  ['approvals', 'Approvals', (page) => page.getByRole('article').first().waitFor()],
  ['accounts', 'Accounts', (page) => page.getByRole('table', { name: 'Accounts' }).waitFor()],
  ['events', 'Events', (page) => page.getByRole('table', { name: 'Events' }).waitFor()],
  ['queues', 'Queues', (page) => page.getByRole('region', { name: /403/ }).waitFor()],
  ['audit', 'Audit', (page) => page.getByRole('table', { name: 'Audit trail' }).waitFor()],
  ['settings', 'Settings', (page) => page.getByRole('region', { name: 'Configuration' }).waitFor()],
];

const details: [string, (page: Page) => Promise<unknown>][] = [
  [
    'person',
    async (page) => {
      await open(page, 'People');
      await page.getByRole('link', { name: 'jane@acme.com' }).click();
      await page.getByText('Out, everywhere').waitFor();
    },
  ],
  [
    'account',
    async (page) => {
      await open(page, 'Accounts');
      await page.getByRole('link', { name: 'marketing' }).click();
      await page.getByRole('table', { name: 'Roster' }).waitFor();
    },
  ],
  [
    'event',
    async (page) => {
      await open(page, 'Events');
      await page.getByRole('table', { name: 'Events' }).getByRole('link', { name: 'terminated' }).first().click();
      await page.getByRole('region', { name: 'As it was sent' }).first().waitFor();
    },
  ],
  [
    'offboard',
    async (page) => {
      await open(page, 'People');
      await page.getByRole('link', { name: 'stay@acme.com' }).click();
      await page.getByRole('button', { name: 'Offboard' }).click();
      await page.getByRole('dialog').getByLabel('Reason').waitFor();
    },
  ],
  [
    'doctor',
    async (page) => {
      await open(page, 'Settings');
      await page.getByRole('tab', { name: 'Grants' }).click();
      await page.getByRole('table', { name: 'Grants' }).waitFor();
      await page.getByRole('tab', { name: 'Doctor' }).click();
      await page.getByRole('button', { name: 'Examine' }).click();
      await page.getByText(/^Examined/).waitFor();
    },
  ],
  [
    'notifications',
    async (page) => {
      await open(page, 'Settings');
      await page.getByRole('tab', { name: 'Notifications' }).click();
      await page.getByRole('button', { name: 'Send a test to it-team' }).click();
      await page.getByText('Told.').waitFor();
    },
  ],
];

describe('every page', () => {
  let world: World;
  const visitors: Visitor[] = [];
  const enter = async (...more: Parameters<typeof visit> extends [World, ...infer R] ? R : never) => {
    const visitor = await visit(world, ...more);
    visitors.push(visitor);
    return visitor;
  };

  beforeAll(async () => {
    world = await createWorld({
      accounts: [{ name: 'marketing' }, { name: 'transactional', mode: 'approve' }],
      config: `roles: { marketer: { persona: marketer } }
grants: [{ group: Marketers, account: transactional, role: marketer }]
notifications:
  it-team: { type: email, account: marketing, from: sendoff@acme.com, to: [it@acme.com] }
`,
    });
    const hire = async (name: string, firstName: string, lastName: string) => {
      const person = world.hire(name, { firstName, lastName });
      // There she is nobody, so that nothing of hers is held.
      if (name === 'jane') world.account('transactional').teammates.delete(person.email);
      await world.post(world.event('user.account.update_profile', person));
      return person;
    };
    const leave = async (person: { id: string; email: string }) => {
      world.okta.setStatus(person.id, 'DEPROVISIONED');
      await world.post(world.event('user.lifecycle.deactivate', person));
    };
    await hire('stay', 'Sam', 'Stay');
    const [jane, kim, lee] = [
      await hire('jane', 'Jane', 'Doe'),
      await hire('kim', 'Kim', 'Park'),
      await hire('lee', 'Lee', 'Long'),
    ];
    await world.quiet();
    await leave(jane);
    await until('jane is out', () => !world.account('marketing').has(jane.email));
    const fault = world.sendgrid.faults.inject({
      method: 'DELETE',
      account: 'marketing',
      fault: { kind: 'status', status: 403 },
    });
    await leave(kim);
    await leave(lee);
    await world.quiet();
    fault.remove();
  });
  afterAll(async () => {
    await Promise.all(visitors.map((visitor) => visitor.close()));
    await world?.end();
  });

  for (const [look, context] of [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
  ] as const) {
    it(`has no serious accessibility violation, ${look}`, async () => {
      const { page, complaints } = await enter(context);
      const found: string[] = [];
      const examine = async (name: string) => {
        found.push(...(await seriousViolations(page)).map((text) => `${name}: ${text}`));
        if (look === 'light') await screenshot(page, name);
        else if (name === 'person') await screenshot(page, 'person-dark');
      };
      for (const [name, label, ready] of places) {
        await open(page, label);
        await ready(page);
        await examine(name);
      }
      for (const [name, go] of details) {
        await page.keyboard.press('Escape');
        await page.goto(world.url);
        await go(page);
        await examine(name);
      }
      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
    }, 180_000);
  }

  it('loads less than 300 kB of compressed script before Today stands, its chart included', async () => {
    const { page } = await enter();
    const files = new Set<string>();
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (pathname.endsWith('.js')) files.add(pathname);
    });
    await page.reload();
    await page.getByRole('figure', { name: /p95/ }).waitFor();
    const sizes = [...files].map((file) => statSync(join(import.meta.dirname, `../../dist/console${file}.gz`)).size);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    process.stdout.write(`first load: ${sizes.length} scripts, ${(bytes / 1_000).toFixed(1)} kB gzipped\n`);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(300_000);
  });

  it('fits a phone: nothing is wider than the screen', async () => {
    const { page } = await enter({ viewport: { width: 390, height: 844 } });
    const found: string[] = [];
    for (const [name, label, ready] of places) {
      await page.goto(world.url);
      await page.getByRole('button', { name: 'Open the menu' }).click();
      await open(page, label);
      await ready(page);
      const width = (await page.evaluate('document.documentElement.scrollWidth')) as number;
      if (width > 390) found.push(`${name} is ${width} wide`);
      found.push(...(await seriousViolations(page)).map((text) => `${name}: ${text}`));
      if (name === 'approvals') await screenshot(page, 'approvals-phone');
    }
    expect(found).toEqual([]);
  }, 180_000);

  it('can be used by keyboard: the first key skips to the page', async () => {
    const { page } = await enter();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the page');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
  });

  it('keeps what is searched for through a reload and the way back, and out of every address', async () => {
    const { page } = await enter();
    const addresses: string[] = [];
    page.on('request', (request) => void addresses.push(request.url()));
    page.on('framenavigated', (frame) => void addresses.push(frame.url()));
    const linkTo = (name: string) => page.getByRole('main').getByRole('link', { name });
    const [jane, kim] = [linkTo('jane@acme.com'), linkTo('kim@acme.com')];
    for (const [place, label, text] of [
      ['People', 'Search', 'jane@'],
      ['Events', 'Person', 'jane@acme.com'],
      ['Audit', 'Person', 'jane@acme.com'],
    ] as const) {
      await open(page, place);
      await page.getByLabel(label).fill(text);
      await until('only hers are shown', async () => (await kim.count()) === 0);
      await jane.first().waitFor();
      await page.reload();
      await jane.first().waitFor();
      expect(await page.getByLabel(label).inputValue()).toBe(text);
      await jane.first().click();
      await page.waitForURL(/\/people\/[0-9a-f-]{36}$/);
      await page.goBack();
      await jane.first().waitFor();
      expect(await page.getByLabel(label).inputValue()).toBe(text);
    }
    expect(addresses.length).toBeGreaterThan(10);
    expect(addresses.filter((address) => /jane|%40|@/i.test(address))).toEqual([]);
  });

  it('answers strangers with the sign-in page', async () => {
    const { page } = await enter();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Admin token').waitFor();
    const answer = await fetch(`${world.url}/people`, { headers: { accept: 'text/html' } });
    expect([answer.status, await answer.text()]).toEqual([401, expect.stringContaining('Sign in to Sendoff')]);
  });
});

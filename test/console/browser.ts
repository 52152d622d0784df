import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { OidcEmulator } from '#test/emulators/oidc/index.js';
import { adminToken, type World } from '#test/support/world.js';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Visitor {
  page: Page;
  /** What the browser complained about, and every address outside Sendoff that it asked for. */
  complaints: string[];
  close(): Promise<void>;
}

/** A browser with a fresh profile, signed in by the admin token, or as somebody whom the provider vouches for. */
export async function visit(
  world: World,
  {
    as,
    before,
    ...more
  }: BrowserContextOptions & {
    as?: { idp: OidcEmulator; email: string; groups: string[] };
    /** Done before anything is loaded. */
    before?: (page: Page) => Promise<unknown>;
  } = {},
): Promise<Visitor> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...more });
  page.setDefaultTimeout(20_000);
  await before?.(page);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const isOurs = [world.url, as?.idp.issuer, 'data:', 'blob:'].some((own) => own && request.url().startsWith(own));
    if (!isOurs) complaints.push(request.url());
  });
  await page.goto(world.url);
  if (as === undefined) {
    await page.getByLabel('Admin token').fill(adminToken);
    await page.getByRole('button', { name: 'Sign in' }).click();
  } else {
    as.idp.user = { sub: as.email, email: as.email, email_verified: true, groups: as.groups };
    await page.getByRole('link', { name: 'Sign in with your company account' }).click();
  }
  await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor();
  return { page, complaints, close: () => browser.close() };
}

/** Follows the page's own navigation. */
export async function open(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
}

/** For docs/, and only when asked for: SCREENSHOTS=1. What is longer than two screens is cut. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS !== '1') return;
  const dir = join(import.meta.dirname, '../../docs/screenshots');
  await mkdir(dir, { recursive: true });
  const width = page.viewportSize()?.width ?? 1280;
  const height = Math.min(1_600, (await page.evaluate('document.documentElement.scrollHeight')) as number);
  const options = { path: join(dir, `${name}.png`), fullPage: true, clip: { x: 0, y: 0, width, height } };
  await page.screenshot({ ...options, animations: 'disabled' });
}

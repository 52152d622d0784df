import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { Agent, request } from 'undici';
import { verifyExport } from '#shared/audit/verify.js';
import { adminToken, type World, type WorldOptions } from '#test/support/world.js';
import { accountName, fillDatabase, size } from './console-data.js';
import { type Interaction, pages } from './console-pages.js';
import { watchMemory } from './memory.js';
import { type Row, type Section, seconds } from './section.js';
import { openBenchWorld } from './world.js';

const rounds = 20;
const clients = 4;
const roundsEach = 8;
const promiseMs = 100;
/** The trail is read in pieces: what that takes must not grow with it. */
const exportMiB = 384;

export const consolePages: Section = {
  name: 'console',
  title: 'Console, API and evidence of a large company',
  async run(serverUrl) {
    const world = await openBenchWorld(serverUrl, company);
    try {
      const began = performance.now();
      await fillDatabase(world.database.url);
      const filledMs = performance.now() - began;
      await world.start('web');
      return { rows: [...(await measurePages(world)), ...(await measureTrail(world))], text: textOf(filledMs) };
    } finally {
      await world.end();
    }
  },
};

const company: WorldOptions = {
  roles: [],
  accounts: Array.from({ length: size.accounts }, (_, i) => ({ name: accountName(i) })),
  config: `roles: { marketer: { persona: marketer } }
grants:
${Array.from({ length: size.accounts }, (_, i) => `  - { group: Marketers, account: ${accountName(i)}, role: marketer }`).join('\n')}`,
};

type Ask = (path: string, body?: object) => Promise<string>;
/** Times in ms, by page and interaction. */
type Times = Map<string, Map<string, number[]>>;

/** A client as a browser's tab is one, signed in by a token of its own. */
async function signIn({ url }: World, name: string): Promise<Ask> {
  const dispatcher = new Agent({ connections: 6 });
  const made = await request(`${url}/api/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name, role: 'admin' }),
  });
  const { token } = (await made.body.json()) as { token: string };
  return async (path, body) => {
    const asked = {
      dispatcher,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST' as const, body: JSON.stringify(body) }),
    };
    const answer = await request(`${url}${path}`, asked);
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`);
    return text;
  };
}

async function measurePages(world: World): Promise<Row[]> {
  const asks = await Promise.all(Array.from({ length: clients }, (_, i) => signIn(world, `client${i}`)));
  const [ask] = asks as [Ask, ...Ask[]];
  await walk(ask, 1, 9_000, new Map());
  const [alone, together]: [Times, Times] = [new Map(), new Map()];
  await walk(ask, rounds, 0, alone);
  const scrape = scrapeEverySecond(ask);
  await Promise.all(asks.map((one, i) => walk(one, roundsEach, 100 + i * 50, together)));
  const scrapes = await scrape();
  const floor = alone.get('floor')?.get('who am I') ?? [];
  const rows = Object.keys(pages).map((page) => pageRow(page, alone, together));
  const all = (times: Times) =>
    [...times].flatMap(([page, each]) => (page === 'floor' ? [] : [...each.values()].flat()));
  return [
    ...rows,
    {
      what: `every interaction of every page, ${clients} clients at once, and the cheapest signed-in answer (\`/me\`, alone)`,
      measured: `p95 ${ms(at(all(together), 0.95))} and ${ms(at(floor, 0.95))}`,
      promise: `p95 < ${promiseMs} ms`,
      met: at(all(together), 0.95) < promiseMs,
    },
    {
      what: '`/metrics`, scraped every second meanwhile',
      measured: `p50 ${ms(at(scrapes, 0.5))}, most ${ms(Math.max(...scrapes))}`,
      promise: 'most < 1 s',
      met: Math.max(...scrapes) < 1_000,
    },
  ];
}

/** Every interaction of every page, again and again: none finds the database as it left it. */
async function walk(ask: Ask, times: number, from: number, into: Times): Promise<void> {
  const floor = { 'who am I': () => ['/me'] };
  for (let n = from; n < from + times; n += 1) {
    for (const [page, interactions] of Object.entries({ ...pages, floor }) as [string, Record<string, Interaction>][]) {
      const each = into.get(page) ?? new Map<string, number[]>();
      into.set(page, each);
      for (const [name, interaction] of Object.entries(interactions)) {
        const asked = interaction(n).map((one) => (typeof one === 'string' ? { path: one, body: undefined } : one));
        const began = performance.now();
        await Promise.all(asked.map(({ path, body }) => ask(`/api/v1${path}`, body)));
        each.set(name, [...(each.get(name) ?? []), performance.now() - began]);
      }
    }
  }
}

function scrapeEverySecond(ask: Ask): () => Promise<number[]> {
  const times: Promise<number>[] = [];
  const scrape = async () => {
    const began = performance.now();
    await ask('/metrics');
    return performance.now() - began;
  };
  times.push(scrape());
  const timer = setInterval(() => times.push(scrape()), 1_000);
  return () => {
    clearInterval(timer);
    return Promise.all(times);
  };
}

/** A page is as slow as its slowest interaction. */
function pageRow(page: string, alone: Times, together: Times): Row {
  const each = [...(alone.get(page) ?? [])].map(([name, times]) => ({
    name,
    p50: at(times, 0.5),
    p95: at(times, 0.95),
  }));
  const slowest = each.reduce((a, b) => (a.p95 > b.p95 ? a : b));
  const crowded = at([...(together.get(page)?.values() ?? [])].flat(), 0.95);
  if (process.env.BENCH_EACH !== undefined) {
    for (const { name, p50, p95 } of each) process.stderr.write(`  ${page}, ${name}: ${ms(p50)} ${ms(p95)}\n`);
  }
  return {
    what: `${page}: the slowest of ${each.length} interactions, ${slowest.name}`,
    measured: `p50 ${ms(slowest.p50)}, p95 ${ms(slowest.p95)}; all of them, ${clients} clients at once: p95 ${ms(crowded)}`,
    promise: `p95 < ${promiseMs} ms`,
    met: slowest.p95 < promiseMs,
  };
}

/** The evidence: exported over HTTP while the page is used, and verified from the file. */
async function measureTrail(world: World): Promise<Row[]> {
  const [web] = world.running;
  if (web === undefined) throw new Error('no web process');
  const file = join(world.workplace.dir, 'audit.jsonl');
  const webPeak = watchMemory(web.child);
  const began = performance.now();
  const answer = await request(`${world.url}/api/v1/audit/export`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  const firstByteMs = performance.now() - began;
  await pipeline(answer.body, createWriteStream(file));
  const exportMs = performance.now() - began;
  const before = performance.now();
  const memoryBefore = process.memoryUsage().rss;
  const result = await verifyExport(createInterface({ input: createReadStream(file) }), null);
  const verifyMs = performance.now() - before;
  const grewMiB = Math.max(0, process.memoryUsage().rss - memoryBefore) / 2 ** 20;
  const whole = result.ok && result.records >= size.records;
  return [
    {
      what: `audit export of ${size.records.toLocaleString('en')} records over HTTP: most memory of the web process`,
      measured: `${Math.round(webPeak())} MiB; first byte after ${seconds(firstByteMs)}, all after ${seconds(exportMs)} = ${Math.round((size.records * 1_000) / exportMs).toLocaleString('en')} records/s`,
      promise: `< ${exportMiB} MiB`,
      met: webPeak() < exportMiB,
    },
    {
      what: 'the same file, verified',
      measured: `${whole ? 'whole and untouched' : JSON.stringify(result)}; ${seconds(verifyMs)} = ${Math.round((size.records * 1_000) / verifyMs).toLocaleString('en')} records/s; memory grew by ${Math.round(grewMiB)} MiB`,
      promise: 'whole; < 256 MiB more',
      met: whole && grewMiB < 256,
    },
  ];
}

function at(times: number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

function textOf(filledMs: number): string {
  const n = (value: number) => value.toLocaleString('en');
  return `${n(size.people)} people, ${n(size.accounts)} accounts x ${n(size.teammatesEach)} teammates, ${n(size.events)} events, ${n(size.events / 2)} plans, ${n(size.events)} actions, ${n(size.records)} audit records (filled in ${seconds(filledMs)}; the trail is genuine, as its verification shows). An interaction is everything that a page asks for at once, from the first request to the last answer, with other parameters each time.`;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JournalEntry } from '#test/emulators/sendgrid/index.js';
import type { World } from '#test/support/world.js';
import { watchMemory } from './memory.js';
import { type Row, type Section, seconds } from './section.js';
import { openBenchWorld } from './world.js';

const people = 50_000;
const accounts = 200;
const teammatesEach = 1_000;
const leavers = 12;
const pageSize = 500;
const memoryMiB = 512;
const main = resolve(fileURLToPath(import.meta.url), '../../dist/cli/main.js');

export const reconciliation: Section = {
  name: 'reconcile',
  title: 'Reconciliation of a large company',
  async run(serverUrl) {
    const world = await openBenchWorld(serverUrl, { roles: [], accounts: seeds() });
    for (let i = 0; i < people; i += 1) world.okta.addUser({ id: `00u-${i}`, email: emailOf(i) });
    const first = await compare(world);
    // Deactivated people are missing from Okta's list, and are looked up by themselves.
    for (let i = 0; i < leavers; i += 1) world.okta.setStatus(`00u-${i * 7}`, 'DEPROVISIONED');
    const second = await compare(world);
    const planned = new Set(second.answer.flatMap(({ plans }) => plans.map(({ person }) => person.id))).size;
    await world.end();
    return { rows: rowsOf(first, second, planned), text };
  },
};

const emailOf = (i: number) => `person${i}@acme.com`;

/** Everybody has four accounts. */
function seeds() {
  return Array.from({ length: accounts }, (_, account) => ({
    name: `brand${account}`,
    teammates: Array.from({ length: teammatesEach - 1 }, (_, i) => ({
      email: emailOf((account * teammatesEach + i) % people),
    })),
  }));
}

interface Comparison {
  tookMs: number;
  peakMiB: number;
  journal: JournalEntry[];
  oktaCalls: number;
  answer: { complete: boolean; teammates: number; plans: { person: { id: string | null } }[] }[];
}

/** One `sendoff reconcile --cheap` as a process of its own. */
async function compare({ workplace, sendgrid, okta }: World): Promise<Comparison> {
  const before = sendgrid.journal.length;
  const oktaBefore = okta.requests.length;
  const began = performance.now();
  const child = spawn(process.execPath, [main, 'reconcile', '--cheap', '--json'], {
    cwd: workplace.dir,
    env: workplace.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const peak = watchMemory(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await once(child, 'close');
  const tookMs = performance.now() - began;
  if (stdout === '') throw new Error(`sendoff reconcile printed nothing: ${stderr}`);
  return {
    tookMs,
    peakMiB: peak(),
    journal: sendgrid.journal.slice(before),
    oktaCalls: okta.requests.length - oktaBefore,
    answer: (JSON.parse(stdout) as { accounts: Comparison['answer'] }).accounts,
  };
}

function rowsOf(first: Comparison, second: Comparison, planned: number): Row[] {
  const allowed = Math.ceil(teammatesEach / pageSize) + 1;
  const perList = [first, second].map(({ journal }) => {
    const counts = new Map<string, number>();
    for (const { account, endpoint } of journal) {
      counts.set(`${account} ${endpoint}`, (counts.get(`${account} ${endpoint}`) ?? 0) + 1);
    }
    return counts;
  });
  const of = (noun: string) =>
    Math.max(...perList.flatMap((counts) => [...counts].filter(([key]) => key.endsWith(` ${noun}`)).map(([, n]) => n)));
  const lists = of('GET /v3/teammates');
  const details = second.journal.filter(({ endpoint }) => endpoint === 'GET /v3/teammates/{username}').length;
  const peak = Math.max(first.peakMiB, second.peakMiB);
  const compared = [first, second].every(({ answer }) =>
    answer.every(({ complete, teammates }) => complete && teammates === teammatesEach),
  );
  return [
    {
      what: `${people.toLocaleString('en')} directory people against ${accounts} accounts x ${teammatesEach.toLocaleString('en')} teammates, cheap: calls of the teammates' list, the most of any account`,
      measured: `${lists}${compared ? '' : ', not all compared'}`,
      promise: `at most ceil(N/${pageSize})+1 = ${allowed}`,
      met: lists <= allowed && compared,
    },
    {
      what: 'the same: all calls to SendGrid, against one call per teammate',
      measured: `${second.journal.length.toLocaleString('en')} / ${(accounts * teammatesEach).toLocaleString('en')} = ${(second.journal.length / accounts / teammatesEach).toFixed(4)} x; ${details} of them about one teammate`,
      promise: 'no call per teammate',
      met: details === 0,
    },
    {
      what: 'the same: most memory of the process (VmHWM)',
      measured: `${Math.round(peak)} MiB`,
      promise: `< ${memoryMiB} MiB`,
      met: peak < memoryMiB,
    },
    {
      what: `the same: how long, with nobody known before, and with ${leavers} leavers among them`,
      measured: `${seconds(first.tookMs)} and ${seconds(second.tookMs)}; ${second.oktaCalls} calls to Okta; ${planned} planned`,
      promise: `all ${leavers} leavers planned, nobody else`,
      met: planned === leavers,
    },
  ];
}

const text = `baton-sendgrid's published full sync pages through the same lists and then makes one call per teammate, one after the other, for what each may do: ${(accounts * teammatesEach).toLocaleString('en')} calls here. Cheap mode asks only who is there. \`sendoff reconcile\` without \`--cheap\` reads access too, several at once, and only of teammates to whom the groups grant a role.`;

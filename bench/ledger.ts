import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Section } from './section.js';
import { openBenchWorld } from './world.js';

const accounts = 10;
const rounds = 2;
const jobsPerRound = 300;
const concurrency = 20;

/** The emulators are in this process, jobs and ledger in another. */
export const ledger: Section = {
  name: 'ledger',
  title: 'The action ledger',
  async run(serverUrl) {
    const names = Array.from({ length: accounts }, (_, i) => `brand${i}`);
    const world = await openBenchWorld(serverUrl, { roles: [], accounts: names.map((name) => ({ name })) });
    const plan = Array.from({ length: rounds * 2 }, (_, round) => ({
      kind: round % 2 === 0 ? ('bare' as const) : ('ledger' as const),
      people: Array.from({ length: jobsPerRound }, (_, i) => {
        const [account, email] = [names[i % accounts] ?? '', `round${round}-${i}@acme.com`];
        world.sendgrid.account(account).addTeammate({ email });
        world.okta.addUser({ id: `00u-${round}-${i}`, email, status: 'DEPROVISIONED' });
        return { id: `00u-${round}-${i}`, account, email };
      }),
    }));
    const figures = await runWorker(world.workplace, { rounds: plan, concurrency });
    const deleted = world.sendgrid.applied().filter(({ method }) => method === 'DELETE').length;
    await world.end();
    const jobs = rounds * jobsPerRound;
    const perSecond = { bare: (jobs * 1_000) / figures.bare, ledger: (jobs * 1_000) / figures.ledger };
    const ratio = perSecond.ledger / perSecond.bare;
    const whole = figures.done === jobs && deleted === jobs * 2;
    return {
      rows: [
        {
          what: 'actions through the ledger against bare BullMQ jobs that send the same three requests',
          measured: `${Math.round(perSecond.ledger)} / ${Math.round(perSecond.bare)} per s = ${ratio.toFixed(2)} x${whole ? '' : ', not all done'}`,
          promise: 'at least 0.15 x, and nothing lost',
          met: ratio >= 0.15 && whole,
        },
      ],
      text: `Both on BullMQ's PostgreSQL backend, ${concurrency} jobs at once over ${accounts} accounts, in one process, in turns of ${jobsPerRound}; the emulator answers at once from another process. Bare: look, delete, look again. The ledger does the same three requests and, around them, claims with a lease and a fence, asks every guard once more, takes a place with the pacer for each request, keeps the restore record, and commits two audit records. Under any real limit of SendGrid (600 calls a minute would be 200 removals) the difference does not show.`,
    };
  },
};

async function runWorker(
  { dir, env }: { dir: string; env: NodeJS.ProcessEnv },
  task: object,
): Promise<{ bare: number; ledger: number; done: number }> {
  const file = fileURLToPath(new URL('ledger-worker.ts', import.meta.url));
  const loader = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--conditions=sendoff-source', '--import', loader, file], {
    cwd: dir,
    env: { ...env, BENCH_TASK: JSON.stringify(task) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the ledger's worker ended with ${code}: ${stdout}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

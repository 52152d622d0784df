import fc from 'fast-check';
import { it, vi } from 'vitest';
import { liftStop } from '#shared/store/stops.js';
import { usualSeed } from '#test/support/seed.js';
import { allCommands, calm, type Real } from './commands.js';
import { createJudge } from './judge.js';
import { type Group, type Holding, Model } from './model.js';
import { app, createSystem, type System, scopesOf } from './system.js';

// Sendoff against a model of a few dozen lines. SEED=, PATH_= and REPLAY= run a failure again, RUNS= and COMMANDS= more.

// Waits inside a job are shortened; what waits in the database is let pass by the relay.
vi.mock('node:timers/promises', async (original) => {
  const timers = await original<typeof import('node:timers/promises')>();
  return {
    ...timers,
    setTimeout: (ms: number, value: unknown, options: object) => timers.setTimeout(Math.min(ms, 5), value, options),
  };
});

const number = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise);
const seed = number('SEED', usualSeed);
const numRuns = number('RUNS', 30);
const maxCommands = number('COMMANDS', 15);

const ordinary: { name: string; groups: Group[]; held: Record<'alpha' | 'beta', Holding>; sso?: boolean }[] = [
  { name: 'ada', groups: ['senders'], held: { alpha: 'sender', beta: 'sender' } },
  { name: 'bob', groups: [], held: { alpha: 'absent', beta: 'absent' } },
  { name: 'cyd', groups: ['readers'], held: { alpha: 'reader', beta: 'absent' }, sso: false },
];

function startingWith(model: Model): Parameters<typeof createSystem>[0] {
  return ({ okta, sendgrid }) => {
    const hire = (
      name: string,
      groups: Group[],
      held: Record<'alpha' | 'beta', Holding>,
      untouchable: boolean,
    ): void => {
      const email = `${name}@acme.com`;
      const user = okta.addUser({ id: `00u-${name}`, email });
      user.apps.add(app);
      for (const group of groups) user.groups.add(group);
      const since = { alpha: new Set([held.alpha]), beta: new Set([held.beta]) };
      model.people.set(name, {
        name,
        standing: 'active',
        groups: new Set(groups),
        assigned: true,
        addresses: [email],
        untouchable,
        held: { ...held },
        since,
      });
    };
    for (const { name, groups, held, sso = true } of ordinary) {
      hire(name, groups, held, false);
      for (const account of ['alpha', 'beta'] as const) {
        const role = held[account];
        if (role !== 'sender' && role !== 'reader') continue;
        sendgrid.account(account).addTeammate({ email: `${name}@acme.com`, is_sso: sso, scopes: [...scopesOf[role]] });
      }
    }
    hire('owner', ['senders'], { alpha: 'sender', beta: 'sender' }, true);
    hire('vip', ['senders'], { alpha: 'sender', beta: 'sender' }, true);
    for (const account of ['alpha', 'beta']) {
      sendgrid.account(account).addTeammate({ email: 'vip@acme.com', scopes: [...scopesOf.sender] });
      sendgrid.account(account).addTeammate({ email: 'stranger@elsewhere.com' });
    }
  };
}

it('does what a simple model does, whatever happens in whatever order', async () => {
  console.log(`model: SEED=${seed} RUNS=${numRuns}`);
  const began = performance.now();
  let ran = 0;
  const commands = fc.commands(
    allCommands(
      ordinary.map(({ name }) => name),
      ['owner', 'vip'],
    ),
    { maxCommands, size: 'max', ...(process.env.REPLAY ? { replayPath: process.env.REPLAY } : {}) },
  );
  const outcome = await fc.check(
    fc.asyncProperty(commands, async (list) => {
      const model = new Model();
      let system: System | undefined;
      try {
        system = await createSystem(startingWith(model));
        const real: Real = { system, judge: createJudge(model, system), queued: [], delivered: [] };
        await fc.asyncModelRun(() => ({ model, real }), list);
        system.heal();
        for (const account of model.stopped) await liftStop(system.db, account);
        model.stopped.clear();
        await calm(model, real);
        await real.judge.audit();
        ran += 1;
      } finally {
        await system?.close();
      }
    }),
    {
      seed,
      numRuns,
      unbiased: true,
      interruptAfterTimeLimit: 240_000,
      ...(process.env.PATH_ ? { path: process.env.PATH_ } : {}),
    },
  );
  if (outcome.failed) {
    const replay = /replayPath="([^"]*)"/.exec(fc.stringify(outcome.counterexample))?.[1];
    const again = `SEED=${seed} PATH_=${outcome.counterexamplePath} REPLAY=${replay}`;
    throw new Error(`${again}\n${await fc.asyncDefaultReportMessage(outcome)}\n${outcome.errorInstance}`);
  }
  console.log(`model: ${ran} runs in ${Math.round((performance.now() - began) / 1_000)} s`);
}, 300_000);

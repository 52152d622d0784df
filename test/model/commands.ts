import fc from 'fast-check';
import type { FailpointName } from '#shared/failpoint.js';
import { answerPlan } from '#shared/planning/answer-plan.js';
import { reopenEvent } from '#shared/store/inbox.js';
import { listPlans } from '#shared/store/plans.js';
import { liftStop, placeStop } from '#shared/store/stops.js';
import type { Fault } from '#test/emulators/sendgrid/faults.js';
import { lcg } from '#test/support/random.js';
import type { Judge } from './judge.js';
import { type Account, accounts, type Group, groups, type Model, type Person, wishFor } from './model.js';
import { app, type System } from './system.js';

// What can happen, one class of thing each: to people, to deliveries, to operators, to processes, to the other side.

export interface Real {
  system: System;
  judge: Judge;
  /** What Okta has yet to deliver, in the order of what happened. */
  queued: Buffer[];
  delivered: Buffer[];
}
export type Step = fc.AsyncCommand<Model, Real>;

/** @param text what a counterexample says */
function step(
  text: string,
  run: (model: Model, real: Real) => Promise<void> | void,
  check = (_: Readonly<Model>) => true,
): Step {
  return {
    check,
    async run(model, real) {
      await run(model, real);
      real.judge.requests();
    },
    toString: () => text,
  };
}

type Change = (person: Person, real: Real) => string;
type Happening = (soon: boolean) => Step;

/** Something about a person changes in the directory, which queues an event of it, or delivers it at once. */
const happens =
  (name: string, text: string, change: Change, may: (person: Person) => boolean): Happening =>
  (soon) => {
    return step(
      `${name} ${text}${soon ? '' : ' (told later)'}`,
      async (model, real) => {
        const person = model.person(name);
        const eventType = change(person, real);
        model.changed(person);
        const login = person.addresses.at(-1) ?? '';
        const about = eventType.startsWith('application.') ? { appId: app } : {};
        const body = real.system.payload({ eventType, userId: `00u-${name}`, login, ...about });
        if (soon) await deliverOne(real, body);
        else real.queued.push(body);
      },
      (model) => model.person(name).standing !== 'gone' && may(model.person(name)),
    );
  };

const user = (person: Person, { system }: Real) => {
  const found = system.okta.users.get(`00u-${person.name}`);
  if (found === undefined) throw new Error(`the directory knows no ${person.name}`);
  return found;
};

function standing(to: 'active' | 'suspended' | 'inactive', status: string): Change {
  return (person, real) => {
    const event = {
      active: person.standing === 'suspended' ? 'unsuspend' : 'activate',
      suspended: 'suspend',
      inactive: 'deactivate',
    };
    person.standing = to;
    user(person, real).status = status;
    return `user.lifecycle.${event[to]}`;
  };
}

const leave = (name: string) =>
  happens(name, 'leaves', standing('inactive', 'DEPROVISIONED'), (person) => person.standing !== 'inactive');
const suspend = (name: string) =>
  happens(name, 'is suspended', standing('suspended', 'SUSPENDED'), (person) => person.standing === 'active');
const comeBack = (name: string) =>
  happens(name, 'is active again', standing('active', 'ACTIVE'), (person) => person.standing !== 'active');
const vanish = (name: string) =>
  happens(
    name,
    'is deleted from the directory',
    (person, { system }) => {
      person.standing = 'gone';
      system.okta.deleteUser(`00u-${name}`);
      return 'user.lifecycle.delete.initiated';
    },
    () => true,
  );
const rename = (name: string) =>
  happens(
    name,
    'gets another address',
    (person, real) => {
      const address = `${name}.${person.addresses.length}@acme.com`;
      person.addresses.push(address);
      const found = user(person, real);
      Object.assign(found, { email: address, login: address });
      Object.assign(found.profile, { email: address, login: address });
      return 'user.account.update_primary_email';
    },
    () => true,
  );
const enter = (name: string, group: Group) =>
  happens(
    name,
    `joins ${group}`,
    (person, real) => {
      person.groups.add(group);
      user(person, real).groups.add(group);
      return 'group.user_membership.add';
    },
    (person) => !person.groups.has(group),
  );
const exit = (name: string, group: Group) =>
  happens(
    name,
    `is out of ${group}`,
    (person, real) => {
      person.groups.delete(group);
      user(person, real).groups.delete(group);
      return 'group.user_membership.remove';
    },
    (person) => person.groups.has(group),
  );
const unassign = (name: string) =>
  happens(
    name,
    'loses the app',
    (person, real) => {
      person.assigned = false;
      user(person, real).apps.delete(app);
      return 'application.user_membership.remove';
    },
    (person) => person.assigned,
  );
const assign = (name: string) =>
  happens(
    name,
    'gets the app',
    (person, real) => {
      person.assigned = true;
      user(person, real).apps.add(app);
      return 'application.user_membership.add';
    },
    (person) => !person.assigned,
  );

/** @param order 0: as it happened */
async function deliverAll(real: Real, order: number): Promise<void> {
  const random = lcg(order);
  while (real.queued.length > 0) {
    const [body] = real.queued.splice(order === 0 ? 0 : Math.floor(random() * real.queued.length), 1);
    if (body === undefined) return;
    await deliverOne(real, body);
  }
}

async function deliverOne({ system, delivered }: Real, body: Buffer): Promise<void> {
  await system.deliver(body);
  delivered.push(body);
}

const deliver = (order: number) =>
  step(order === 0 ? 'deliver' : `deliver in another order (${order})`, (_, real) => deliverAll(real, order));
const duplicate = (which: number) =>
  step(`deliver again (${which})`, async (_, { system, delivered }) => {
    const body = delivered[which % delivered.length];
    if (body !== undefined) await system.deliver(body);
  });
const replay = (which: number) =>
  step(`events replay (${which})`, async (_, { system: { db, pool } }) => {
    const { rows } = await pool.query<{ id: string }>('select id from inbox order by seq');
    const event = rows[which % rows.length];
    if (event !== undefined) await reopenEvent(db, event.id, 'replayed by an operator');
  });
const work = (rows: number, order: number) =>
  step(`work on ${rows} rows (${order})`, (_, { system }) => system.work(rows, order));

/** Everything is delivered and worked off; then SendGrid holds what it should. */
export async function calm(model: Model, real: Real): Promise<void> {
  await deliverAll(real, 0);
  await real.system.quiesce(model.stopped);
  real.judge.requests();
  await real.judge.state();
}

const quiet = () => step('quiet', calm);

/** Of the plans that wait for an answer, one. */
function answer(which: number, verdict: 'approved' | 'rejected'): Step {
  const unknown = `a held plan (${which}) is ${verdict}`;
  let text = unknown;
  const one = step(
    text,
    async (model, real) => {
      text = unknown;
      await calm(model, real);
      const { db, policy } = real.system;
      const held = (await listPlans(db, { limit: 200, state: 'held' })).items.filter(({ hold }) => hold?.setHash);
      const plan = held[which % held.length];
      const email = plan?.person.email;
      if (plan?.hold?.setHash == null || email == null) return;
      const person = [...model.people.values()].find(({ addresses }) => addresses.includes(email));
      if (person === undefined || plan.actions.every(({ state }) => state !== 'waiting')) return;
      text = `the held plan of ${person.name} is ${verdict}`;
      if (verdict === 'approved') model.approved.add(person.name);
      else model.rejected.set(person.name, wishFor(person));
      const { setHash } = plan.hold;
      await answerPlan(db, policy, { planId: plan.id, setHash, answer: verdict, by: 'operator:ann', reason: null });
      await calm(model, real);
      model.approved.clear();
    },
    (model) => !model.stopped.has('beta'),
  );
  return Object.assign(one, { toString: () => text });
}

const stop = (account: Account) =>
  step(
    `stop ${account}`,
    async (model, { system }) => {
      model.stopped.add(account);
      await placeStop(system.db, account, 'operator:ann', null);
    },
    (model) => !model.stopped.has(account),
  );
const resume = (account: Account) =>
  step(
    `resume ${account}`,
    async (model, { system }) => {
      model.stopped.delete(account);
      await liftStop(system.db, account);
    },
    (model) => model.stopped.has(account),
  );

const crash = (at: FailpointName, passing: number) =>
  step(`the process will die at ${at}, passing ${passing}`, (_, { system }) => system.crashAt(at, passing));
const old = () =>
  step('what was read grows old', async (_, { system }) => {
    await system.pool.query(`update plan set evidence_at = evidence_at - interval '20 minutes'`);
  });
const compare = () => step('reconcile', (_, { system }) => system.reconcile());

interface TargetFault {
  account: Account;
  methods: string[];
  path: RegExp;
  fault: Fault;
}

const targetFault = ({ account, methods, path, fault }: TargetFault) =>
  step(
    `${account} will answer one ${methods.join(', one ')} of ${path} with ${JSON.stringify(fault)}`,
    (_, { system }) => {
      for (const method of methods) system.sendgrid.faults.inject({ account, method, path, fault, times: 1 });
    },
  );
const directoryFault = (kind: 'reset' | 'garbage' | 500 | 429) =>
  step(`the directory will answer the next job with ${kind}`, (_, { system }) => {
    system.okta.fault = typeof kind === 'number' ? { kind: 'status', status: kind } : { kind };
  });

const who = (...names: string[]) => fc.constantFrom(...names);
const index = fc.nat(20);
const account = fc.constantFrom(...accounts);
const faulty = fc.constantFrom('alpha' as const, ...accounts);

/** @param ordinary people to whom everything may happen; @param untouchable people whom SendGrid must never feel */
export function allCommands(ordinary: string[], untouchable: string[]): fc.Arbitrary<Step>[] {
  const anybody = who(...ordinary, ...ordinary, ...untouchable);
  const group = fc.constantFrom(...groups, 'senders' as const);
  const soon = fc.boolean();
  const happening = (of: (name: string) => Happening, people = anybody) =>
    fc.tuple(people, soon).map(([name, now]) => of(name)(now));
  const moving = (of: (name: string, group: Group) => Happening) =>
    fc.tuple(anybody, group, soon).map(([name, one, now]) => of(name, one)(now));
  const working = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(9)).map(([rows, order]) => work(rows, order));
  const badWrite = fc
    .record<TargetFault>({
      account: faulty,
      methods: fc.constant(['DELETE', 'PATCH', 'POST']),
      path: fc.constant(/teammates/),
      fault: fc.constantFrom<Fault[]>(
        { kind: 'status', status: 500 },
        { kind: 'apply-then-reset' },
        { kind: 'accept-and-ignore' },
        { kind: 'accept-and-ignore' },
        { kind: 'apply-then-reset' },
        { kind: 'reset' },
      ),
    })
    .map(targetFault);
  return [
    happening(leave),
    happening(leave),
    happening(suspend),
    happening(comeBack),
    happening(comeBack),
    happening(rename),
    happening(unassign),
    happening(assign),
    happening(vanish, who(...ordinary)),
    moving(enter),
    moving(enter),
    moving(exit),
    fc.nat(3).map(deliver),
    index.map(duplicate),
    index.map(replay),
    working,
    working,
    working,
    fc.constant(null).map(quiet),
    fc
      .tuple(index, fc.constantFrom('approved' as const, 'approved' as const, 'rejected' as const))
      .map(([which, verdict]) => answer(which, verdict)),
    index.map((which) => answer(which, 'approved')),
    account.map(stop),
    account.map(resume),
    fc.constant(null).map(old),
    fc.constant(null).map(compare),
    fc
      .tuple(
        fc.constantFrom(
          ...([
            'intake.before_commit',
            'intake.after_commit',
            'plan.before_commit',
            'plan.after_commit',
            'action.after_claim',
            'action.before_act',
            'action.after_act',
            'action.before_finish',
            'action.after_finish',
            'settle.before_commit',
          ] as const),
        ),
        fc.integer({ min: 1, max: 2 }),
      )
      .map(([at, passing]) => crash(at, passing)),
    ...[badWrite, badWrite, badWrite, badWrite, badWrite, badWrite],
    ...[happening(leave), happening(suspend), happening(comeBack), moving(enter), moving(exit)],
    fc
      .record<TargetFault>({
        account: faulty,
        methods: fc.constant(['GET']),
        path: fc.constantFrom(/teammates$/, /teammates\/[^/]+$/),
        fault: fc.constantFrom<Fault[]>(
          { kind: 'status', status: 500 },
          { kind: 'status', status: 429, retryAfter: 1 },
          { kind: 'reset' },
          { kind: 'garbage', body: '<html>' },
        ),
      })
      .map(targetFault),
    fc.constantFrom('reset' as const, 'garbage' as const, 500 as const, 429 as const).map(directoryFault),
  ];
}

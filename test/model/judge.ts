import type { PlanState } from '#shared/lifecycle/types.js';
import { listPlans } from '#shared/store/plans.js';
import type { EmulatedAccount, JournalEntry } from '#test/emulators/sendgrid/index.js';
import { type Account, accounts, type Holding, type Model, type Person } from './model.js';
import { type System, scopesOf } from './system.js';

// Compares the model with SendGrid, and judges every request by SendGrid's own journal.

export interface Judge {
  /** After every command: was each change that was sent since the last time allowed, needed, and about the right people? */
  requests(): void;
  /** When everything is quiet: does SendGrid hold what it should? */
  state(): Promise<void>;
  /** At the very end: the audit trail is whole and tells of everything that was sent. */
  audit(): Promise<void>;
}

export function createJudge(model: Model, system: System): Judge {
  const { sendgrid, db, pool } = system;
  let read = 0;
  const last = new Map<string, JournalEntry>();
  const others = untouched(model, system);

  const owner = (target: string): Person | undefined =>
    [...model.people.values()].find(
      (person) =>
        person.addresses.includes(target) ||
        target === `u-${person.name}` ||
        target === `alpha-${person.name}` ||
        target === `beta-${person.name}`,
    );

  return {
    requests() {
      const wrong: string[] = [];
      for (; read < sendgrid.journal.length; read += 1) {
        const entry = sendgrid.journal[read];
        if (entry === undefined || entry.method === 'GET') continue;
        const target = targetOf(entry);
        const line = `${entry.account} ${entry.method} ${target} -> ${entry.status}`;
        const person = owner(target);
        const say = (why: string) => wrong.push(`${line}: ${why}`);
        if (person === undefined || !model.mentioned.has(person.name)) say('nobody asked for a change of this person');
        else if (!model.mayChange(person, entry.account as Account))
          say('no change may be made here for this person now');
        // What SendGrid refuses because it is done already was asked for twice.
        if (entry.status >= 400 && ![429, 500].includes(entry.status)) say('SendGrid refused it');
        const key = `${entry.account} ${target}`;
        const before = last.get(key);
        if (before !== undefined && sameChange(before, entry)) say('it was carried out before');
        if (entry.applied) last.set(key, entry);
      }
      if (wrong.length > 0) throw new Error(`wrong requests:\n${wrong.join('\n')}`);
    },

    async state() {
      const wrong: string[] = [];
      for (const person of model.people.values()) {
        for (const account of accounts) {
          if (person.untouchable) continue;
          const actual = holdingOf(sendgrid.account(account), person);
          const expected = model.expected(person, account);
          if (!expected.includes(actual as Holding)) {
            wrong.push(`${person.name} in ${account}: ${actual}, but should be ${expected.join(' or ')}`);
          }
          model.quiet(person, account, actual as Holding);
          if (
            account === 'beta' &&
            !model.stopped.has('beta') &&
            !model.fold(person, 'beta').includes(actual as Holding)
          ) {
            const state = await newestState(person);
            const fine: (PlanState | undefined)[] = model.rejected.has(person.name) ? ['held', 'rejected'] : ['held'];
            if (!fine.includes(state))
              wrong.push(`${person.name} in beta: not as it should be, and nobody is asked (${state})`);
          }
        }
      }
      if (untouched(model, system) !== others)
        wrong.push(`others were touched: ${others} -> ${untouched(model, system)}`);
      const open = await pool.query(`select state, reason from inbox where state not in ('done', 'ignored')`);
      if (open.rows.length > 0) wrong.push(`events are not finished: ${JSON.stringify(open.rows)}`);
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    },

    async audit() {
      const lines = await system.audit();
      const count = (kind: string, account: string, target: string) =>
        lines.filter((line) => line.kind === kind && line.account === account && line.action?.target === target).length;
      const applied = sendgrid.applied();
      for (const entry of applied) {
        const target = targetOf(entry);
        const times = applied.filter((one) => one.account === entry.account && targetOf(one) === target).length;
        const attempts = count('action.attempted', entry.account, target);
        const told = count('action.applied', entry.account, target);
        if (attempts < times || told > times) {
          throw new Error(`${entry.account} ${target}: ${times} changes, ${attempts} announced, ${told} told`);
        }
      }
      const { rows } = await pool.query<{ event_id: string }>(`select event_id from inbox where source = 'okta'`);
      const received = lines
        .filter(({ kind }) => kind === 'event.received')
        .flatMap(({ cause }) => cause?.eventIds ?? []);
      if (received.length !== new Set(received).size) throw new Error('the audit trail tells of an event twice');
      const missing = rows.filter(({ event_id }) => !received.includes(event_id));
      if (missing.length > 0) throw new Error(`the audit trail lacks ${missing.length} events`);
    },
  };

  async function newestState(person: Person): Promise<PlanState | undefined> {
    const { items } = await listPlans(db, { limit: 200 });
    return items.find((plan) => plan.person.email !== null && person.addresses.includes(plan.person.email))?.state;
  }
}

/** What an account holds of a person, under any address they ever had. */
export function holdingOf(account: EmulatedAccount, { addresses }: Person): Holding | string {
  const mates = [...account.teammates.values()].filter(({ email }) => addresses.includes(email));
  const [mate] = mates;
  if (account.invitations.size > 0) return 'invited';
  if (mates.length > 1) return mates.map(({ email }) => email).join(' and ');
  if (mate === undefined) return 'absent';
  if (mate.is_admin || mate.subusers !== null) return 'more than any role';
  const scopes = mate.scopes
    .filter((scope) => scope !== 'user.profile.read')
    .sort()
    .join();
  if (scopes === '') return 'restricted';
  return scopes === scopesOf.sender.join() ? 'sender' : scopes === scopesOf.reader.join() ? 'reader' : scopes;
}

function untouched(model: Model, { sendgrid }: System): string {
  const mine = [...model.people.values()].filter((one) => !one.untouchable).flatMap((one) => one.addresses);
  return JSON.stringify(
    accounts.map((name) => [...sendgrid.account(name).teammates.values()].filter(({ email }) => !mine.includes(email))),
  );
}

/** A username, or the address of who is made. */
function targetOf({ path, body }: JournalEntry): string {
  const named = (body as { email?: unknown } | null)?.email;
  return typeof named === 'string' ? named : decodeURIComponent(path.split('/').at(-1) ?? '');
}

function sameChange(a: JournalEntry, b: JournalEntry): boolean {
  return a.method === b.method && a.path === b.path && JSON.stringify(a.body) === JSON.stringify(b.body);
}

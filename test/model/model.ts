// What must be true, in the fewest words: people with a standing, and what each SendGrid account should hold of them.
// It knows nothing of events, plans, queues, leases or retries.

export const accounts = ['alpha', 'beta'] as const;
/** `alpha` acts by itself; in `beta` a human releases every change. */
export type Account = (typeof accounts)[number];
export const groups = ['senders', 'readers'] as const;
export type Group = (typeof groups)[number];
/** What an account holds of somebody: nothing, a granted role, or the least SendGrid allows. */
export type Holding = 'absent' | 'restricted' | 'sender' | 'reader';

export interface Person {
  name: string;
  standing: 'active' | 'suspended' | 'inactive' | 'gone';
  groups: Set<Group>;
  assigned: boolean;
  /** All they ever had, the present one last; nobody else ever has one of them. */
  addresses: string[];
  /** Protected, or an account's owner: whatever happens to them, SendGrid stays as it is. */
  untouchable: boolean;
  /** What was in each account when everything was quiet last. */
  held: Record<Account, Holding>;
  /** What may have been there since: whoever is suspended keeps what there is, restricted, and gets nothing new. */
  since: Record<Account, Set<Holding>>;
}

export class Model {
  readonly people = new Map<string, Person>();
  readonly stopped = new Set<Account>();
  /** Of whom an event spoke. */
  readonly mentioned = new Set<string>();
  /** Whose changes in `beta` a human released in this step. */
  readonly approved = new Set<string>();
  /** Whose changes a human said no to, with what was wanted then: another wish is another question. */
  readonly rejected = new Map<string, string>();

  person(name: string): Person {
    const person = this.people.get(name);
    if (person === undefined) throw new Error(`the model knows no ${name}`);
    return person;
  }

  /** After anything about a person was changed in the directory. */
  changed(person: Person): void {
    this.mentioned.add(person.name);
    if (this.rejected.get(person.name) !== wishFor(person)) this.rejected.delete(person.name);
    if (person.standing === 'suspended') return;
    for (const account of accounts) person.since[account].add(wanted(person, account));
  }

  /** May a change be made in this account for this person now? */
  mayChange({ name, untouchable }: Person, account: Account): boolean {
    return !untouchable && !this.stopped.has(account) && (account !== 'beta' || this.approved.has(name));
  }

  /** What the account may hold of the person once everything is quiet. */
  expected(person: Person, account: Account): Holding[] {
    if (!this.mayChange(person, account)) return [person.held[account]];
    return this.fold(person, account);
  }

  /** What the policy makes of the directory's present state. */
  fold(person: Person, account: Account): Holding[] {
    if (person.standing !== 'suspended') return [wanted(person, account)];
    const then = account === 'beta' ? [person.held.beta] : [...person.since[account]];
    return [...new Set(then.map((one) => (one === 'absent' ? ('absent' as const) : ('restricted' as const))))];
  }

  /** Everything is quiet, and this is what is there. */
  quiet(person: Person, account: Account, holding: Holding): void {
    person.held[account] = holding;
    person.since[account] = new Set([holding]);
  }
}

/** What is wanted of a person in `beta`: an address more changes nothing about it. */
export function wishFor(person: Person): string {
  return person.standing === 'suspended' ? 'restricted' : wanted(person, 'beta');
}

/** The configuration's grants: `senders` in both accounts, `readers` in alpha, the first that matches. */
function wanted({ standing, assigned, groups: mine }: Person, account: Account): Holding {
  if (standing !== 'active' || !assigned) return 'absent';
  if (mine.has('senders')) return 'sender';
  return account === 'alpha' && mine.has('readers') ? 'reader' : 'absent';
}

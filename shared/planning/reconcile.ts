import { createHash } from 'node:crypto';
import { appendAudit } from '#shared/audit/append.js';
import type { Directories } from '#shared/directory/directories.js';
import { type Directory, DirectoryUnavailable } from '#shared/directory/directory.js';
import { messageOf } from '#shared/errors.js';
import { inTurns } from '#shared/in-turns.js';
import { canonicalAddress, originsOf } from '#shared/lifecycle/address.js';
import {
  type DirectoryIndex,
  type Drift,
  findDrift,
  idKey,
  type Listed,
  type Matched,
  placeKey,
  whoOf,
} from '#shared/lifecycle/drift.js';
import { holdsRole } from '#shared/lifecycle/rules/grants.js';
import type { AccountPolicy, Guard, Policy, Roster, Unread } from '#shared/lifecycle/types.js';
import { unreadPart } from '#shared/sendgrid/roster-parts.js';
import { appliedAccess } from '#shared/store/actions.js';
import type { Db } from '#shared/store/database.js';
import { type LinkOf, linkMatched, linksIn } from '#shared/store/people.js';
import { finishRun, type LastRun, lastRun, type RunSummary, reportProgress } from '#shared/store/reconcile-runs.js';
import { openRestrictedPlaces } from '#shared/store/restore-records.js';
import { removedSince } from '#shared/store/rosters.js';
import { noteTeammates } from '#shared/store/seen-teammates.js';
import { type PlannedDrift, planDrift } from './plan-drift.js';
import { runLimits, shareFrom } from './run-guards.js';
import type { Surroundings } from './situation.js';

/** Accounts read and compared at once: bounds memory, and leaves calls to the work under way. */
const accountsAtOnce = 4;
/** A list that lost more than this since the last time proves nothing (reliability.md §9, "shrunken snapshot"). */
const shrinkBelow = 0.8;
const shrinkFrom = 10;
const signOfLifeMs = 10_000;
/** Addresses that the directory's list lacks are looked up one by one, up to so many per account and run. */
const lookUpsPerAccount = 200;

export interface ReconcileOptions {
  runId: string;
  mode: 'cheap' | 'deep';
  /** Only this account. */
  account?: string;
  by: string;
  now: Date;
  /** An operator says that what shrank is right: nothing is measured by the run before. */
  acceptShrink?: boolean;
  onProgress?(done: number, of: number): void;
}

export interface AccountOutcome {
  account: string;
  /** false: it could not be read whole, or it shrank so much that nobody is removed because of it. */
  complete: boolean;
  teammates: number;
  drift: (Drift & { announced: boolean; plan: string | null })[];
  plans: PlannedDrift[];
  problems: string[];
}

/**
 * Compares every account's roster with the whole directory and plans what differs, through the same planner and gate as
 * any event. What exceeds its limits as a run is held whole; what shrank or could not be read removes nobody.
 * @throws DirectoryUnavailable when the directory could not be read to its end; nothing is planned then
 */
export async function reconcile(surroundings: Surroundings, options: ReconcileOptions): Promise<AccountOutcome[]> {
  const { db, policy, directories } = surroundings;
  const before = options.acceptShrink === true ? null : await lastRun(db);
  try {
    const { index, people } = await readDirectories(directories, policy);
    const suspicion = suspectDirectories(people, before);
    const accounts = policy.accounts.filter(({ name }) => options.account === undefined || name === options.account);
    const compared: Compared[] = [];
    const report = async (): Promise<void> => {
      options.onProgress?.(compared.length, accounts.length);
      await reportProgress(db, options.runId, { done: compared.length, of: accounts.length });
    };
    await report();
    // A sign of life, however long one account takes.
    const pulse = setInterval(() => void report().catch(() => undefined), signOfLifeMs);
    const outcomes: AccountOutcome[] = [];
    try {
      await inTurns(accounts, accountsAtOnce, async (account) => {
        compared.push(await compareAccount(surroundings, options, account, { index, suspicion, before }));
        await report();
      });
      compared.sort((a, b) => (a.outcome.account < b.outcome.account ? -1 : 1));
      // A person's plan is about all accounts: what holds a run in one of them must be known before anybody is planned.
      const guards = compared.flatMap(({ run }) => run);
      for (const one of compared) {
        outcomes.push(await planCompared(surroundings, options, one, guards, suspicion === null));
      }
    } finally {
      clearInterval(pulse);
    }
    await finish(db, options, people, outcomes, suspicion, before);
    return outcomes;
  } catch (error) {
    await finishRun(db, options.runId, null, null);
    throw error;
  }
}

/** People by directory. */
type Counts = Record<string, number>;

/** The first authority that knows an address owns the person; a later one's word about that address does not count. */
async function readDirectories(
  { authorities }: Directories,
  policy: Policy,
): Promise<{ index: DirectoryIndex; people: Counts }> {
  const index = new Map<string, Listed[]>();
  const groups = [...new Set(policy.grants.map(({ group }) => group))];
  const people: Counts = {};
  for (const directory of authorities) {
    people[directory.name] = await readDirectory(directory, groups, index);
  }
  return { index, people };
}

async function readDirectory(directory: Directory, groups: string[], index: Map<string, Listed[]>): Promise<number> {
  let people = 0;
  for await (const page of directory.list(groups)) {
    for (const { emails, ...facts } of page) {
      people += 1;
      const person = { directory: directory.name, ...facts };
      index.set(idKey(person), [person]);
      for (const email of new Set(emails.map(canonicalAddress))) {
        const same = index.get(email);
        if (same === undefined) index.set(email, [person]);
        else if (same[0]?.directory === directory.name) same.push(person);
      }
    }
  }
  return people;
}

function suspectDirectories(people: Counts, before: LastRun | null): string | null {
  for (const [name, now] of Object.entries(people)) {
    if (now === 0) return `the directory ${name} lists nobody`;
    const then = before?.summary.people?.[name] ?? 0;
    if (then >= shrinkFrom && now < then * shrinkBelow)
      return `the directory ${name} lists ${now} people, ${then} the last time; if that is right: sendoff reconcile --accept-shrink`;
  }
  return null;
}

interface Known {
  index: DirectoryIndex;
  /** Why the directory's list is not believed. */
  suspicion: string | null;
  before: LastRun | null;
}

/** What an account's comparison found, before anybody is planned. */
interface Compared {
  outcome: Omit<AccountOutcome, 'drift' | 'plans'>;
  drift: Drift[];
  /** Why nobody is removed here by this run without a human. */
  run: Guard[];
}

async function planCompared(
  surroundings: Surroundings,
  options: ReconcileOptions,
  { outcome, drift }: Compared,
  guards: Guard[],
  whole: boolean,
): Promise<AccountOutcome> {
  const plans = await planDrift(surroundings, options, drift, guards, whole);
  return {
    ...outcome,
    drift: drift.map((one) => {
      const planned = plans.find((p) => p.target === one.target && p.directoryId === one.directoryId);
      return { ...one, announced: planned?.announced ?? true, plan: planned?.plan?.id ?? null };
    }),
    plans,
  };
}

async function compareAccount(
  surroundings: Surroundings,
  options: ReconcileOptions,
  account: AccountPolicy,
  known: Known,
): Promise<Compared> {
  const { db, policy } = surroundings;
  let roster: Roster;
  try {
    roster = await surroundings.readRoster(account.name, {
      teammatesSince: options.now,
      invitationsSince: options.now,
      partsSince: options.now,
      urgent: true,
      leaving: false,
    });
  } catch (error) {
    const problems = [`could not be read: ${messageOf(error)}`];
    return { outcome: { account: account.name, complete: false, teammates: 0, problems }, drift: [], run: [] };
  }
  const links = await linksIn(db, account.name);
  const restricted = await openRestrictedPlaces(db, account.name);
  const isRestricted = new Set(restricted.map((one) => placeKey(account.name, one.subuser, one.username)));
  const looked = await lookUpMissing(
    surroundings.directories,
    roster,
    account,
    { index: known.index, runId: options.runId },
    links,
  );
  const { index } = looked;
  const newcomers = await noteTeammates(
    db,
    account.name,
    roster.teammates.map((mate) => mate.username),
  );
  const rank = (name: string) => surroundings.directories.authorities.findIndex((one) => one.name === name);
  const standing = links.filter(({ directory, username }) => {
    const mate = roster.teammates.find((one) => one.username === username);
    const owner = originsOf(account.identity, mate?.email ?? '').flatMap((origin) => index.get(origin) ?? [])[0];
    // A tie to somebody of a later authority gives way to the owner of the address.
    return owner === undefined || rank(owner.directory) >= rank(directory);
  });
  const { drift, matched } = findDrift({
    roster,
    account,
    index,
    policy,
    links: standing,
    restricted: isRestricted,
    newcomers,
    unasked: looked.unasked,
  });
  const unread = [...roster.unread];
  if (options.mode === 'deep') drift.push(...(await compareAccess(surroundings, roster, matched, drift, unread)));
  const shrank = await shrunken(db, roster, known.before);
  const run = runGuards(account.name, drift, roster, policy, [known.suspicion, shrank]);
  if (known.suspicion === null) {
    const asListed = matched.map((one) => {
      const listed = originsOf(account.identity, one.email).find((origin) => index.has(origin));
      return { ...one, email: listed ?? one.email };
    });
    await linkMatched(db, account.name, asListed);
  }
  const outcome = {
    account: account.name,
    complete: unread.length === 0 && shrank === null && known.suspicion === null,
    teammates: roster.teammates.length,
    problems: [
      ...unread.map(({ part, reason }) => `${part ?? 'access'} not read: ${reason}`),
      ...(shrank === null ? [] : [shrank]),
      ...looked.problems,
    ],
  };
  return { outcome, drift, run };
}

/** The deep comparison: what each person may do against what their groups grant; no list tells (sendgrid.md §2). */
async function compareAccess(
  { db, policy, readAccess }: Surroundings,
  roster: Roster,
  matched: Matched[],
  found: Drift[],
  unread: Unread[],
): Promise<Drift[]> {
  const { account } = roster;
  if (!policy.provisioning.rescope) return [];
  const planned = new Set(found.filter(({ act }) => act).map(({ target }) => target));
  const mates = matched.filter(({ granted, username }) => granted !== null && !planned.has(username));
  const applied = await appliedAccess(
    db,
    mates.map(({ username }) => ({ account, username })),
  );
  const drift: Drift[] = [];
  await inTurns(mates, accountsAtOnce, async ({ username, email, directory, directoryId, granted }) => {
    if (granted === null) return;
    try {
      const access = await readAccess(account, username);
      const mate = roster.teammates.find((one) => one.username === username) ?? { sso: true };
      const shown = applied.find((one) => one.username === username) ?? null;
      if (access === null || holdsRole(access, granted.role, roster, mate, shown)) return;
      const at = {
        account,
        subuser: null,
        footprint: 'teammate' as const,
        target: username,
        email,
        directory,
        directoryId,
      };
      drift.push({ ...at, kind: 'access', detail: `has another access than the role ${granted.name}`, act: true });
    } catch (error) {
      unread.push(unreadPart(account, `access of ${username}`, error));
    }
  });
  return drift;
}

interface Looked {
  index: DirectoryIndex;
  /** Addresses of which nobody said anything: whose they are is not judged this time. */
  unasked: Set<string>;
  problems: string[];
}

/**
 * Lists leave people out, the deactivated above all (idp-events.md §1.6), and a person whom a later authority lists may
 * belong to an earlier one that does not: such addresses are asked for one by one, others in every run.
 */
async function lookUpMissing(
  { authorities }: Directories,
  roster: Roster,
  { identity }: AccountPolicy,
  { index, runId }: { index: DirectoryIndex; runId: string },
  links: LinkOf[],
): Promise<Looked> {
  const first = authorities[0]?.name;
  const settled = new Set(
    links.filter((link) => link.directoryId !== null && link.directory === first).map((link) => link.username),
  );
  const rankOf = (address: string): number => {
    const directory = index.get(address)?.[0]?.directory;
    return directory === undefined ? authorities.length : authorities.findIndex(({ name }) => name === directory);
  };
  const doubtful = new Set(
    [
      ...roster.teammates.filter((mate) => mate.userType !== 'owner' && !settled.has(mate.username)),
      ...roster.invitations,
      ...roster.subusers.flatMap((subuser) => [...subuser.teammates, ...subuser.invitations]),
    ].flatMap(({ email }) => {
      const origins = originsOf(identity, email);
      return origins.some((origin) => rankOf(origin) === 0) ? [] : origins;
    }),
  );
  const inTurn = [...doubtful].sort((a, b) => (turnOf(runId, a) < turnOf(runId, b) ? -1 : 1));
  const unasked = new Set(inTurn.slice(lookUpsPerAccount));
  const problems = unasked.size === 0 ? [] : [`${unasked.size} addresses that no list has are asked for in later runs`];
  const extended = new Map(index);
  await inTurns(inTurn.slice(0, lookUpsPerAccount), accountsAtOnce, async (address) => {
    for (const authority of authorities.slice(0, rankOf(address))) {
      try {
        const holders = await authority.findByEmail(address);
        if (holders.length === 0) continue;
        const unlisted = { directory: authority.name, assigned: null, groups: null };
        extended.set(
          address,
          holders.map(({ directoryId, standing }) => ({ directoryId, standing, ...unlisted })),
        );
      } catch (error) {
        if (!(error instanceof DirectoryUnavailable)) throw error;
        unasked.add(address);
        extended.delete(address);
        problems.push(`an address could not be asked for: ${messageOf(error)}`);
      }
      return;
    }
  });
  return { index: extended, unasked, problems };
}

/** Another order in every run, so that everybody has their turn. */
function turnOf(runId: string, address: string): string {
  return createHash('sha256').update(`${runId} ${address}`).digest('hex');
}

async function shrunken(db: Db, { account, teammates }: Roster, before: LastRun | null): Promise<string | null> {
  const measure = before?.summary.accounts.find((one) => one.account === account)?.measure ?? null;
  if (measure === null) return null;
  const then = measure.teammates;
  if (then < shrinkFrom || teammates.length >= then * shrinkBelow) return null;
  // Whom Sendoff itself removed is missing for a reason.
  const removed = await removedSince(db, account, new Date(measure.at));
  if (teammates.length + removed.size >= then * shrinkBelow) return null;
  return `the roster shows ${teammates.length} teammates, ${then} the last time; if that is right: sendoff reconcile --accept-shrink`;
}

/** Why nobody is removed here by this run without a human: it is too many at once, or built on sand. */
function runGuards(
  account: string,
  drift: Drift[],
  roster: Roster,
  policy: Policy,
  suspicions: (string | null)[],
): Guard[] {
  const removing = drift.filter(({ kind, act, granted }) => act && kind !== 'access' && granted !== true);
  const people = new Set(removing.map(whoOf)).size;
  const teammates = roster.teammates.filter((mate) => mate.userType !== 'owner').length;
  const guard = (rule: Guard['rule'], detail: string): Guard => ({ rule, account, target: null, detail });
  const moving = drift.filter(({ kind, act }) => act && kind === 'renamed').length;
  return [
    ...(teammates >= shareFrom && moving > policy.limits.runShare * teammates
      ? [
          guard(
            'move-limit',
            `this run alone would give ${moving} of ${teammates} people another address; limits.runShare allows ${Math.floor(policy.limits.runShare * 100)} %: is accounts.${account}.identity right?`,
          ),
        ]
      : []),
    ...suspicions.flatMap((why) => (why === null ? [] : [guard('snapshot', why)])),
    ...runLimits('this run', account, { people, teammates }, policy),
  ];
}

async function finish(
  db: Db,
  options: ReconcileOptions,
  people: Counts,
  outcomes: AccountOutcome[],
  suspicion: string | null,
  before: LastRun | null,
): Promise<void> {
  const unannounced = outcomes.flatMap(({ drift }) => drift).filter((one) => one.kind === 'leaver' && !one.announced);
  const summary: RunSummary = {
    people,
    accounts: outcomes.map(({ account, complete, teammates, drift }) => {
      const earlier = before?.summary.accounts.find((one) => one.account === account)?.measure ?? null;
      // What shrank, or could not be read, is no measure: otherwise it would be suspicious only once.
      const measure = complete ? { teammates, at: options.now.toISOString() } : earlier;
      return { account, complete, teammates, drift: drift.length, measure };
    }),
    unannounced: unannounced.length,
    problems: suspicion === null ? [] : [suspicion],
  };
  // A look at one account is no measure for the next look at all of them.
  await finishRun(db, options.runId, sum(people), options.account === undefined ? summary : null);
  await appendAudit(
    db,
    outcomes.map(({ account, complete, teammates, drift, plans }) => ({
      kind: 'reconcile.finished' as const,
      account,
      actor: options.by,
      detail: {
        run: options.runId,
        mode: options.mode,
        complete,
        teammates,
        drift: Object.fromEntries(countBy(drift.map(({ kind }) => kind))),
        plans: plans.length,
        unannounced: drift.filter((one) => one.kind === 'leaver' && !one.announced).length,
      },
    })),
  );
}

const sum = (counts: Counts) => Object.values(counts).reduce((all, one) => all + one, 0);

function countBy(kinds: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

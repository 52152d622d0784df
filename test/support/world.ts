import { execFileSync } from 'node:child_process';
import {
  type LogEventSeed,
  type OktaEmulator,
  type OktaUserSeed,
  startOktaEmulator,
} from '#test/emulators/okta/index.js';
import {
  type AccountSeed,
  type EmulatedAccount,
  type SendGridEmulator,
  startSendGridEmulator,
} from '#test/emulators/sendgrid/index.js';
import type { TestDatabase } from './database.js';
import { createWorkplace, freePort, type SendoffProcess, until, type Workplace } from './sendoff.js';

// A company: its Okta, its SendGrid accounts, and a running Sendoff between them.

export const hookSecret = 'hook-secret-0123456789abcdef';
export const adminToken = 'test-admin-token-0123456789';

export interface World {
  okta: OktaEmulator;
  sendgrid: SendGridEmulator;
  database: TestDatabase;
  workplace: Workplace;
  url: string;
  /** Adds a person to the directory and as a teammate to every account. */
  hire(name: string, more?: Partial<OktaUserSeed>): OktaUserSeed;
  /** Delivers events as Okta does. @returns the HTTP status */
  post(...events: LogEventSeed[]): Promise<number>;
  /** One event of a kind about one person. */
  event(eventType: string, person: { id: string; email: string }, more?: Partial<LogEventSeed>): LogEventSeed;
  account(name?: string): EmulatedAccount;
  /** The output of a `--json` command. */
  json<T>(...args: string[]): Promise<T>;
  /** Waits until every event is finished, one way or another, and no plan is under way. */
  quiet(withinMs?: number): Promise<void>;
  /** Waits until the comparison that follows a start is through. */
  reconciled(): Promise<void>;
  start(role?: 'up' | 'web' | 'worker', env?: NodeJS.ProcessEnv): Promise<SendoffProcess>;
  running: SendoffProcess[];
  end(): Promise<void>;
}

export interface WorldOptions {
  accounts?: (Partial<AccountSeed> & { name: string; mode?: string; more?: string })[];
  /** Instead of Okta: the authority, and the lines below `sources:`. */
  sources?: { authority: string; yaml: string };
  /** More lines below `sources:`. */
  moreSources?: string;
  /** More lines for sendoff.yaml. */
  config?: string;
  app?: string;
  env?: NodeJS.ProcessEnv;
  /** false: the database is left as it is. */
  migrate?: boolean;
  /** Roles to start; default one `up`. */
  roles?: ('up' | 'web' | 'worker')[];
  /** SendGrid answers after so long. */
  latencyMs?: number;
  /** Default: a fresh one of the test run. */
  database?: TestDatabase;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { accounts = [{ name: 'marketing' }], config = '', app, roles = ['up'] } = options;
  const okta = await startOktaEmulator();
  const sendgrid = await startSendGridEmulator({ latencyMs: options.latencyMs ?? 0 });
  // Imported only when needed: it works inside vitest alone, and the benchmark runs outside.
  const database = options.database ?? (await (await import('./database.js')).createTestDatabase());
  if (app !== undefined) okta.apps.add(app);
  const port = await freePort();
  for (const { name, mode: _, more: __, ...seed } of accounts) {
    sendgrid.addAccount({
      name,
      apiKey: `SG.key-of-${name}`,
      owner: { username: `${name}-owner`, email: 'owner@acme.com' },
      ...seed,
    });
  }
  const workplace = await createWorkplace(
    `version: 1
authority: ${options.sources?.authority ?? 'okta'}
sources:
${options.sources?.yaml ?? oktaYaml(okta.url, app)}
${options.moreSources ?? ''}
accounts:
${accounts.map(({ name, mode = 'enforce', more = '' }) => `  ${name}: { apiKey: SG.key-of-${name}, baseUrl: "${sendgrid.url}", mode: ${mode}${more} }`).join('\n')}
${config.includes('limits:') ? '' : 'limits: { removals: { floor: 1000, max: 1000 }, runShare: 1 }'}
${config}`,
    {
      OKTA_API_TOKEN: 'okta-emulator-token',
      DATABASE_URL: database.url,
      SENDOFF_SIGNING_KEY: signingKey(),
      SENDOFF_ADMIN_TOKEN: adminToken,
      PORT: String(port),
      LOG_LEVEL: 'info',
      ...options.env,
    },
  );
  if (options.migrate !== false && !roles.includes('up')) {
    const migrated = await workplace.run(['migrate']);
    if (migrated.code !== 0) throw new Error(migrated.stderr);
  }
  const running: SendoffProcess[] = [];
  const world: World = {
    okta,
    sendgrid,
    database,
    workplace,
    running,
    url: `http://127.0.0.1:${port}`,
    hire(name, more = {}) {
      const person = { id: `00u-${name}`, email: `${name}@acme.com`, ...more };
      okta.addUser(person);
      for (const { name: one } of accounts) sendgrid.account(one).addTeammate({ email: person.email });
      return person;
    },
    post: (...events) => okta.deliver(`${world.url}/hooks/okta`, hookSecret, events),
    event: (eventType, { id, email }, more = {}) => ({ eventType, userId: id, login: email, ...more }),
    account: (name = accounts[0]?.name ?? '') => sendgrid.account(name),
    async json<T>(...args: string[]) {
      const { stdout, stderr } = await workplace.run([...args, '--json']);
      if (stdout === '') throw new Error(`sendoff ${args.join(' ')} printed nothing: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
    async quiet(withinMs) {
      await until(
        'everything is finished',
        async () => {
          const { rows } = await database.pool.query(
            `select (select count(*) from inbox where due_at is not null)::int
            + (select count(*) from plan where due_at is not null and state <> 'settled')::int
            + (select count(*) from action where due_at is not null)::int as open`,
          );
          return rows[0].open === 0;
        },
        withinMs,
      ).catch(async (error: unknown) => {
        const { rows } = await database.pool.query(
          `select 'inbox' as what, state, reason, last_error from inbox where due_at is not null
           union all select 'plan', state, null, last_error from plan where due_at is not null and state <> 'settled'
           union all select 'action', state, null, last_error from action where due_at is not null limit 20`,
        );
        throw new Error(
          `${String(error)}\n${JSON.stringify(rows)}\n${running.map((one) => one.output().slice(-3_000)).join('\n')}`,
        );
      });
    },
    async reconciled() {
      await until('the first comparison is through', async () => {
        const { rows } = await database.pool.query('select 1 from reconcile_run where finished_at is not null');
        return rows.length > 0;
      });
    },
    async start(role = 'up', env = {}) {
      const process = await workplace.start(role, env);
      running.push(process);
      return process;
    },
    async end() {
      await Promise.all(
        running.map((one) => (one.child.exitCode === null && one.child.signalCode === null ? one.stop() : null)),
      );
      await okta.close();
      await sendgrid.close();
      await database.drop();
      await workplace.remove();
    },
  };
  for (const role of roles) await world.start(role);
  if (roles.includes('up') || roles.includes('worker')) await world.reconciled();
  return world;
}

/** Polling is off: what a test delivers is all that arrives. */
function oktaYaml(orgUrl: string, app: string | undefined): string {
  return `  okta:
    type: okta
    orgUrl: ${orgUrl}
    token: \${OKTA_API_TOKEN}
    hookSecret: ${hookSecret}
    poll: off
${app === undefined ? '' : `    app: ${app}`}`;
}

let key: string | null = null;

function signingKey(): string {
  key ??= execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519']).toString();
  return key;
}

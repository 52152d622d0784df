import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calm } from '#test/support/flow.js';
import type { RunResult } from '#test/support/sendoff.js';
import { runHere } from '#test/support/terminal.js';
import { adminToken, createWorld, type World } from '#test/support/world.js';

// The same commands against the database and against a running server: the same documents, texts and exit codes.

let world: World;
const people = new Map<string, { id: string; email: string }>();
const nobody = '00000000-0000-4000-8000-000000000000';

beforeAll(async () => {
  world = await createWorld({
    accounts: [{ name: 'marketing' }, { name: 'guarded', mode: 'approve' }],
    config: 'approvals: { approvers: [] }',
  });
  for (const name of ['amy', 'ben', 'cat', 'dan', 'eve', 'fay']) {
    people.set(name, world.hire(name));
  }
  world.account().addApiKey({ name: 'nightly' });
  world.account().addApiKey({ name: 'daily' });
});
afterAll(() => world.end());

const inDatabase = (...args: string[]) =>
  runHere(args, { ...world.workplace.env, SENDOFF_CONFIG: join(world.workplace.dir, 'sendoff.yaml') });
const atServer = (...args: string[]) => withToken(adminToken, ...args);
const withToken = (token: string, ...args: string[]) => runHere(args, serverOnly(token));

/** Nothing but an address and a token: no database, no configuration. */
function serverOnly(token: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    SENDOFF_SERVER: world.url,
    SENDOFF_TOKEN: token,
    SENDOFF_CONFIG: join(world.workplace.dir, 'no-such.yaml'),
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
  };
}

/** What differs between two runs of the same on two people: ids, times, names, secrets. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
  }
  return typeof value === 'string' ? textShape(value) : value;
}

function textShape(text: string): string {
  return text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z)?/g, '<time>')
    .replace(/[0-9a-f]{64}/g, '<hash>')
    .replace(/sendoff_[\w-]{43}/g, '<token>')
    .replace(/\b(amy|ben|cat|dan|eve|fay)\b/g, '<somebody>')
    .replace(/\b(operator:[\w.-]+|admin-token)\b/g, '<actor>');
}

const parsed = ({ stdout, stderr }: RunResult): unknown => {
  if (stdout === '') throw new Error(`nothing was printed: ${stderr}`);
  return JSON.parse(stdout);
};

const documentOf = async <T>(...args: string[]) => parsed(await inDatabase(...args, '--json')) as T;
const bothWays = async (...args: string[]) => [await inDatabase(...args), await atServer(...args)] as const;

/** What only looks is the same to the letter. */
async function looks(code: number, ...args: string[]): Promise<void> {
  const [here, there] = await bothWays(...args, '--json');
  expect([args, there.code, there.stderr]).toEqual([args, code, here.stderr]);
  expect(here.code).toBe(code);
  expect(parsed(there)).toEqual(parsed(here));
}

/** What changes something is done to one person here and to another there. */
async function does(code: number, here: string[], there: string[]): Promise<[RunResult, RunResult]> {
  const results: [RunResult, RunResult] = [await inDatabase(...here, '--json'), await atServer(...there, '--json')];
  expect(results.map((one) => [one.code, one.stderr])).toEqual(results.map(() => [code, '']));
  expect(shapeOf(parsed(results[1]))).toEqual(shapeOf(parsed(results[0])));
  return results;
}

/** A held plan, without how far its other actions have come meanwhile. */
function heldFor(result: RunResult): unknown {
  if (result.stdout === '') throw new Error(`${result.code}: ${result.stderr}`);
  const { state, person, hold, actions, ...rest } = parsed(result) as Record<string, unknown> & {
    actions: { kind: string; account: string }[];
  };
  return [
    result.code,
    state,
    shapeOf(person),
    shapeOf(hold),
    Object.keys(rest).sort(),
    actions.map(({ kind }) => kind),
  ];
}

/** Refused both ways with the same code and the same words; what to do next may be said in other ones. */
async function refuses(code: number, ...args: string[]): Promise<void> {
  const [here, there] = await bothWays(...args);
  expect([args, here.code, there.code, there.stdout]).toEqual([args, code, code, '']);
  const [said, saidThere] = [here, there].map(({ stderr }) => textShape(stderr).split('\n')[0]);
  expect(saidThere).toBe(said);
}

describe('a command over --server', () => {
  it('orders, waits, restores and cancels as it does in the database', async () => {
    // Removed from one account, held in the other.
    const amy = await inDatabase('offboard', 'amy@acme.com', '--reason', 'left', '--wait', '--json');
    const ben = await atServer('offboard', 'ben@acme.com', '--reason', 'left', '--wait', '--json');
    expect(heldFor(ben)).toEqual(heldFor(amy));
    expect(amy.code).toBe(3);
    await calm(world);
    expect(world.account().has('ben@acme.com')).toBe(false);

    await does(0, ['offboard', 'amy@acme.com', '--cancel'], ['offboard', 'ben@acme.com', '--cancel']);
    await refuses(2, 'offboard', 'amy@acme.com', '--cancel');
    const [, later] = await does(
      0,
      ['offboard', 'cat@acme.com', '--at', '2099-12-31T17:00:00Z'],
      ['offboard', 'dan@acme.com', '--at', '2099-12-31T17:00:00Z'],
    );
    expect(parsed(later)).toMatchObject({ at: '2099-12-31T17:00:00.000Z', cancelled: false });
    await calm(world);
    await does(0, ['restore', 'amy@acme.com'], ['restore', 'ben@acme.com']);
    await refuses(2, 'restore', 'eve@acme.com');
  });

  it('answers held plans, and is refused as there', async () => {
    const waited = await inDatabase('offboard', 'eve@acme.com', '--wait', '--json');
    expect(heldFor(await atServer('offboard', 'fay@acme.com', '--wait', '--json'))).toEqual(heldFor(waited));
    await calm(world);
    const held = async (email: string) => {
      const { items } = await documentOf<{ items: { id: string; person: { email: string } }[] }>(
        ...['plans', 'list', '--state', 'held', '--all'],
      );
      const plan = items.find(({ person }) => person.email === email);
      if (plan === undefined) throw new Error(`nothing is held for ${email}`);
      return plan.id;
    };
    const [eve, fay] = [await held('eve@acme.com'), await held('fay@acme.com')];
    await refuses(3, 'plans', 'approve', eve, '--set', 'a'.repeat(64));
    await does(0, ['plans', 'reject', eve, '--reason', 'no'], ['plans', 'reject', fay, '--reason', 'no']);
    await refuses(1, 'plans', 'approve', eve);
    await refuses(2, 'plans', 'approve', nobody);
    await refuses(2, 'plans', 'approve', eve, '--set', 'short');
  });

  it('stops and lifts, makes and ends tokens', async () => {
    const stop = ['stop', '--account', 'marketing', '--reason', 'audit'];
    const resume = ['resume', '--account', 'marketing'];
    const [stopped] = [await inDatabase(...stop, '--json'), await inDatabase(...resume, '--json')];
    const [stoppedThere, resumedThere] = [await atServer(...stop, '--json'), await atServer(...resume, '--json')];
    expect(shapeOf(parsed(stoppedThere))).toEqual(shapeOf(parsed(stopped)));
    expect([resumedThere.code, parsed(resumedThere)]).toEqual([0, { stops: [] }]);
    await refuses(2, 'resume');
    await refuses(2, 'stop', '--account', 'nowhere');

    const create = ['tokens', 'create'];
    await does(0, [...create, 'eve', '--role', 'viewer'], [...create, 'fay', '--role', 'viewer']);
    await looks(0, 'tokens', 'list');
    await does(0, ['tokens', 'revoke', 'eve'], ['tokens', 'revoke', 'fay']);
    await refuses(2, 'tokens', 'revoke', 'eve');
  });

  it('lists keys, read anew, and gives them an owner', async () => {
    await looks(0, 'keys', 'list');
    await looks(0, 'keys', 'list', '--account', 'marketing', '--unattributed');
    const idOf = (name: string) => [...world.account().apiKeys.values()].find((key) => key.name === name)?.id ?? '';
    const owned = ['--account', 'marketing', '--owner', 'Amy@acme.com'];
    const adopted = [await inDatabase('keys', 'adopt', idOf('daily'), ...owned, '--json')];
    adopted.push(await atServer('keys', 'adopt', idOf('nightly'), ...owned, '--json'));
    expect(adopted.map(parsed)).toEqual([
      { account: 'marketing', id: idOf('daily'), name: 'daily', owner: 'amy@acme.com' },
      { account: 'marketing', id: idOf('nightly'), name: 'nightly', owner: 'amy@acme.com' },
    ]);
    await does(
      0,
      ['keys', 'owner', idOf('daily'), 'ben@acme.com', '--account', 'marketing'],
      ['keys', 'owner', idOf('daily'), 'ben@acme.com', '--account', 'marketing'],
    );
    await refuses(2, 'keys', 'adopt', 'nosuchkey', ...owned);
  });

  it('shows the same lists, plans and events, to the letter', async () => {
    await calm(world);
    for (const list of [
      ['events', 'list'],
      ['events', 'list', '--all'],
      ['events', 'list', '--state', 'done', '--type', 'terminated', '--email', 'Amy@acme.com'],
      ['events', 'list', '--limit', '1'],
      ['plans', 'list'],
      ['plans', 'list', '--limit', '2'],
      ['plans', 'list', '--state', 'rejected'],
      ['actions', 'list', '--state', 'done'],
      ['alerts', 'list'],
    ]) {
      await looks(0, ...list);
    }
    const { items } = await documentOf<{ items: { id: string; type: string }[] }>('events', 'list', '--all');
    await looks(0, 'events', 'show', items[0]?.id ?? '');
    const { items: plans } = await documentOf<{ items: { id: string }[] }>('plans', 'list');
    await looks(0, 'plans', 'show', plans[0]?.id ?? '');
    for (const shown of [
      ['plans', 'list'],
      ['plans', 'show', plans[0]?.id ?? ''],
      ['events', 'list'],
    ]) {
      const [here, there] = await bothWays(...shown);
      expect(there).toEqual(here);
    }
    for (const missing of ['events show', 'events replay', 'plans show']) {
      await refuses(2, ...missing.split(' '), nobody);
      await refuses(2, ...missing.split(' '), 'no-id');
    }
    await refuses(2, 'events', 'list', '--before', 'x');
    await refuses(2, 'plans', 'list', '--state', 'nonsense');
  });

  it('thinks a plan through, with the exit code of the gate', async () => {
    await looks(0, 'plan', 'nobody@acme.com');
    world.okta.setStatus(people.get('cat')?.id ?? '', 'DEPROVISIONED');
    await looks(3, 'plan', 'cat@acme.com');
    await refuses(2, 'plan', 'no-address');
  });

  it('compares with the directory, and prints what was found and planned', async () => {
    // Where what was found stays as it is until somebody answers.
    const here = await inDatabase('reconcile', '--account', 'guarded', '--json');
    const there = await atServer('reconcile', '--account', 'guarded', '--json');
    expect([here.code, there.code, there.stderr]).toEqual([
      3,
      3,
      expect.stringMatching(/^(sendoff: waiting for.*\n)*$/),
    ]);
    expect(parsed(there)).toEqual(parsed(here));
    expect(JSON.stringify(parsed(there))).toContain('cat@acme.com');
    await refuses(2, 'reconcile', '--account', 'nowhere');
  });

  it('replays one event and all that match, counted first', async () => {
    const { items } = await documentOf<{ items: { id: string }[] }>(
      ...['events', 'list', '--email', 'amy@acme.com', '--state', 'done'],
    );
    const [id = ''] = items.map((one) => one.id);
    await does(0, ['events', 'replay', id], ['events', 'replay', id]);
    await calm(world);
    const matching = ['events', 'replay', '--email', 'amy@acme.com', '--state', 'done'];
    const asked = await atServer(...matching, '--json');
    expect([asked.code, parsed(asked)]).toEqual([3, { id: null, count: items.length }]);
    const done = await atServer(...matching, '--yes', '--json');
    expect([done.code, parsed(done)]).toEqual([0, { id: expect.any(String), count: items.length }]);
    const { rows } = await world.database.pool.query(
      `select canonical from audit_entry where canonical like '%events.replayed%' order by at desc limit 1`,
    );
    expect(JSON.parse(rows[0].canonical)).toMatchObject({ actor: 'admin-token', detail: { count: items.length } });
    await refuses(2, 'events', 'replay');
    await refuses(2, 'events', 'replay', id, '--state', 'dead');
  });

  it('exports and verifies the trail, from the bytes that came', async () => {
    const exported = await atServer('audit', 'export');
    const file = join(world.workplace.dir, 'from-the-server.jsonl');
    await writeFile(file, exported.stdout);
    const offline = await atServer('audit', 'verify', '--file', file, '--json');
    expect([offline.code, parsed(offline)]).toEqual([0, expect.objectContaining({ ok: true })]);
    const [here, there] = await bothWays('audit', 'verify', '--json');
    expect([here.code, there.code]).toEqual([0, 0]);
    expect(parsed(there)).toMatchObject({ ok: true, publicKey: (parsed(here) as { publicKey: string }).publicKey });
    const csv = await atServer('audit', 'export', '--format', 'csv');
    expect(csv.stdout.split('\n')[0]).toContain('seq');
  });

  it('examines and lists what is at the providers', async () => {
    // Nothing was made at the provider yet.
    await looks(1, 'subscriptions', 'list');
    await refuses(2, 'subscriptions', 'list', '--source', 'nowhere');
    await refuses(2, 'alerts', 'test');
    const [here, there] = await bothWays('doctor', '--json');
    expect(there.code).toBe(here.code);
    expect(shapeOf(parsed(there))).toEqual(shapeOf(parsed(here)));
  });
});

describe('what goes wrong with a server', () => {
  it('is an exit code and a message of the process, as everything else', async () => {
    const env = { ...serverOnly('wrong-token-0123456789'), DATABASE_URL: '' };
    const { code, stderr, stdout } = await world.workplace.run(['plans', 'list', '--json'], env);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('does not take the token')]);
  });

  const tokenOf = async (name: string, role: string) =>
    (await documentOf<{ token: string }>('tokens', 'create', name, '--role', role)).token;

  it('is told with what to do: token refused, role missing, nobody there', async () => {
    const refused = await withToken('wrong-token-0123456789', 'plans', 'list');
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('SENDOFF_TOKEN');
    expect(refused.stderr).not.toContain('wrong-token');

    const viewer = await withToken(await tokenOf('watcher', 'viewer'), 'stop');
    expect([viewer.code, viewer.stderr]).toEqual([
      2,
      expect.stringMatching(/takes the role operator; yours is viewer\n {2}→ ask an administrator for a token/),
    ]);

    const away = await atServer('plans', 'list', '--server', 'http://127.0.0.1:1');
    expect([away.code, away.stderr]).toEqual([1, expect.stringContaining('gives no answer (ECONNREFUSED)')]);
  });

  it.each([
    ['no token', ['plans', 'list'], { SENDOFF_TOKEN: '' }, 'SENDOFF_TOKEN is not set'],
    ['plain http elsewhere', ['plans', 'list', '--server', 'http://10.1.2.3'], {}, 'unencrypted'],
    ['a path', ['plans', 'list', '--server', 'https://acme.com/sendoff?t=secret'], {}, 'without a path'],
    ['an operator’s name', ['stop', '--as', 'jane'], {}, '--as does not go with a server'],
    ['a configuration', ['stop', '--config', 'x.yaml'], {}, '--config does not go with a server'],
    ['a key', 'keys create --account a --owner a@acme.com --name n --scope mail.send'.split(' '), {}, 'keys create'],
    ['a file', ['events', 'import', 'leavers.csv'], {}, 'events import does not work over a server'],
    ['a hook', ['subscriptions', 'ensure'], {}, 'subscriptions ensure does not work over a server'],
  ])('is a usage error: %s', async (_what, args, env, text) => {
    const { code, stderr, stdout } = await runHere(args, { ...serverOnly(adminToken), ...env });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(text);
    expect(stderr).not.toContain('secret');
  });

  it('is no server for what is about this machine, and each command says why', async () => {
    const refusal = expect.stringMatching(/takes no --server: .+\n {2}→ leave it out/);
    for (const command of ['migrate', 'check', 'completion bash']) {
      const { code, stderr } = await inDatabase(...command.split(' '), '--server', world.url);
      expect([command, code, stderr]).toEqual([command, 2, refusal]);
    }
    const up = await world.workplace.run(['up', '--server', world.url]);
    expect([up.code, up.stderr]).toEqual([2, refusal]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { adminToken, createWorld, type World } from '#test/support/world.js';

interface Replay {
  id: string;
  state: string;
  count: number;
  started: number;
  done: number;
  abortedBy: string | null;
  finishedAt: string | null;
}

describe('many events are replayed', () => {
  const many = 120;
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ roles: ['web', 'worker'] });
  });
  afterAll(() => world?.end());

  /** Leavers of long ago, whose dead events are all that Sendoff still has of them. */
  const bury = async (name: string) => {
    for (let n = 0; n < many; n += 1) world.okta.addUser({ id: `00u-${name}${n}`, email: `${name}${n}@acme.com` });
    await world.database.pool.query(
      `insert into inbox (source, event_id, type, sender_type, person_ref, raw, state, received_at)
       select 'okta', $2 || n, 'terminated', $2, jsonb_build_object('directoryId', '00u-' || $2 || n, 'email', $2 || n || '@acme.com'),
         '{}', 'dead', now() - interval '9 days' from generate_series(0, $1::int - 1) n`,
      [many, name],
    );
  };
  const ask = async <T>(path: string, body?: object): Promise<T> => {
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' };
    const answer = await fetch(`${world.url}/api/v1/${path}`, {
      headers: body === undefined ? { authorization: headers.authorization } : headers,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    expect([path, answer.status]).toEqual([path, body === undefined || path.endsWith('/abort') ? 200 : 202]);
    return (await answer.json()) as T;
  };
  const begin = () => ask<Replay>('events/replays', { filter: { source: 'okta', state: 'dead' } });
  const far = (id: string) => ask<Replay>(`events/replays/${id}`);
  /** The events in each state, and how often the most planned of them was planned. */
  const events = async (name: string) => {
    const { rows } = await world.database.pool.query(
      `select count(*) filter (where state = 'done')::int as done, count(*) filter (where state = 'dead')::int as dead,
        coalesce(max((select count(*) from plan where plan.event_id = inbox.id)), 0)::int as most
       from inbox where sender_type = $1`,
      [name],
    );
    return rows[0] as { done: number; dead: number; most: number };
  };
  const audited = async (id: string) => {
    const { rows } = await world.database.pool.query(
      `select canonical::jsonb ->> 'kind' as kind, canonical::jsonb ->> 'actor' as actor from audit_entry
       where canonical::jsonb -> 'detail' ->> 'replay' = $1 order by at`,
      [id],
    );
    return rows.map(({ kind, actor }) => `${kind} ${actor}`);
  };

  it('a new event is done before them, and each of them is done once in the end', async () => {
    await bury('old');
    const { id, count } = await begin();
    expect(count).toBe(many);
    await until('it runs', async () => (await far(id)).started > 5);

    const jane = world.hire('jane');
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', jane));
    await until('jane is out', () => !world.account().has(jane.email));
    const then = await far(id);
    expect(then.state).toBe('running');
    expect(then.done).toBeLessThan(many / 2);

    await until('it is through', async () => (await far(id)).state === 'done', 200_000);
    expect(await far(id)).toMatchObject({ count: many, started: many, done: many });
    expect(await events('old')).toEqual({ done: many, dead: 0, most: 1 });
    expect(await audited(id)).toEqual(['events.replayed admin-token', 'replay.finished worker']);
  }, 300_000);

  it('a worker that is killed in the midst loses none and repeats none', async () => {
    await bury('lost');
    const { id } = await begin();
    await until('it runs', async () => (await far(id)).done > 10);
    await world.running[1]?.kill();
    expect((await far(id)).started).toBeLessThan(many);
    await world.start('worker');
    await until('it is through', async () => (await far(id)).state === 'done', 200_000);
    expect(await far(id)).toMatchObject({ started: many, done: many });
    await world.quiet();
    const { done, dead } = await events('lost');
    expect([done, dead]).toEqual([many, 0]);
    const { rows } = await world.database.pool.query(`select 1 from replay_event`);
    expect(rows).toEqual([]);
  }, 300_000);

  it('aborted, no more of them begin', async () => {
    await bury('left');
    const { id } = await begin();
    await until('it runs', async () => (await far(id)).started > 5);
    const aborted = await ask<Replay>(`events/replays/${id}/abort`, {});
    expect(aborted).toMatchObject({ state: 'aborted', abortedBy: 'admin-token' });
    const end = await until('what was under way has ended', async () => {
      const now = await far(id);
      return now.finishedAt === null ? null : now;
    });
    expect(end.done).toBe(end.started);
    expect(end.started).toBeLessThan(many / 2);
    await world.quiet();
    expect(await events('left')).toMatchObject({ done: end.started, dead: many - end.started });
    expect(await audited(id)).toEqual([
      'events.replayed admin-token',
      'replay.aborted admin-token',
      'replay.finished worker',
    ]);
  }, 300_000);
});

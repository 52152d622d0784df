import { afterAll, describe, expect, it } from 'vitest';
import type { JobQueue } from '#shared/queue/queue.js';
import { createTestDatabase } from '#test/support/database.js';
import { createMetrics } from './metrics.js';

const database = await createTestDatabase();
afterAll(() => database.drop());
const queue = { queues: [] } as unknown as JobQueue;

describe('/metrics', () => {
  it('counts what is open and what is finished, by state, and how long leavers took', async () => {
    await database.pool.query(`
      insert into person (id, directory, emails) values ('00000000-0000-4000-8000-000000000001', 'okta', array['jane@acme.com']);
      insert into inbox (source, event_id, type, person_id, raw, state)
        select 'okta', n::text, 'terminated', '00000000-0000-4000-8000-000000000001', '', (array['done', 'done', 'dead', 'waiting'])[n]
        from generate_series(1, 4) n;
      insert into plan (person_id, event_id, person_version, verdict, reasons, refused, holds, unread, state, evidence_at, heard_at, settled_at)
        select person_id, id, 1, 'leaver', '[]', '[]', '[]', '[]', case event_id when '1' then 'settled' else 'held' end, now(),
          now() - interval '1 hour', case event_id when '1' then now() - interval '1 hour' + interval '20 seconds' end
        from inbox where event_id in ('1', '4');
      insert into action (plan_id, person_id, kind, footprint, account, target, draft, state)
        select id, person_id, 'deprovision', 'teammate', 'marketing', 'jane', '{}', case state when 'settled' then 'done' else 'waiting' end from plan`);
    const text = await createMetrics(database.db, queue).read();
    for (const line of [
      'sendoff_events{state="done"} 2',
      'sendoff_events{state="dead"} 1',
      'sendoff_events{state="waiting"} 1',
      'sendoff_plans{state="settled"} 1',
      'sendoff_plans{state="held"} 1',
      'sendoff_actions{account="marketing",state="done"} 1',
      'sendoff_actions{account="marketing",state="waiting"} 1',
      'sendoff_time_to_deprovision_seconds_bucket{le="10"} 0',
      'sendoff_time_to_deprovision_seconds_bucket{le="30"} 1',
      'sendoff_time_to_deprovision_seconds_count 1',
    ])
      expect(text).toContain(`${line}\n`);
  });
});

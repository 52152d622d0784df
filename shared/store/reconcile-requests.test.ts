import { afterAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '#test/support/database.js';
import { dropOldFindings, finishRequest, requestReconcile, showRequest, takeRequest } from './reconcile-requests.js';
import { beginRun, finishRun, reportProgress } from './reconcile-runs.js';

const database = await createTestDatabase();
const { db, pool } = database;
afterAll(() => database.drop());

const found = [
  { account: 'marketing', complete: true, teammates: 3, drift: [], plans: [], problems: ['sales could not be read'] },
];

describe('a comparison that somebody asked for', () => {
  it('tells how far it is, and then what it found, for a day', async () => {
    const id = await requestReconcile(db, { mode: 'deep', account: null, acceptShrink: false, by: 'token:kim' });
    expect(await showRequest(db, id)).toMatchObject({ state: 'waiting', progress: null, accounts: null });

    const runId = (await beginRun(db, 'deep', 'token:kim')) ?? '';
    await takeRequest(db, runId);
    await reportProgress(db, runId, { done: 1, of: 4 });
    expect(await showRequest(db, id)).toMatchObject({ state: 'running', progress: { done: 1, of: 4 } });

    await finishRun(db, runId, null, null);
    await finishRequest(db, id, { found });
    await dropOldFindings(db);
    expect(await showRequest(db, id)).toMatchObject({ state: 'done', problem: null, accounts: found });

    await pool.query(`update reconcile_request set finished_at = now() - interval '25 hours'`);
    await dropOldFindings(db);
    expect(await showRequest(db, id)).toMatchObject({ state: 'done', accounts: null });
  });

  it('tells why it broke off', async () => {
    const id = await requestReconcile(db, {
      mode: 'cheap',
      account: 'marketing',
      acceptShrink: false,
      by: 'token:kim',
    });
    await takeRequest(db, (await beginRun(db, 'cheap', 'token:kim')) ?? '');
    await finishRequest(db, id, { problem: 'the directory is away' });
    expect(await showRequest(db, id)).toMatchObject({
      state: 'failed',
      problem: 'the directory is away',
      accounts: null,
    });
  });
});

import { describe, expect, it } from 'vitest';
import { createWorkplace, freePort } from '#test/support/sendoff.js';

// One after the other: test/flows/up.test.ts. After a kill: test/embedded/kill.test.ts.

describe('two owners of one data folder', () => {
  it('of three `sendoff up` started at the same moment on a new folder one is up; the others end at once and say why', async () => {
    const place = await createWorkplace(
      `version: 1
authority: okta
sources: { okta: { type: okta, orgUrl: "http://127.0.0.1:1", token: okta-emulator-token, hookSecret: 0123456789abcdef } }
accounts: { main: { apiKey: SG.main, baseUrl: "http://127.0.0.1:1", mode: enforce } }
`,
    );
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const outcomes = await Promise.allSettled(ports.map((port) => place.start('up', { PORT: String(port) })));
    const up = outcomes.flatMap((one, i) =>
      one.status === 'fulfilled' ? [{ process: one.value, port: ports[i] }] : [],
    );
    try {
      const refusals = outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
      expect(up).toHaveLength(1);
      for (const why of refusals) expect(why).toMatch(/ended with 2 [\s\S]*the data folder belongs to process \d+/);
      expect((await fetch(`http://127.0.0.1:${up[0]?.port}/readyz`)).status).toBe(200);
    } finally {
      for (const { process } of up) expect(await process.stop()).toBe(0);
      await place.remove();
    }
  });
});

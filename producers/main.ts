import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Signer } from '#shared/audit/signing-key.js';
import { openRuntime, type Settings } from '#shared/runtime.js';
import { createIntake } from '#shared/store/intake.js';
import { reportAlive, reportGone } from '#shared/store/processes.js';
import { createMetrics } from '#shared/telemetry/metrics.js';
import { configuredSources } from './sources.js';
import { buildServer } from './web/server.js';

/** Connections in hand are given this long after SIGTERM. */
const drainMs = 10_000;

export interface Web {
  /** Where it listens, e.g. `http://127.0.0.1:3000`. */
  url: string;
  stop(): Promise<void>;
}

/** Starts the web role: hooks, health, metrics, sign-in, queue dashboard. Needs the database, not the queue. */
export async function startWeb(
  settings: Settings & { adminToken: string | null; signer: Signer | null },
): Promise<Web> {
  const { config, policy, environment, log, signer, scrub } = settings;
  const runtime = await openRuntime(settings, 'web');
  const { db } = runtime.database;
  const metrics = createMetrics(db, runtime.queue, Object.keys(config.accounts));
  let stopping = false;

  const app = await buildServer({
    db,
    intake: createIntake(db),
    queue: runtime.queue,
    metrics,
    counts: {
      refused: (source) => metrics.refused.inc({ source }),
      answered: (source, status) => metrics.deliveries.inc({ source, status: String(status) }),
    },
    sources: configuredSources(config, db),
    adminToken: settings.adminToken,
    config,
    policy,
    signer,
    scrub,
    log,
    nudge: runtime.relay.nudge,
    isStopping: () => stopping,
    // From dist/producers: what `npm run build` puts beside it.
    consoleDir: fileURLToPath(new URL('../../dist/console', import.meta.url)),
    traced: environment.traces !== null,
    trustedProxies: environment.trustedProxies,
  });
  await app.listen({ port: environment.port, host: environment.host });
  const heartbeat = setInterval(() => reportAlive(db, runtime.self).catch(() => undefined), 10_000);
  const { port } = app.server.address() as AddressInfo;
  const url = `http://${environment.host === '0.0.0.0' ? '127.0.0.1' : environment.host}:${port}`;
  log.info({ url, sources: Object.keys(config.sources) }, 'web is up');

  return {
    url,
    async stop() {
      stopping = true;
      clearInterval(heartbeat);
      const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
      const closed = app.close();
      app.server.closeIdleConnections();
      await closed;
      clearTimeout(cut);
      await reportGone(db, runtime.self.id).catch(() => undefined);
      await runtime.close();
    },
  };
}

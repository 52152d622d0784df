import { randomUUID } from 'node:crypto';
import type { AlertKind } from '#shared/alerts/alert.js';
import { send } from '#shared/alerts/channels.js';
import { conditionsOf } from '#shared/alerts/conditions.js';
import { messageOf as digestOf } from '#shared/alerts/message.js';
import type { Config } from '#shared/config/schema.js';
import { messageOf } from '#shared/errors.js';
import {
  keepAlerts,
  markTold,
  markUntold,
  putWeekly,
  readAlertFacts,
  takeUntold,
  weekInNumbers,
} from '#shared/store/alerts.js';
import type { WorkContext } from '../context.js';
import type { UpkeepTask } from './upkeep.js';

/** Sees what needs a human, and tells those whom the configuration names: each thing once, together with others. */
export function tellAlerts(context: WorkContext, config: Config): UpkeepTask {
  const { db, clients, clock, log } = context;
  const channels = Object.entries(config.notifications);

  async function tell([name, channel]: (typeof channels)[number]): Promise<void> {
    const alerts = await takeUntold(db, name, channel.on as AlertKind[], channel.digest);
    if (alerts.length === 0) return;
    const told = alerts.map(({ key, kind, title, remedy }) => ({ key, kind, title, remedy }));
    try {
      const message = digestOf(told, config.publicUrl ?? null);
      await send(name, channel, clients, { id: `msg_${randomUUID()}`, message, alerts: told, at: clock.now() });
      await markTold(db, name, alerts);
      log.info({ channel: name, alerts: alerts.length }, 'told what needs somebody');
    } catch (error) {
      const why = context.scrub(messageOf(error));
      log.warn({ channel: name, error: why }, 'a channel could not be told; it is tried again');
      await markUntold(db, name, why);
    }
  }

  return {
    name: 'tell-alerts',
    everyMs: 10_000,
    async run() {
      const facts = await readAlertFacts(db, {
        sources: Object.keys(config.sources),
        accounts: Object.keys(config.accounts),
      });
      await keepAlerts(db, conditionsOf(facts, { slaMs: config.sla.deprovision }));
      await summarizeWeek(context);
      await Promise.all(channels.map(tell));
    },
  };
}

/** On Mondays from eight o'clock (UTC) on. */
async function summarizeWeek({ db, clock }: WorkContext): Promise<void> {
  const now = clock.now();
  if (now.getUTCDay() !== 1 || now.getUTCHours() < 8) return;
  const { leavers, removed, held, failed } = await weekInNumbers(db);
  const title = `Last week ${leavers} people left and ${removed} footprints were removed; ${held} plans wait for an answer, ${failed} actions failed`;
  await putWeekly(db, now.toISOString().slice(0, 10), title);
}

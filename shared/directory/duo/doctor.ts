import type { DuoSource } from '#shared/config/sources/duo.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { Check } from '../directory.js';
import { clockWords, type DuoClient, rights, skewMs } from './client.js';

/** Only that it may be asked counts: the window is as short as it can be. */
const windowMs = 60_000;
const settledMs = 120_000;

export async function doctor(name: string, config: DuoSource, client: DuoClient): Promise<Check[]> {
  const users = attempt(name, 'users', async () => {
    const { kind } = await client.ask('/admin/v1/users', { limit: '1', offset: '0' });
    return kind === 'ok' ? fine('can be read') : refused(rights.resource);
  });
  const log = attempt(name, 'activity log', () => checkLog(client));
  const checks = await Promise.all(config.poll === null ? [users] : [users, log]);
  return [...checks, checkClock(name, client)];
}

type Finding = Pick<Check, 'ok' | 'detail' | 'remedy'>;

async function checkLog(client: DuoClient): Promise<Finding> {
  const to = Date.now() - settledMs;
  const window = { mintime: String(to - windowMs), maxtime: String(to), limit: '1' };
  const newer = await client.ask('/admin/v2/logs/activity', window);
  if (newer.kind === 'ok') return fine('can be read');
  const older = await client.ask('/admin/v1/logs/administrator', { mintime: String(Math.floor(to / 1_000)) });
  return older.kind === 'ok'
    ? fine('Duo refuses the activity log here, so the older administrator log is read instead')
    : refused(rights.log);
}

function checkClock(name: string, client: DuoClient): Check {
  const ahead = client.aheadMs();
  const isRight = ahead !== null && Math.abs(ahead) <= skewMs;
  const detail = isRight
    ? 'agrees with Duo’s'
    : ahead === null
      ? 'Duo did not tell its time'
      : clockWords(ahead).slice(2);
  const remedy = isRight ? '' : 'let this machine keep its time by NTP: Duo refuses what is signed minutes off';
  return { name: `sources.${name} clock`, ok: isRight, detail, remedy };
}

async function attempt(name: string, what: string, run: () => Promise<Finding>): Promise<Check> {
  const found = await run().catch((error: unknown) => {
    return { ok: false, detail: messageOf(error), remedy: remedyFor(error, name) };
  });
  return { name: `sources.${name} ${what}`, ...found };
}

function fine(detail: string): Finding {
  return { ok: true, detail, remedy: '' };
}

function refused(right: string): Finding {
  const remedy = `in the Duo Admin Panel, give the Admin API application the permission “${right}”; if it has it, check “Networks for API access” there`;
  return { ok: false, detail: 'Duo refuses (403)', remedy };
}

function remedyFor(error: unknown, name: string): string {
  const status = error instanceof SendoffError ? error.facts.status : undefined;
  if (status === 401) {
    return `check that apiHost, integrationKey and secretKey of sources.${name} are those of one Admin API application, and this machine’s clock`;
  }
  if (status === 429) return 'wait a minute, and let nothing else use the same Admin API application';
  return `see that this machine reaches https://<apiHost> of sources.${name}`;
}

import { WaitError } from '#shared/errors.js';
import { stopFor } from '#shared/store/stops.js';

/** @throws WaitError while somebody has stopped effects in this account, or everywhere */
export async function assertNotStopped(db: Parameters<typeof stopFor>[0], account: string): Promise<void> {
  const stop = await stopFor(db, account);
  if (stop === null) return;
  const where = stop.scope === account ? `in ${account}` : 'everywhere';
  throw new WaitError(`${stop.by} stopped effects ${where}${stop.reason === null ? '' : `: ${stop.reason}`}`, 5_000, {
    code: 'STOPPED',
    blame: 'input',
    remedy: 'sendoff resume',
  });
}

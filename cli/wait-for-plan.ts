import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { SendoffError } from '#shared/errors.js';
import { positive } from './listing.js';
import { type ExitCode, exitCodes } from './output.js';
import type { Orders } from './reach/orders.js';
import type { Plan } from './reach/plans.js';

export interface WaitOptions {
  wait?: boolean;
  timeout: number;
}

const pauseMs = 200;
const finished = new Set(['settled', 'held', 'planned', 'rejected', 'expired']);

export function addWaitOptions(command: Command): Command {
  return command
    .option('--wait', 'wait until it is settled, held or failed')
    .option('--timeout <seconds>', 'how long to wait at the most', positive, 300);
}

/** @throws SendoffError when nobody works, or time runs out */
export async function waitForPlan(orders: Orders, eventId: string, timeoutSeconds: number): Promise<Plan> {
  const end = Date.now() + timeoutSeconds * 1_000;
  for (;;) {
    const event = await orders.event(eventId);
    const personId = event.state === 'done' ? (event.person?.id ?? null) : null;
    // Of the person, not of the event: a later event may have decided.
    const plan = personId === null ? null : await orders.newestPlan(personId);
    // One from before the order says nothing about it: whoever decides instead may still be at it.
    const isNewer = plan !== null && plan.createdAt >= event.receivedAt;
    if (isNewer && (finished.has(plan.state) || hasFailed(plan))) return plan;
    if (event.state === 'dead') {
      throw new SendoffError(`the order could not be planned: ${event.lastError ?? event.reason}`, {
        code: 'EVENT_DEAD',
        blame: 'remote',
      });
    }
    if (!(await orders.isWorkerAlive())) {
      throw new SendoffError('the order is stored, but no worker is running to carry it out', {
        code: 'NO_WORKER',
        blame: 'remote',
        remedy: 'start `sendoff up` or `sendoff worker`; the order is carried out then',
      });
    }
    if (Date.now() > end) {
      const state =
        plan === null
          ? `the event is ${event.state}: ${event.lastError ?? event.reason ?? ''}`
          : `the plan is ${plan.state}`;
      throw new SendoffError(`not settled within ${timeoutSeconds} s; ${state}`, {
        code: 'WAIT_TIMEOUT',
        blame: 'remote',
        remedy: 'it goes on by itself; `sendoff plans list` and `sendoff events list` tell how it stands',
      });
    }
    await sleep(pauseMs);
  }
}

export function outcomeOf(plan: Plan): ExitCode {
  if (hasFailed(plan)) return exitCodes.failed;
  return plan.state === 'settled' ? exitCodes.done : exitCodes.held;
}

function hasFailed({ actions }: Plan): boolean {
  return actions.some(({ state }) => state === 'failed');
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { SendoffError } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import { assertAddress, cancelOffboarding, orderOffboarding } from '#shared/operations/orders.js';
import type { Db } from '#shared/store/database.js';
import { showEvent } from '#shared/store/inbox.js';
import { listPlans, type PlanItem } from '#shared/store/plans.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import { positive } from './listing.js';
import { addOperatorOption, type OperatorOptions, operatorOf } from './operator.js';
import { type ExitCode, exitCodes, print } from './output.js';
import { planText } from './plan-text.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

interface OffboardOptions extends OperatorOptions {
  at?: Date;
  reason?: string;
  wait?: boolean;
  timeout: number;
  cancel?: boolean;
}

export function addOffboard(program: Command): void {
  addOperatorOption(program.command('offboard'))
    .argument('<email>')
    .description('treat this person as terminated by your order, whatever the directory says, until you cancel it')
    .option('--reason <text>', 'why; kept with the order and in the audit trail')
    .option('--wait', 'wait until it is settled, held or failed')
    .option('--timeout <seconds>', 'how long to wait at the most', positive, 300)
    .option(
      '--at <time>',
      'not before then, such as 2026-12-31T17:00:00Z; the order can be cancelled until it comes',
      moment,
    )
    .option('--cancel', 'take the order back: the directory decides again')
    .action(async (email: string, options: OffboardOptions, command: Command) => {
      const common = commonOptions(command);
      assertAddress(email);
      if (options.at !== undefined && (options.wait === true || options.cancel === true)) {
        throw new SendoffError('--at goes neither with --wait nor with --cancel', {
          code: 'OPTIONS_CONFLICT',
          blame: 'input',
          remedy: 'order it with --at alone; sendoff plans list tells what came of it',
        });
      }
      configOf(common);
      await withDatabase(environmentNow(), async ({ db }) => {
        const { reason = null, at = null } = options;
        const order = { email, by: operatorOf(options), reason };
        const eventId =
          options.cancel === true ? await cancelOffboarding(db, order) : await orderOffboarding(db, { ...order, at });
        if (options.wait !== true) {
          const document = {
            eventId,
            person: { email: canonicalAddress(email) },
            state: 'received',
            cancelled: options.cancel === true,
            at: options.at?.toISOString() ?? null,
          };
          print(common.json, document, () =>
            options.cancel === true
              ? `The order for ${email} is taken back; the directory decides again.`
              : `${email} is to be offboarded${options.at === undefined ? '' : ` at ${options.at.toISOString()}`}. \`sendoff plans list\` shows what comes of it.`,
          );
          return;
        }
        const plan = await waitForPlan(db, eventId, options.timeout);
        print(common.json, plan, () => planText(plan));
        process.exitCode = outcomeOf(plan);
      });
    });
}

/** With its zone: an hour more or less is somebody's access. */
function moment(text: string): Date {
  const at = new Date(text);
  if (!/T.*(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('a moment with its zone, such as 2026-12-31T17:00:00Z or 2026-12-31T17:00:00+01:00');
  return at;
}

const finished = new Set<PlanItem['state']>(['settled', 'held', 'planned', 'rejected', 'expired']);

/** @throws SendoffError when nobody works, or time runs out */
export async function waitForPlan(db: Db, eventId: string, timeoutSeconds: number): Promise<PlanItem> {
  const end = Date.now() + timeoutSeconds * 1_000;
  for (;;) {
    const event = await showEvent(db, eventId);
    const personId = event?.state === 'done' ? (event.person?.id ?? null) : null;
    // Of the person, not of the event: a later event may have decided.
    const [plan] = personId === null ? [] : (await listPlans(db, { limit: 1, personId })).items;
    // One from before the order says nothing about it: whoever decides instead may still be at it.
    const isNewer = plan !== undefined && event !== null && plan.createdAt >= event.receivedAt;
    if (isNewer && (finished.has(plan.state) || plan.actions.some((action) => action.state === 'failed'))) return plan;
    if (event?.state === 'dead') {
      throw new SendoffError(`the order could not be planned: ${event.lastError ?? event.reason}`, {
        code: 'EVENT_DEAD',
        blame: 'remote',
      });
    }
    if (!(await isWorkerAlive(db))) {
      throw new SendoffError('the order is stored, but no worker is running to carry it out', {
        code: 'NO_WORKER',
        blame: 'remote',
        remedy: 'start `sendoff up` or `sendoff worker`; the order is carried out then',
      });
    }
    if (Date.now() > end) {
      const state =
        plan === undefined
          ? `the event is ${event?.state}: ${event?.lastError ?? event?.reason ?? ''}`
          : `the plan is ${plan.state}`;
      throw new SendoffError(`not settled within ${timeoutSeconds} s; ${state}`, {
        code: 'WAIT_TIMEOUT',
        blame: 'remote',
        remedy: 'it goes on by itself; `sendoff plans list` and `sendoff events list` tell how it stands',
      });
    }
    await sleep(150);
  }
}

export function outcomeOf(plan: PlanItem): ExitCode {
  if (plan.actions.some((action) => action.state === 'failed')) return exitCodes.failed;
  return plan.state === 'settled' ? exitCodes.done : exitCodes.held;
}

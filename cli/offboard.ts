import { type Command, InvalidArgumentError } from 'commander';
import { SendoffError } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import { assertAddress } from '#shared/operations/orders.js';
import { addOperatorOption, type OperatorOptions } from './operator.js';
import { print } from './output.js';
import { planText } from './plan-text.js';
import { commonOptions, withSendoff } from './session.js';
import { addWaitOptions, outcomeOf, type WaitOptions, waitForPlan } from './wait-for-plan.js';

const reach = () => import('./reach/orders.js');

interface OffboardOptions extends OperatorOptions, WaitOptions {
  at?: Date;
  reason?: string;
  cancel?: boolean;
}

export function addOffboard(program: Command): void {
  addWaitOptions(addOperatorOption(program.command('offboard')))
    .argument('<email>')
    .description('treat this person as terminated by your order, whatever the directory says, until you cancel it')
    .option('--reason <text>', 'why; kept with the order and in the audit trail')
    .option(
      '--at <time>',
      'not before then, such as 2026-12-31T17:00:00Z; the order can be cancelled until it comes',
      moment,
    )
    .option('--cancel', 'take the order back: the directory decides again')
    .addHelpText(
      'after',
      `
Examples:
  sendoff offboard jane@acme.com --reason "left on Friday" --wait
  sendoff offboard jane@acme.com --at 2026-12-31T17:00:00+01:00
  sendoff offboard jane@acme.com --cancel`,
    )
    .action(async (email: string, options: OffboardOptions, command: Command) => {
      const { json } = commonOptions(command);
      assertAddress(email);
      assertFit(options);
      const { reason = null, at = null, cancel = false } = options;
      await withSendoff(command, reach, async (orders) => {
        const eventId = await (cancel ? orders.cancel({ email, reason }) : orders.offboard({ email, reason, at }));
        if (options.wait === true) {
          const plan = await waitForPlan(orders, eventId, options.timeout);
          print(json, plan, () => planText(plan));
          process.exitCode = outcomeOf(plan);
          return;
        }
        const document = {
          eventId,
          person: { email: canonicalAddress(email) },
          state: 'received',
          cancelled: cancel,
          at: at?.toISOString() ?? null,
        };
        print(json, document, () =>
          cancel
            ? `The order for ${email} is taken back; the directory decides again.`
            : `${email} is to be offboarded${at === null ? '' : ` at ${at.toISOString()}`}. \`sendoff plans list\` shows what comes of it.`,
        );
      });
    });
}

function assertFit({ at, wait, cancel }: OffboardOptions): void {
  if (at === undefined || (wait !== true && cancel !== true)) return;
  throw new SendoffError('--at goes neither with --wait nor with --cancel', {
    code: 'OPTIONS_CONFLICT',
    blame: 'input',
    remedy: 'order it with --at alone; sendoff plans list tells what came of it',
  });
}

/** With its zone: an hour more or less is somebody's access. */
function moment(text: string): Date {
  const at = new Date(text);
  if (!/T.*(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('a moment with its zone, such as 2026-12-31T17:00:00Z or 2026-12-31T17:00:00+01:00');
  return at;
}

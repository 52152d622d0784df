import type { Command } from 'commander';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import { assertAddress } from '#shared/operations/orders.js';
import { keptDays } from '#shared/store/restore-records.js';
import { addOperatorOption, type OperatorOptions } from './operator.js';
import { print } from './output.js';
import { planText } from './plan-text.js';
import { commonOptions, withSendoff } from './session.js';
import { addWaitOptions, outcomeOf, type WaitOptions, waitForPlan } from './wait-for-plan.js';

const reach = () => import('./reach/orders.js');

export function addRestore(program: Command): void {
  addWaitOptions(addOperatorOption(program.command('restore')))
    .argument('<email>')
    .description(
      `give back the access that was removed within ${keptDays} days, if the directory says they may have it; who is invited has to accept again`,
    )
    .addHelpText('after', '\nExample:\n  sendoff restore jane@acme.com --wait')
    .action(async (email: string, options: OperatorOptions & WaitOptions, command: Command) => {
      const { json } = commonOptions(command);
      assertAddress(email);
      await withSendoff(command, reach, async (orders) => {
        const { eventId, records } = await orders.restore(email);
        if (options.wait === true) {
          const plan = await waitForPlan(orders, eventId, options.timeout);
          print(json, plan, () => planText(plan));
          process.exitCode = outcomeOf(plan);
          return;
        }
        const document = { eventId, person: { email: canonicalAddress(email) }, state: 'received', records };
        print(json, document, () => {
          const places = records.map((one) => one.account + (one.subuser === null ? '' : ` (${one.subuser})`));
          return `The access of ${email} in ${places.join(', ')} is to be given back. \`sendoff plans list\` shows what comes of it.`;
        });
      });
    });
}

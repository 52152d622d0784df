import type { Command } from 'commander';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import { assertAddress, orderRestore } from '#shared/operations/orders.js';
import { keptDays } from '#shared/store/restore-records.js';
import { positive } from './listing.js';
import { outcomeOf, waitForPlan } from './offboard.js';
import { addOperatorOption, type OperatorOptions, operatorOf } from './operator.js';
import { print } from './output.js';
import { planText } from './plan-text.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

interface RestoreOptions extends OperatorOptions {
  wait?: boolean;
  timeout: number;
}

export function addRestore(program: Command): void {
  addOperatorOption(program.command('restore'))
    .argument('<email>')
    .description(
      `give back the access that was removed within ${keptDays} days, if the directory says they may have it; who is invited has to accept again`,
    )
    .option('--wait', 'wait until it is settled, held or failed')
    .option('--timeout <seconds>', 'how long to wait at the most', positive, 300)
    .action(async (email: string, options: RestoreOptions, command: Command) => {
      const common = commonOptions(command);
      assertAddress(email);
      configOf(common);
      await withDatabase(environmentNow(), async ({ db }) => {
        const { eventId, records } = await orderRestore(db, { email, by: operatorOf(options) });
        if (options.wait === true) {
          const plan = await waitForPlan(db, eventId, options.timeout);
          print(common.json, plan, () => planText(plan));
          process.exitCode = outcomeOf(plan);
          return;
        }
        const document = { eventId, person: { email: canonicalAddress(email) }, state: 'received', records };
        print(common.json, document, () => {
          const places = records.map((one) => one.account + (one.subuser === null ? '' : ` (${one.subuser})`));
          return `The access of ${email} in ${places.join(', ')} is to be given back. \`sendoff plans list\` shows what comes of it.`;
        });
      });
    });
}

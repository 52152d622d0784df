import type { Command } from 'commander';
import { assertAddress } from '#shared/operations/orders.js';
import { exitCodes, print } from './output.js';
import { planText } from './plan-text.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/plans.js');

export function addPlan(program: Command): void {
  program
    .command('plan')
    .argument('<email>')
    .description('what would change for this person now, and why; changes nothing')
    .addHelpText('after', '\nExample:\n  sendoff plan jane@acme.com')
    .action(async (email: string, _options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      assertAddress(email);
      const plan = await withSendoff(command, reach, ({ preview }) => preview(email));
      print(json, plan, () => `${planText(plan)}\n\nNothing was changed.`);
      if (plan.state === 'held' || plan.refused.length > 0) process.exitCode = exitCodes.held;
    });
}

import { type Command, InvalidArgumentError } from 'commander';
import { type PlanState, planStates } from '#shared/lifecycle/types.js';
import { assertId } from './ids.js';
import { addListOptions, type ListOptions, printList, shortTime } from './listing.js';
import { addOperatorOption, type OperatorOptions } from './operator.js';
import { print } from './output.js';
import { planText } from './plan-text.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/plans.js');

/** Of no set: what is not held is told so, and not that it changed. */
const noSet = '0'.repeat(64);

export function addPlans(program: Command): void {
  const plans = program.command('plans').description('what was decided for whom, and why');

  addListOptions(plans.command('list').description('newest first'), planStates)
    .addHelpText('after', '\nExample:\n  sendoff plans list --state held')
    .action(async (options: ListOptions, command: Command) => {
      const { json } = commonOptions(command);
      const state = options.state === undefined ? {} : { state: options.state as PlanState };
      await withSendoff(command, reach, ({ list }) =>
        printList(
          json,
          options,
          (query) => list({ ...query, ...state }),
          [
            { title: 'CREATED', value: (p) => shortTime(p.createdAt) },
            { title: 'STATE', value: (p) => p.state, isState: true },
            { title: 'PERSON', value: (p) => p.person.email ?? p.person.id },
            { title: 'ACTIONS', value: (p) => String(p.actions.length) },
            { title: 'ID', value: (p) => p.id },
            { title: 'WHY', value: (p) => p.hold?.reasons[0] ?? p.reasons[0] ?? '' },
          ],
          'No plans yet.',
        ),
      );
    });

  plans
    .command('show')
    .argument('<id>')
    .description('one plan with its actions')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      assertId('plan', id);
      const plan = await withSendoff(command, reach, ({ show }) => show(id));
      print(json, plan, () => planText(plan));
    });

  addAnswer(plans, 'approve', 'approved', 'let exactly the held changes of a plan go');
  addAnswer(plans, 'reject', 'rejected', 'leave the held changes of a plan undone until the facts change');
}

interface AnswerOptions extends OperatorOptions {
  set?: string;
  reason?: string;
}

function addAnswer(plans: Command, name: string, answer: 'approved' | 'rejected', description: string): void {
  addOperatorOption(plans.command(name))
    .argument('<id>')
    .description(description)
    .option('--set <hash>', 'the set hash that you were shown; default: what is held now', setHash)
    .option('--reason <text>', 'why; kept in the audit trail')
    .action(async (id: string, options: AnswerOptions, command: Command) => {
      const { json } = commonOptions(command);
      assertId('plan', id);
      const plan = await withSendoff(command, reach, async (plans) => {
        const { hold } = await plans.show(id);
        const shown = options.set ?? hold?.setHash ?? noSet;
        return plans.answer({ id, answer, setHash: shown, reason: options.reason ?? null });
      });
      print(json, plan, () => planText(plan));
    });
}

function setHash(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('64 characters 0-9 and a-f, as hold.setHash of `plans show --json` has it');
}

import type { Command } from 'commander';
import { policyOf } from '#shared/config/policy.js';
import { type PlanState, planStates } from '#shared/lifecycle/types.js';
import { answerPlan } from '#shared/planning/answer-plan.js';
import { listPlans, showPlan } from '#shared/store/plans.js';
import { isUuid, unknownId } from './events.js';
import { addListOptions, type ListOptions, printList, shortTime } from './listing.js';
import { addOperatorOption, type OperatorOptions, operatorOf } from './operator.js';
import { print } from './output.js';
import { planText } from './plan-text.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

export function addPlans(program: Command): void {
  const plans = program.command('plans').description('what was decided for whom, and why');

  addListOptions(plans.command('list').description('newest first'), planStates).action(
    async (options: ListOptions, command: Command) => {
      const { json } = commonOptions(command);
      const state = options.state === undefined ? {} : { state: options.state as PlanState };
      await withDatabase(environmentNow(), ({ db }) =>
        printList(
          json,
          options,
          (query) => listPlans(db, { ...query, ...state }),
          [
            { title: 'CREATED', value: (p) => shortTime(p.createdAt) },
            { title: 'STATE', value: (p) => p.state },
            { title: 'PERSON', value: (p) => p.person.email ?? p.person.id },
            { title: 'ACTIONS', value: (p) => String(p.actions.length) },
            { title: 'ID', value: (p) => p.id },
            { title: 'WHY', value: (p) => p.hold?.reasons[0] ?? p.reasons[0] ?? '' },
          ],
          'No plans yet.',
        ),
      );
    },
  );

  plans
    .command('show')
    .argument('<id>')
    .description('one plan with its actions')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      const plan = await withDatabase(environmentNow(), async ({ db }) => (isUuid(id) ? showPlan(db, id) : null));
      if (plan === null) throw unknownId('plan', id);
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
    .option('--set <hash>', 'the set hash that you were shown; default: what is held now')
    .option('--reason <text>', 'why; kept in the audit trail')
    .action(async (id: string, options: AnswerOptions, command: Command) => {
      const common = commonOptions(command);
      const by = operatorOf(options);
      const policy = policyOf(configOf(common).config);
      const plan = await withDatabase(environmentNow(), async ({ db }) => {
        const shown = isUuid(id) ? await showPlan(db, id) : null;
        if (shown === null) throw unknownId('plan', id);
        const setHash = options.set ?? shown.hold?.setHash ?? '';
        await answerPlan(db, policy, { planId: id, setHash, answer, by, reason: options.reason ?? null });
        return (await showPlan(db, id)) ?? shown;
      });
      print(common.json, plan, () => planText(plan));
    });
}

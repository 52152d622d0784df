import type { Command } from 'commander';
import { policyOf } from '#shared/config/policy.js';
import { gate } from '#shared/lifecycle/gate.js';
import { plan } from '#shared/lifecycle/plan.js';
import { assertAddress } from '#shared/operations/orders.js';
import { readGateFacts } from '#shared/planning/gate-facts.js';
import { identify } from '#shared/planning/identify.js';
import { readSituation } from '#shared/planning/situation.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { ensureAccounts, openBreaker } from '#shared/store/accounts.js';
import { databaseNow } from '#shared/store/database.js';
import { guardText, setHash } from '#shared/store/plans.js';
import { exitCodes, print } from './output.js';
import { planText } from './plan-text.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

export function addPlan(program: Command): void {
  program
    .command('plan')
    .argument('<email>')
    .description('what would change for this person now, and why; changes nothing')
    .action(async (email: string, _options: unknown, command: Command) => {
      const options = commonOptions(command);
      assertAddress(email);
      const { config } = configOf(options);
      const policy = policyOf(config);
      const result = await withDatabase(environmentNow(), async ({ db }) => {
        await ensureAccounts(db, Object.keys(config.accounts));
        const { surroundings } = openOutside(db, config, policy, (account, reason) => openBreaker(db, account, reason));
        const { person, ambiguousAddress } = await identify(surroundings, { directoryId: null, email }, null);
        const now = new Date(await databaseNow(db));
        const situation = await readSituation(surroundings, {
          person,
          now,
          eventType: null,
          named: false,
          ambiguousAddress,
          freshness: { teammatesSince: now, invitationsSince: now, partsSince: now, urgent: true },
          planning: false,
        });
        const draft = plan(situation, policy);
        const gated = gate(draft, policy, await readGateFacts(db, draft, situation.rosters, policy, person.id));
        return { person, situation, draft, gated };
      });
      const { draft, gated, person, situation } = result;
      const held = draft.actions.filter((_, index) => gated.passages[index] === 'hold');
      const document = {
        id: null,
        state: gated.state,
        verdict: draft.verdict,
        person: { id: person.id, email: situation.person.emails[0] ?? email },
        cause: null,
        reasons: draft.reasons,
        actions: draft.actions.map((action, index) => ({
          id: null,
          planId: null,
          state: gated.passages[index] === 'go' ? ('ready' as const) : ('waiting' as const),
          kind: action.kind,
          footprint: action.footprint,
          account: action.account,
          subuser: action.subuser,
          target: action.target,
          label: 'label' in action ? action.label : null,
          to: 'to' in action ? action.to : null,
          reason: action.reason,
          attempts: 0,
          lastError: null,
        })),
        refused: draft.refused,
        notRead: draft.unread,
        todos: draft.todos,
        hold:
          gated.state === 'held'
            ? {
                reasons: [...gated.holds, ...draft.refused].map(guardText),
                setHash: setHash(held, gated.holds),
                expiresAt: null,
              }
            : null,
        createdAt: null,
      };
      print(options.json, document, () => `${planText(document)}\n\nNothing was changed.`);
      if (gated.state === 'held' || draft.refused.length > 0) process.exitCode = exitCodes.held;
    });
}

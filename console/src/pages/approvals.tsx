import { Group, Stack, Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { withQuery } from '../api/client.ts';
import type { Page, Plan } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { Nothing, PageFrame } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { Read } from '../parts/read.tsx';
import { plural } from '../parts/words.tsx';
import { AnswerSeveral } from './approvals-several.tsx';
import { HeldPlan } from './held-plan.tsx';

const route = getRouteApi('/approvals');

export function ApprovalsPage(): React.ReactNode {
  const { before } = route.useSearch();
  const held = useRead<Page<Plan>>(withQuery('/plans', { state: 'held', limit: 20, before }));
  const mayAnswer = useMay('approver');
  const [chosen, choose] = useState<string[]>([]);
  const several = (held.data?.items ?? []).filter(({ id }) => chosen.includes(id));
  return (
    <PageFrame title="Approvals" intro="Plans that wait for a human, with exactly the changes that would be made.">
      <TwoPersonRule />
      {!mayAnswer && <Text>Answering takes the role approver; you can look.</Text>}
      {mayAnswer && (
        <Group justify="space-between">
          <Text role="status">{plural(several.length, 'plan')} chosen</Text>
          <AnswerSeveral plans={several} onDone={() => choose([])} />
        </Group>
      )}
      <Read of={held}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Nothing>
              Nothing is held. A plan stands here when a guard or an account’s mode wants a human to look.
            </Nothing>
          ) : (
            <Stack>
              {items.map((plan) => (
                <HeldPlan
                  // Another set of changes is another question: what was typed for the former one goes.
                  key={`${plan.id} ${plan.hold?.setHash}`}
                  plan={plan}
                  mayAnswer={mayAnswer}
                  chosen={chosen.includes(plan.id)}
                  onChoose={(is) => choose(is ? [...chosen, plan.id] : chosen.filter((id) => id !== plan.id))}
                />
              ))}
              <Pager next={next} before={before} />
            </Stack>
          )
        }
      </Read>
    </PageFrame>
  );
}

function TwoPersonRule() {
  const { data } = useRead<{ config: { approvals?: { approvers?: string[] } } }>('/config', { everyMs: 60_000 });
  const approvers = data?.config.approvals?.approvers ?? [];
  if (data === undefined) return null;
  if (approvers.length === 0)
    return <Text size="sm">Every approver may answer: approvals.approvers names nobody.</Text>;
  return (
    <Text size="sm">
      Approvers: {approvers.join(', ')}.
      {approvers.length > 1 && ' Two-person rule: whoever ordered an offboarding can’t approve it as well.'}
    </Text>
  );
}

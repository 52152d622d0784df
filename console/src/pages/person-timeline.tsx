import { Anchor, Group, Timeline as Line, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Action, PersonDetail, Plan, Step } from '../api/types.ts';
import { useMay } from '../api/use-api.ts';
import { ChangeText } from '../parts/change.tsx';
import { Nothing } from '../parts/page.tsx';
import { Moment, Small, State } from '../parts/words.tsx';
import { WriteButton } from '../parts/write-button.tsx';

/** What the provider said, what was decided, what was done and read back; newest first. */
export function Timeline({ of: { timeline, plans, actions } }: { of: PersonDetail }) {
  if (timeline.length === 0) return <Nothing>Nothing has happened yet.</Nothing>;
  return (
    <Line bulletSize={14} lineWidth={2}>
      {timeline.map((step) => (
        <Line.Item
          key={`${step.kind} ${step.id}`}
          title={
            <Group gap="xs">
              <Text fw={600} tt="capitalize">
                {step.kind}
              </Text>
              <State of={step.state} />
              <Small>
                <Moment at={step.at} />
              </Small>
            </Group>
          }
        >
          <StepBody
            step={step}
            plan={plans.find(({ id }) => id === step.id)}
            action={actions.find(({ id }) => id === step.id)}
          />
        </Line.Item>
      ))}
    </Line>
  );
}

function StepBody({ step, plan, action }: { step: Step; plan: Plan | undefined; action: Action | undefined }) {
  if (step.kind === 'event') return <EventStep step={step} />;
  if (action !== undefined) {
    return (
      <Stack gap={4}>
        <ChangeText of={action} />
        {action.lastError !== null && <Small>Last error: {action.lastError}</Small>}
      </Stack>
    );
  }
  if (plan === undefined) return <Text>{step.what}</Text>;
  return (
    <Stack gap={4}>
      <Text>
        {plan.verdict}: {plan.reasons.join('; ')}
      </Text>
      {plan.state === 'held' && (
        <Anchor renderRoot={(props) => <Link {...props} to="/approvals" />}>
          Held: {plan.hold?.reasons.join('; ')}. Answer it
        </Anchor>
      )}
      {plan.refused.map(({ rule, account, detail }) => (
        <Small key={`${rule} ${account} ${detail}`}>
          Refused in {account} by {rule}: {detail}
        </Small>
      ))}
      {plan.notRead.map(({ account, part, reason }) => (
        <Small key={`${account} ${part}`}>
          Not read: {account} {part}: {reason}
        </Small>
      ))}
      {plan.lastError !== null && <Small>Last error: {plan.lastError}</Small>}
    </Stack>
  );
}

function EventStep({ step }: { step: Step }) {
  const mayReplay = useMay('operator');
  return (
    <Group gap="md" align="start">
      <Anchor renderRoot={(props) => <Link {...props} to="/events/$id" params={{ id: step.id }} />}>{step.what}</Anchor>
      {mayReplay && (
        <WriteButton
          label="Replay"
          doneText="Received: the person is planned anew."
          write={() => ({ path: `/events/${step.id}/replay` })}
        />
      )}
    </Group>
  );
}

import { Anchor, Button, Checkbox, Code, Group, List, Paper, Stack, Text, Textarea, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Action, Plan } from '../api/types.ts';
import { useWrite } from '../api/use-api.ts';
import { Refusal } from '../parts/broken.tsx';
import { ChangeText } from '../parts/change.tsx';
import { Moment, PersonLink, plural, Small, State } from '../parts/words.tsx';

export function HeldPlan({
  plan,
  mayAnswer,
  chosen,
  onChoose,
}: {
  plan: Plan;
  mayAnswer: boolean;
  chosen: boolean;
  onChoose: (is: boolean) => void;
}) {
  const { person, hold, actions, cause, reasons, verdict, createdAt } = plan;
  const who = person.email ?? person.id ?? 'nobody known';
  const asked = actions.filter(({ state }) => state === 'waiting');
  const others = actions.filter(({ state }) => state !== 'waiting');
  return (
    <Paper withBorder p="md" component="article" aria-label={`Held plan for ${who}`}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            <PersonLink person={person} />
          </Title>
          {mayAnswer && (
            <Checkbox
              label="Choose"
              aria-label={`Choose the plan for ${who}`}
              checked={chosen}
              onChange={({ currentTarget }) => onChoose(currentTarget.checked)}
            />
          )}
        </Group>
        <Text>
          {verdict}: {reasons.join('; ')}
        </Text>
        <div>
          <Text fw={600}>Held because</Text>
          <List size="sm">
            {hold?.reasons.map((reason) => (
              <List.Item key={reason} className="break">
                {reason}
              </List.Item>
            ))}
          </List>
        </div>
        <Changes title={`${plural(asked.length, 'change')} would be made`} actions={asked} />
        {others.length > 0 && <Changes title="Changes of this plan that are not asked about" actions={others} />}
        <Small>
          From{' '}
          <Anchor inherit renderRoot={(props) => <Link {...props} to="/events/$id" params={{ id: cause.event }} />}>
            the event
          </Anchor>{' '}
          of {cause.source}, <Moment at={createdAt} />. The hold ends <Moment at={hold?.expiresAt ?? null} />.
        </Small>
        <Small>
          Set <Code className="break">{hold?.setHash}</Code>
        </Small>
        {mayAnswer && hold?.setHash != null && <AnswerForm planId={plan.id} setHash={hold.setHash} who={who} />}
      </Stack>
    </Paper>
  );
}

function Changes({ title, actions }: { title: string; actions: Action[] }) {
  return (
    <div>
      <Text fw={600}>{title}</Text>
      <List size="sm">
        {actions.map((action) => (
          <List.Item key={action.id}>
            <ChangeText of={action} />
            {action.state !== 'waiting' && <State of={action.state} />}
          </List.Item>
        ))}
      </List>
    </div>
  );
}

/** Answers exactly the set that is shown: the server refuses if it became another one. */
function AnswerForm({ planId, setHash, who }: { planId: string; setHash: string; who: string }) {
  const [comment, setComment] = useState('');
  const answer = useWrite();
  const send = (verb: 'approve' | 'reject') =>
    answer.mutate({ path: `/plans/${planId}/${verb}`, body: { setHash, reason: comment.trim() || undefined } });
  return (
    <Stack gap="xs">
      <Textarea
        label="Comment"
        aria-label={`Comment on the plan for ${who}`}
        description="Kept in the audit trail"
        autosize
        value={comment}
        onChange={({ currentTarget }) => setComment(currentTarget.value)}
      />
      {answer.error !== null && <Refusal problem={answer.error} />}
      <Group>
        <Button loading={answer.isPending} onClick={() => send('approve')} aria-label={`Approve the plan for ${who}`}>
          Approve
        </Button>
        <Button
          variant="default"
          disabled={answer.isPending}
          onClick={() => send('reject')}
          aria-label={`Reject the plan for ${who}`}
        >
          Reject
        </Button>
      </Group>
    </Stack>
  );
}

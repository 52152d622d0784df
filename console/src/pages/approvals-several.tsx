import { Button, Group, List, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ask, type Problem } from '../api/client.ts';
import type { Plan } from '../api/types.ts';
import { plural } from '../parts/words.tsx';

/** Several at once: whoever answers types how many, and reads what became of each. */
export function AnswerSeveral({ plans, onDone }: { plans: Plan[]; onDone: () => void }) {
  const [opened, dialog] = useDisclosure(false);
  const [typed, setTyped] = useState('');
  const [comment, setComment] = useState('');
  const [outcome, setOutcome] = useState<string[] | null>(null);
  const [sending, setSending] = useState(false);
  const queries = useQueryClient();
  const changes = plans.flatMap(({ actions }) => actions).filter(({ state }) => state === 'waiting').length;

  const send = async (verb: 'approve' | 'reject') => {
    setSending(true);
    const said: string[] = [];
    for (const { id, hold, person } of plans) {
      const body = { setHash: hold?.setHash, reason: comment.trim() || undefined };
      const done = verb === 'approve' ? 'approved' : 'rejected';
      const result = await ask(`/plans/${id}/${verb}`, { method: 'POST', body }).then(
        () => done,
        (problem: Problem) => `not ${done}: ${problem.message}`,
      );
      said.push(`${person.email ?? person.id}: ${result}`);
    }
    setOutcome(said);
    setSending(false);
    await queries.invalidateQueries();
  };
  const close = () => {
    dialog.close();
    if (outcome !== null) onDone();
    setOutcome(null);
    setTyped('');
    setComment('');
  };

  return (
    <>
      <Button disabled={plans.length < 2} variant="default" onClick={dialog.open}>
        Answer the chosen plans
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        title={`Answer ${plural(outcome?.length ?? plans.length, 'plan')} at once`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {outcome !== null ? (
          <Stack>
            <List role="status">
              {outcome.map((line) => (
                <List.Item key={line}>{line}</List.Item>
              ))}
            </List>
            <Button onClick={close}>Close</Button>
          </Stack>
        ) : (
          <Stack>
            <Text>
              {plural(plans.length, 'person', 'people')}, {plural(changes, 'change')}:{' '}
              {plans.map(({ person }) => person.email).join(', ')}
            </Text>
            <Textarea
              label="Comment"
              description="Kept in the audit trail"
              value={comment}
              onChange={({ currentTarget }) => setComment(currentTarget.value)}
            />
            <TextInput
              label="How many plans is that?"
              description="Type the number to go on"
              inputMode="numeric"
              value={typed}
              onChange={({ currentTarget }) => setTyped(currentTarget.value)}
            />
            <Group>
              <Button
                disabled={typed.trim() !== String(plans.length)}
                loading={sending}
                onClick={() => send('approve')}
              >
                Approve all
              </Button>
              <Button
                variant="default"
                disabled={sending || typed.trim() !== String(plans.length)}
                onClick={() => send('reject')}
              >
                Reject all
              </Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  );
}

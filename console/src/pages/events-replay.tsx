import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { useWrite } from '../api/use-api.ts';
import { Refusal } from '../parts/broken.tsx';
import { plural } from '../parts/words.tsx';

const most = 1_000;

/** Asks the server how many it would be, and has that number typed before it is done. */
export function ReplayMatching({ filter }: { filter: Record<string, string | undefined> }) {
  const [opened, dialog] = useDisclosure(false);
  const [typed, setTyped] = useState('');
  const count = useWrite<{ count: number }>();
  const replay = useWrite<{ count: number }>();
  const write = (dryRun: boolean) => ({ path: '/events/replays', body: { filter, limit: most, dryRun } });
  const open = () => {
    setTyped('');
    replay.reset();
    count.mutate(write(true));
    dialog.open();
  };
  const matching = count.data?.count;
  return (
    <>
      <Group>
        <Button size="xs" variant="default" onClick={open}>
          Replay all that match
        </Button>
      </Group>
      <Modal
        opened={opened}
        onClose={dialog.close}
        title="Replay all that match"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack>
          {count.error !== null && <Refusal problem={count.error} />}
          {replay.error !== null && <Refusal problem={replay.error} />}
          {replay.isSuccess ? (
            <Text role="status">
              {plural(replay.data.count, 'event')} received again; 20 a second are planned, and new events go first.
            </Text>
          ) : (
            matching !== undefined && (
              <>
                <Text>
                  {plural(matching, 'event')} that name a person{matching === most ? ' (the most at once)' : ''}. Their
                  people are planned anew, from the directory as it is now.
                </Text>
                <TextInput
                  label="How many events is that?"
                  description="Type the number to go on"
                  inputMode="numeric"
                  value={typed}
                  onChange={({ currentTarget }) => setTyped(currentTarget.value)}
                />
                <Button
                  disabled={matching === 0 || typed.trim() !== String(matching)}
                  loading={replay.isPending}
                  onClick={() => replay.mutate(write(false))}
                >
                  Replay
                </Button>
              </>
            )
          )}
        </Stack>
      </Modal>
    </>
  );
}

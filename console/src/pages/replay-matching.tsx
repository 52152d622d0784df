import { Button, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { useWrite } from '../api/use-api.ts';
import { Refusal } from '../parts/broken.tsx';
import { plural } from '../parts/words.tsx';

/** So many are begun without their number being typed. */
const fewAtMost = 20;

/** Asks the server how many it would be, and has a large number typed before it is done. */
export function ReplayMatching({ label, filter }: { label: string; filter: Record<string, string | undefined> }) {
  const [opened, dialog] = useDisclosure(false);
  const [typed, setTyped] = useState('');
  const count = useWrite<{ count: number }>();
  const replay = useWrite();
  const write = (dryRun: boolean) => ({ path: '/events/replays', body: { filter, dryRun } });
  const open = () => {
    setTyped('');
    replay.reset();
    count.mutate(write(true));
    dialog.open();
  };
  const matching = count.data?.count ?? 0;
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        {label}
      </Button>
      <Modal opened={opened} onClose={dialog.close} title={label} closeButtonProps={{ 'aria-label': 'Close' }}>
        <form
          onSubmit={(submitted) => {
            submitted.preventDefault();
            replay.mutate(write(false), { onSuccess: dialog.close });
          }}
        >
          <Stack>
            {count.error !== null && <Refusal problem={count.error} />}
            {replay.error !== null && <Refusal problem={replay.error} />}
            {count.isPending && <Text role="status">Counting …</Text>}
            {count.isSuccess && (
              <>
                <Text>
                  {plural(matching, 'event')} that {matching === 1 ? 'names' : 'name'} a person. Their people are
                  planned anew, from the directory as it is now; whatever is new goes before them.
                </Text>
                {matching > fewAtMost && (
                  <TextInput
                    label="How many events is that?"
                    description="Type the number to go on"
                    inputMode="numeric"
                    value={typed}
                    onChange={({ currentTarget }) => setTyped(currentTarget.value)}
                  />
                )}
                <Button
                  type="submit"
                  disabled={matching === 0 || (matching > fewAtMost && typed.trim() !== String(matching))}
                  loading={replay.isPending}
                >
                  Replay
                </Button>
              </>
            )}
          </Stack>
        </form>
      </Modal>
    </>
  );
}

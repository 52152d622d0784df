import { Button, Stack, Text } from '@mantine/core';
import { useWrite, type Write } from '../api/use-api.ts';
import { Refusal } from './broken.tsx';

/** For what does no harm: done at once, and what the server said stands below. */
export function WriteButton({ label, doneText, write }: { label: string; doneText: string; write: () => Write }) {
  const action = useWrite();
  return (
    <Stack gap={4} align="start">
      <Button size="compact-sm" variant="default" loading={action.isPending} onClick={() => action.mutate(write())}>
        {label}
      </Button>
      <Text size="xs" role="status">
        {action.isSuccess ? doneText : ''}
      </Text>
      {action.error !== null && <Refusal problem={action.error} />}
    </Stack>
  );
}

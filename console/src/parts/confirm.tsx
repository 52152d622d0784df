import { Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { useWrite, type Write } from '../api/use-api.ts';
import { Refusal } from './broken.tsx';

/** A button that says what it is about to do, asks for a reason, and shows what the server said to it. */
export function ConfirmButton({
  label,
  title,
  explanation,
  typed,
  withReason = false,
  color,
  write,
}: {
  label: string;
  title: string;
  explanation: ReactNode;
  /** Has to be typed before. */
  typed?: string;
  withReason?: boolean;
  color?: string;
  write: (reason: string | undefined) => Write;
}) {
  const [opened, dialog] = useDisclosure(false);
  const [reason, setReason] = useState('');
  const [typing, setTyping] = useState('');
  const action = useWrite();
  const close = () => {
    dialog.close();
    action.reset();
    setReason('');
    setTyping('');
  };
  return (
    <>
      <Button size="xs" variant={color === undefined ? 'default' : 'filled'} color={color} onClick={dialog.open}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
        <form
          onSubmit={(submitted) => {
            submitted.preventDefault();
            action.mutate(write(reason.trim() || undefined), { onSuccess: close });
          }}
        >
          <Stack>
            <Text size="sm">{explanation}</Text>
            {withReason && (
              <Textarea
                label="Reason"
                description="Kept in the audit trail"
                value={reason}
                onChange={({ currentTarget }) => setReason(currentTarget.value)}
              />
            )}
            {typed !== undefined && (
              <TextInput
                label={`Type ${typed} to confirm`}
                value={typing}
                onChange={({ currentTarget }) => setTyping(currentTarget.value)}
              />
            )}
            {action.error !== null && <Refusal problem={action.error} />}
            <Group justify="end">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button
                type="submit"
                color={color}
                loading={action.isPending}
                disabled={typed !== undefined && typing.trim() !== typed}
              >
                {label}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

import { Loader, Stack } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Problem } from '../api/client.ts';
import { Refusal } from './broken.tsx';

/** What was read; before that, that it is on its way; and why not, if not. What is old stays, and is said to be old. */
export function Read<T>({ of, children }: { of: UseQueryResult<T, Problem>; children: (data: T) => ReactNode }) {
  const { data, error, refetch } = of;
  if (data === undefined) {
    return error === null ? (
      <Loader role="status" aria-label="Loading" />
    ) : (
      <Refusal problem={error} again={() => refetch()} />
    );
  }
  return (
    <Stack gap="md" opacity={of.isPlaceholderData ? 0.6 : 1}>
      {error !== null && <Refusal problem={error} again={() => refetch()} />}
      {children(data)}
    </Stack>
  );
}

import { Button, Stack, Text } from '@mantine/core';
import type { Page } from '../api/types.ts';
import { useMay, useRead, useWrite } from '../api/use-api.ts';
import { Refusal } from '../parts/broken.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { duration, Moment, Small } from '../parts/words.tsx';

interface Channel {
  name: string;
  type: 'slack' | 'webhook' | 'email';
  on: string[];
  digestSeconds: number;
  sentAt: string | null;
  failures: number;
  lastError: string | null;
}

export function Notifications() {
  const channels = useRead<Page<Channel>>('/alerts/channels');
  return (
    <Read of={channels}>
      {({ items }) =>
        items.length === 0 ? (
          <Nothing>
            Nobody is told. Write `notifications` into sendoff.yaml: Slack, signed webhooks, and e-mail through
            SendGrid.
          </Nothing>
        ) : (
          <Stack>
            <Small>Each thing is told once, together with what else came in the meantime.</Small>
            <DataTable label="Notifications" columns={columns} rows={items} idOf={({ name }) => name} />
          </Stack>
        )
      }
    </Read>
  );
}

const columns: Column<Channel>[] = [
  { header: 'Channel', cell: ({ name, type }) => `${name} (${type})` },
  { header: 'Is told of', cell: ({ on }) => on.join(', ') },
  { header: 'One message in', cell: ({ digestSeconds }) => duration(digestSeconds) },
  { header: 'Last told', cell: ({ sentAt }) => <Moment at={sentAt} /> },
  {
    header: 'Health',
    cell: ({ failures, lastError }) =>
      failures === 0 ? 'works' : `failed ${failures} times in a row: ${lastError ?? 'it does not answer'}`,
  },
  { header: 'Test', cell: ({ name }) => <TestButton channel={name} /> },
];

interface Outcome {
  channels: { channel: string; ok: boolean; error: string | null }[];
}

function TestButton({ channel }: { channel: string }) {
  const mayTest = useMay('operator');
  const test = useWrite<Outcome>();
  const failed = test.data?.channels.find(({ ok }) => !ok);
  if (!mayTest) return null;
  return (
    <Stack gap={4} align="start">
      <Button
        size="compact-sm"
        variant="default"
        loading={test.isPending}
        aria-label={`Send a test to ${channel}`}
        onClick={() => test.mutate({ path: '/alerts/test', body: { channel } })}
      >
        Send a test
      </Button>
      <Text size="xs" role="status">
        {test.isSuccess && (failed === undefined ? 'Told.' : failed.error)}
      </Text>
      {test.error !== null && <Refusal problem={test.error} />}
    </Stack>
  );
}

import { Badge, Button, Code, Group, Stack, Tabs, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ask, type Problem } from '../api/client.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { Refusal } from '../parts/broken.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing, PageFrame } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment, Small } from '../parts/words.tsx';
import { Notifications } from './settings-notifications.tsx';
import { Tokens } from './settings-tokens.tsx';
import { Users } from './settings-users.tsx';

export function SettingsPage(): React.ReactNode {
  const isAdmin = useMay('admin');
  return (
    <PageFrame title="Settings" intro="What is in force. It is changed in sendoff.yaml, not here.">
      <Tabs defaultValue="configuration" keepMounted={false}>
        <Tabs.List aria-label="Parts of the settings">
          <Tabs.Tab value="configuration">Configuration</Tabs.Tab>
          <Tabs.Tab value="grants">Grants</Tabs.Tab>
          <Tabs.Tab value="doctor">Doctor</Tabs.Tab>
          <Tabs.Tab value="notifications">Notifications</Tabs.Tab>
          {isAdmin && <Tabs.Tab value="tokens">API tokens</Tabs.Tab>}
          {isAdmin && <Tabs.Tab value="users">Users</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="configuration" pt="md">
          <Configuration />
        </Tabs.Panel>
        <Tabs.Panel value="grants" pt="md">
          <Grants />
        </Tabs.Panel>
        <Tabs.Panel value="doctor" pt="md">
          <Doctor />
        </Tabs.Panel>
        <Tabs.Panel value="notifications" pt="md">
          <Notifications />
        </Tabs.Panel>
        {isAdmin && (
          <Tabs.Panel value="tokens" pt="md">
            <Tokens />
          </Tabs.Panel>
        )}
        {isAdmin && (
          <Tabs.Panel value="users" pt="md">
            <Users />
          </Tabs.Panel>
        )}
      </Tabs>
    </PageFrame>
  );
}

function Configuration() {
  const config = useRead<{ config: Record<string, unknown> }>('/config', { everyMs: 60_000 });
  return (
    <Read of={config}>
      {(data) => (
        <>
          <Small>With every default, and secrets masked.</Small>
          <Code block tabIndex={0} role="region" aria-label="Configuration">
            {JSON.stringify(data.config, null, 2)}
          </Code>
        </>
      )}
    </Read>
  );
}

interface Matrix {
  accounts: string[];
  rows: { group: string; roles: Record<string, string | null> }[];
}

function Grants() {
  const grants = useRead<Matrix>('/grants', { everyMs: 60_000 });
  return <Read of={grants}>{(data) => <GrantTable of={data} />}</Read>;
}

function GrantTable({ of: { accounts, rows } }: { of: Matrix }) {
  const columns = useMemo<Column<Matrix['rows'][number]>[]>(
    () => [
      { header: 'Group', cell: ({ group }) => <b>{group}</b> },
      ...accounts.map((account) => ({
        header: account,
        cell: ({ roles }: Matrix['rows'][number]) => roles[account] ?? 'none',
      })),
    ],
    [accounts],
  );
  if (rows.length === 0) {
    return (
      <Nothing>
        No grants: Sendoff takes access from leavers and gives none. Write `grants` into sendoff.yaml to change that.
      </Nothing>
    );
  }
  return <DataTable label="Grants" columns={columns} rows={rows} idOf={({ group }) => group} />;
}

interface Check {
  name: string;
  ok: boolean;
  detail: string;
  remedy: string;
}

function Doctor() {
  const mayExamine = useMay('operator');
  const doctor = useMutation<{ checks: Check[]; at: string }, Problem>({
    mutationFn: () => ask('/doctor', { method: 'POST' }),
  });
  return (
    <Stack align="start">
      <Text>
        Can every key, directory and scope do what the configuration needs? It asks all of them, and changes nothing.
      </Text>
      {mayExamine ? (
        <Button loading={doctor.isPending} onClick={() => doctor.mutate()}>
          Examine
        </Button>
      ) : (
        <Nothing>This takes the role operator.</Nothing>
      )}
      {doctor.error !== null && <Refusal problem={doctor.error} />}
      {doctor.data !== undefined && (
        <Stack role="status" w="100%">
          <Small>
            Examined <Moment at={doctor.data.at} />
          </Small>
          {[...doctor.data.checks]
            .sort((a, b) => Number(a.ok) - Number(b.ok))
            .map(({ name, ok, detail, remedy }) => (
              <div key={name}>
                <Group gap="xs">
                  <Badge color={ok ? 'green' : 'red'} variant="dot" tt="none">
                    {ok ? 'works' : 'does not work'}
                  </Badge>
                  <Text fw={600}>{name}</Text>
                </Group>
                <Text size="sm" className="break">
                  {detail}
                </Text>
                {!ok && <Text size="sm">What to do: {remedy}</Text>}
              </div>
            ))}
        </Stack>
      )}
    </Stack>
  );
}

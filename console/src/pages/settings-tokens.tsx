import { Alert, Button, Code, Group, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Page, Role } from '../api/types.ts';
import { useRead, useWrite } from '../api/use-api.ts';
import { Refusal } from '../parts/broken.tsx';
import { ConfirmButton } from '../parts/confirm.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment } from '../parts/words.tsx';

interface Token {
  id: string;
  state: 'active' | 'expired' | 'revoked';
  name: string;
  role: Role;
  createdBy: string;
  expiresAt: string;
  lastUsedAt: string | null;
}

export function Tokens() {
  const tokens = useRead<Page<Token>>('/tokens?limit=500');
  return (
    <Stack>
      <NewToken />
      <Read of={tokens}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing>No API tokens. Programs that use the API each get one of their own.</Nothing>
          ) : (
            <DataTable label="API tokens" columns={columns} rows={items} idOf={({ id }) => id} />
          )
        }
      </Read>
    </Stack>
  );
}

function NewToken() {
  const [name, setName] = useState('');
  const [role, setRole] = useState<string | null>('viewer');
  const made = useWrite<Token & { token: string }>();
  return (
    <form
      onSubmit={(submitted) => {
        submitted.preventDefault();
        made.mutate({ path: '/tokens', body: { name: name.trim(), role } });
      }}
    >
      <Stack>
        <Group align="end">
          <TextInput
            label="Name"
            description="Of the program; the audit trail calls it so"
            required
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
          />
          <Select
            label="Role"
            data={['viewer', 'operator', 'approver', 'admin']}
            allowDeselect={false}
            value={role}
            onChange={setRole}
          />
          <Button type="submit" loading={made.isPending}>
            Make a token
          </Button>
        </Group>
        {made.error !== null && <Refusal problem={made.error} />}
        {made.data !== undefined && (
          <Alert color="green" role="status" title={`The token of ${made.data.name}, shown this once`}>
            <Code className="break">{made.data.token}</Code>
          </Alert>
        )}
      </Stack>
    </form>
  );
}

const columns: Column<Token>[] = [
  { header: 'Name', cell: ({ name }) => name },
  { header: 'Role', cell: ({ role }) => role },
  { header: 'State', cell: ({ state }) => state },
  { header: 'Made by', cell: ({ createdBy }) => createdBy },
  { header: 'Ends', cell: ({ expiresAt }) => <Moment at={expiresAt} /> },
  { header: 'Last used', cell: ({ lastUsedAt }) => <Moment at={lastUsedAt} /> },
  {
    header: 'End',
    cell: ({ id, name, state }) =>
      state === 'active' ? (
        <ConfirmButton
          label="End"
          title={`End the token ${name}`}
          explanation="Whatever uses it is refused at once."
          color="red"
          write={() => ({ path: `/tokens/${id}`, method: 'DELETE' })}
        />
      ) : null,
  },
];

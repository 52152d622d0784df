import { Anchor, Button, Checkbox, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { UseQueryResult } from '@tanstack/react-query';
import { useState } from 'react';
import { type Problem, withQuery } from '../api/client.ts';
import type { Key, Page } from '../api/types.ts';
import { useMay, useRead, useWrite } from '../api/use-api.ts';
import { Refusal } from '../parts/broken.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { isAddress, SearchField } from '../parts/search-field.tsx';
import { Moment } from '../parts/words.tsx';

export function Keys({ account }: { account: string }) {
  const [before, setBefore] = useState<string>();
  const [owner, setOwner] = useState<string>();
  const [unattributed, setUnattributed] = useState(false);
  const whole = owner !== undefined && isAddress(owner) ? owner : undefined;
  const filter = { owner: whole, unattributed: unattributed || undefined };
  const keys = useRead<Page<Key>>(withQuery('/keys', { account, before, ...filter }));
  return (
    <>
      <Group align="end" mb="md">
        <SearchField
          label="Owner"
          placeholder="Whole e-mail address"
          value={owner}
          onSearch={(text) => {
            setOwner(text);
            setBefore(undefined);
          }}
        />
        <Checkbox
          label="Only those that nobody owns"
          checked={unattributed}
          onChange={({ currentTarget: { checked } }) => {
            setUnattributed(checked);
            setBefore(undefined);
          }}
        />
      </Group>
      <KeyList keys={keys} isFiltered={whole !== undefined || unattributed} before={before} onPage={setBefore} />
    </>
  );
}

function KeyList({
  keys,
  isFiltered,
  before,
  onPage,
}: {
  keys: UseQueryResult<Page<Key>, Problem>;
  isFiltered: boolean;
  before: string | undefined;
  onPage: (before: string | undefined) => void;
}) {
  return (
    <Read of={keys}>
      {({ items, next }) =>
        items.length === 0 ? (
          <Nothing>
            {isFiltered
              ? 'No key matches.'
              : 'No key is known: keys are read with the first leaver, or by a deep reconciliation.'}
          </Nothing>
        ) : (
          <>
            <DataTable label="API keys" columns={columns} rows={items} idOf={({ id, subuser }) => `${subuser} ${id}`} />
            <Group>
              {before !== undefined && (
                <Anchor component="button" onClick={() => onPage(undefined)}>
                  First page
                </Anchor>
              )}
              {next !== null && (
                <Anchor component="button" onClick={() => onPage(next)}>
                  Next page
                </Anchor>
              )}
            </Group>
          </>
        )
      }
    </Read>
  );
}

const columns: Column<Key>[] = [
  { header: 'Owner', cell: ({ owner }) => owner ?? 'nobody known' },
  {
    header: 'Key',
    cell: ({ name, subuser }) => <span className="break">{subuser === null ? name : `${name} in ${subuser}`}</span>,
  },
  { header: 'State', cell: ({ state }) => state },
  { header: 'When the owner leaves', cell: ({ onLeave }) => onLeave ?? '' },
  { header: 'Known since', cell: ({ firstSeenAt }) => <Moment at={firstSeenAt} /> },
  { header: 'Owner is', cell: (key) => <OwnerButton of={key} /> },
];

/** Registers the owner of a key that nobody owns, or gives it another one. */
function OwnerButton({ of: { account, id, subuser, name, owner, state } }: { of: Key }) {
  const mayChange = useMay('operator');
  const [opened, dialog] = useDisclosure(false);
  const [email, setEmail] = useState('');
  const action = useWrite();
  if (!mayChange || state === 'gone') return null;
  const path = `/keys/${encodeURIComponent(account)}/${encodeURIComponent(id)}/${owner === null ? 'adopt' : 'owner'}`;
  const body = { owner: email.trim(), ...(subuser === null ? {} : { subuser }) };
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={dialog.open} aria-label={`Name the owner of ${name}`}>
        Name the owner
      </Button>
      <Modal
        opened={opened}
        onClose={dialog.close}
        title={`Owner of ${name}`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <form
          onSubmit={(submitted) => {
            submitted.preventDefault();
            action.mutate({ path, method: owner === null ? 'POST' : 'PUT', body }, { onSuccess: dialog.close });
          }}
        >
          <Stack>
            <TextInput
              label="E-mail address of the owner"
              type="email"
              required
              value={email}
              onChange={({ currentTarget }) => setEmail(currentTarget.value)}
            />
            {action.error !== null && <Refusal problem={action.error} />}
            <Button type="submit" loading={action.isPending}>
              Register
            </Button>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

import { Badge, Group, Select, Tabs } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import type { Page, RosterItem } from '../api/types.ts';
import { useMay, useSearch } from '../api/use-api.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing, PageFrame } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { Read } from '../parts/read.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { useAbout, useFilters } from '../parts/use-filters.ts';
import { Moment, PersonLink, plural, Small } from '../parts/words.tsx';
import { WriteButton } from '../parts/write-button.tsx';
import { Keys } from './account-keys.tsx';

const route = getRouteApi('/accounts/$account');

const filters = [
  { value: 'orphan', label: 'Unknown to the directory (orphan)' },
  { value: 'admin', label: 'Admin' },
  { value: 'arrived', label: 'Arrived by a sign-in (JIT)' },
  { value: 'no-grant', label: 'Without a grant' },
  { value: 'leaving', label: 'Leaving' },
  { value: 'invitation', label: 'Invitation' },
  { value: 'expired', label: 'Invitation expired' },
];

export function AccountPage(): React.ReactNode {
  const { account } = route.useParams();
  const mayReconcile = useMay('operator');
  return (
    <PageFrame title={account}>
      {mayReconcile && (
        <WriteButton
          label="Reconcile this account"
          doneText="Requested: a worker compares its roster with the directory."
          write={() => ({ path: '/reconciliations', body: { account } })}
        />
      )}
      <Tabs defaultValue="roster" keepMounted={false}>
        <Tabs.List aria-label={`Parts of ${account}`}>
          <Tabs.Tab value="roster">Roster</Tabs.Tab>
          <Tabs.Tab value="keys">API keys</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="roster" pt="md">
          <Roster account={account} />
        </Tabs.Panel>
        <Tabs.Panel value="keys" pt="md">
          <Keys account={account} />
        </Tabs.Panel>
      </Tabs>
    </PageFrame>
  );
}

function Roster({ account }: { account: string }) {
  const { filter, before } = route.useSearch();
  const { search } = useAbout();
  const change = useFilters();
  const path = `/accounts/${encodeURIComponent(account)}/roster/search`;
  const asked = { filter, search, before };
  const roster = useSearch<Page<RosterItem> & { readAt: string | null; total: number }>(path, asked);
  return (
    <>
      <Group align="end" mb="md">
        <SearchField
          label="Search"
          placeholder="Part of an address or username"
          value={search}
          onSearch={(text) => change({ search: text })}
        />
        <Select
          label="Filter"
          clearable
          clearButtonProps={{ 'aria-label': 'Clear the filter' }}
          placeholder="Everybody"
          data={filters}
          value={filter ?? null}
          onChange={(value) => change({ filter: value ?? undefined })}
        />
      </Group>
      <Read of={roster}>
        {({ items, next, readAt, total }) =>
          readAt === null ? (
            <Nothing>
              This account was not read yet. The first reconciliation reads it; the breaker may keep it waiting.
            </Nothing>
          ) : (
            <>
              <Small>
                {plural(total, 'footprint')}, read <Moment at={readAt} />
              </Small>
              {items.length === 0 ? (
                <Nothing>Nobody matches.</Nothing>
              ) : (
                <DataTable label="Roster" columns={columns} rows={items} idOf={({ id }) => id} />
              )}
              <Pager next={next} before={before} />
            </>
          )
        }
      </Read>
    </>
  );
}

const columns: Column<RosterItem>[] = [
  { header: 'Person', cell: ({ person }) => <PersonLink person={person} /> },
  { header: 'Username', cell: ({ username }) => <span className="break">{username ?? ''}</span> },
  { header: 'Name', cell: ({ name }) => name ?? '' },
  {
    header: 'Is',
    cell: ({ state, userType, sso }) => [userType ?? state, sso ? 'SSO' : null].filter(Boolean).join(', '),
  },
  {
    header: 'Remarks',
    cell: ({ flags, expiresAt }) => (
      <Group gap={4}>
        {flags.map((flag) => (
          <Badge key={flag} variant="outline" color="gray" tt="none">
            {flag}
          </Badge>
        ))}
        {expiresAt !== null && (
          <Small>
            ends <Moment at={expiresAt} />
          </Small>
        )}
      </Group>
    ),
  },
];

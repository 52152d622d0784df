import { Checkbox, Group, Kbd, Text } from '@mantine/core';
import { getRouteApi, useLocation } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { Page, Person } from '../api/types.ts';
import { useSearch } from '../api/use-api.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing, PageFrame } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { Read } from '../parts/read.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { useAbout, useFilters } from '../parts/use-filters.ts';
import { Moment, PersonLink } from '../parts/words.tsx';

const route = getRouteApi('/people');

export function PeoplePage(): React.ReactNode {
  const { leaving, before } = route.useSearch();
  const { search } = useAbout();
  const filter = useFilters();
  const { hash } = useLocation();
  useEffect(() => {
    if (hash === 'search') document.getElementById('search')?.focus();
  }, [hash]);
  const people = useSearch<Page<Person>>('/people/search', {
    search,
    leaving: leaving === 'true' || undefined,
    before,
  });
  return (
    <PageFrame title="People" intro="Everybody whom an event, a roster or an order has named.">
      <Group align="end">
        <SearchField
          label="Search"
          id="search"
          placeholder="Beginning of an address or name"
          value={search}
          onSearch={(text) => filter({ search: text })}
        />
        <Checkbox
          label="Only who has left"
          checked={leaving === 'true'}
          onChange={({ currentTarget: { checked } }) => filter({ leaving: checked ? 'true' : undefined })}
        />
        <Text size="sm" c="dimmed" visibleFrom="sm">
          <Kbd>Ctrl</Kbd> + <Kbd>K</Kbd> comes here from anywhere
        </Text>
      </Group>
      <Read of={people}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Nothing>
              {search === undefined && leaving === undefined
                ? 'Nobody yet. People appear with their first event, or with the first reconciliation.'
                : 'Nobody matches. Search by the beginning of an address, a first or a last name, or by a whole directory id.'}
            </Nothing>
          ) : (
            <>
              <DataTable label="People" columns={columns} rows={items} idOf={({ id }) => id} />
              <Pager next={next} before={before} />
            </>
          )
        }
      </Read>
    </PageFrame>
  );
}

const columns: Column<Person>[] = [
  { header: 'Person', cell: ({ id, email }) => <PersonLink person={{ id, email }} /> },
  { header: 'Name', cell: ({ firstName, lastName }) => [firstName, lastName].filter(Boolean).join(' ') },
  { header: 'Directory', cell: ({ directory }) => directory },
  {
    header: 'State',
    cell: ({ leavingSince }) =>
      leavingSince === null ? (
        'stays'
      ) : (
        <>
          left <Moment at={leavingSince} />
        </>
      ),
  },
  { header: 'Seen in the directory', cell: ({ seenAt }) => <Moment at={seenAt} /> },
];

import { Button, Group, SimpleGrid, Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { withQuery } from '../api/client.ts';
import type { AuditRecord, Page } from '../api/types.ts';
import { useSearch } from '../api/use-api.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing, PageFrame, Section } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { Read } from '../parts/read.tsx';
import { isAddress, SearchField } from '../parts/search-field.tsx';
import { useAbout, useFilters } from '../parts/use-filters.ts';
import { Moment, PersonLink, Small } from '../parts/words.tsx';
import { TrailState } from './audit-state.tsx';

const route = getRouteApi('/audit');
const fields = [
  { key: 'kind', label: 'Kind', placeholder: 'plan.approved' },
  { key: 'actor', label: 'Actor', placeholder: 'user:jane@acme.com' },
  { key: 'account', label: 'Account', placeholder: 'marketing' },
  { key: 'email', label: 'Person', placeholder: 'Whole e-mail address' },
  { key: 'since', label: 'From', type: 'date' },
  { key: 'until', label: 'To', type: 'date' },
] as const;

export function AuditPage(): React.ReactNode {
  const { before, since, until, ...open } = route.useSearch();
  const { actor, email } = useAbout();
  const filter = { ...open, actor, email };
  const change = useFilters();
  const values = { ...filter, since, until };
  const whole = filter.email === undefined || isAddress(filter.email);
  const range = { since: since && `${since}T00:00:00Z`, until: until && `${until}T23:59:59Z` };
  const asked = { ...filter, ...(whole ? {} : { email: undefined }), ...range };
  const trail = useSearch<Page<AuditRecord>>('/audit/search', { ...asked, before });
  return (
    <PageFrame
      title="Audit"
      intro="Who did what, when and why. Searching is for reading; evidence is what an export gives."
    >
      <TrailState />
      <Section title="Export">
        <Text size="sm">
          The days chosen below, or all of it. Check a JSONL file with “sendoff audit verify”, offline.
        </Text>
        <Group>
          {(['jsonl', 'csv', 'ocsf'] as const).map((format) => (
            <Button
              key={format}
              component="a"
              variant="default"
              size="xs"
              download
              href={`/api/v1${withQuery('/audit/export', { format, ...range })}`}
            >
              Export {format.toUpperCase()}
            </Button>
          ))}
        </Group>
      </Section>
      <Section title="Search">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }}>
          {fields.map(({ key, label, ...more }) => (
            <SearchField
              key={key}
              label={label}
              value={values[key]}
              onSearch={(text) => change({ [key]: text })}
              {...more}
            />
          ))}
        </SimpleGrid>
        {!whole && <Small>Type the whole address to search by it.</Small>}
        <Read of={trail}>
          {({ items, next }) =>
            items.length === 0 ? (
              <Nothing>No record matches. Kind, actor and account are searched as whole words.</Nothing>
            ) : (
              <>
                <DataTable label="Audit trail" columns={columns} rows={items} idOf={({ id }) => id} />
                <Pager next={next} before={before} />
              </>
            )
          }
        </Read>
      </Section>
    </PageFrame>
  );
}

const columns: Column<AuditRecord>[] = [
  { header: 'No.', cell: ({ seq }) => seq ?? 'not numbered yet' },
  { header: 'When', cell: ({ at }) => <Moment at={at} /> },
  { header: 'Kind', cell: ({ kind }) => kind },
  { header: 'Who', cell: ({ actor }) => <span className="break">{actor}</span> },
  { header: 'Person', cell: ({ person }) => (person === null ? '' : <PersonLink person={person} />) },
  { header: 'Account', cell: ({ account }) => account ?? '' },
  {
    header: 'What',
    cell: ({ action, detail, personal }) => (
      <Small>
        {[
          action === null ? null : `${action.kind} ${action.footprint} ${action.target ?? ''}`,
          personal?.reason === undefined ? null : `“${personal.reason}”`,
          detail === null ? null : shortened(detail),
        ]
          .filter(Boolean)
          .join(' · ')}
      </Small>
    ),
  },
];

/** The facts of a record without their brackets; an export has them as they are. */
function inWords(value: unknown): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map(inWords).join('; ');
  return typeof value === 'object' ? Object.values(value).map(inWords).filter(Boolean).join(' ') : String(value);
}

function shortened(detail: Record<string, unknown>): string {
  const text = Object.entries(detail)
    .flatMap(([key, value]) => (inWords(value) === '' ? [] : [`${key}: ${inWords(value)}`]))
    .join(', ');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

import { Anchor, Group, Select } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Event, Page, Source } from '../api/types.ts';
import { useMay, useRead, useSearch } from '../api/use-api.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing, PageFrame } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { Read } from '../parts/read.tsx';
import { isAddress, SearchField } from '../parts/search-field.tsx';
import { useAbout, useFilters } from '../parts/use-filters.ts';
import { Moment, PersonLink, Small, State } from '../parts/words.tsx';
import { ReplayMatching } from './replay-matching.tsx';
import { Replays } from './replays.tsx';

const route = getRouteApi('/events');
const states = ['received', 'queued', 'waiting', 'done', 'ignored', 'quarantined', 'dead'];

export function EventsPage(): React.ReactNode {
  const { before, ...open } = route.useSearch();
  const { email, eventId } = useAbout();
  const filter = { ...open, email, eventId };
  const change = useFilters();
  const mayReplay = useMay('operator');
  const whole = filter.email === undefined || isAddress(filter.email);
  const asked = whole ? filter : { ...filter, email: undefined };
  const events = useSearch<Page<Event>>('/events/search', { ...asked, before });
  const sources = useRead<Page<Source>>('/sources', { everyMs: 60_000 });
  return (
    <PageFrame title="Events" intro="What identity providers sent and operators ordered, newest first.">
      <Group align="end">
        <SearchField
          label="Person"
          placeholder="Whole e-mail address"
          value={filter.email}
          onSearch={(email) => change({ email })}
        />
        <SearchField
          label="Sender’s id"
          placeholder="Id of the event"
          value={filter.eventId}
          onSearch={(eventId) => change({ eventId })}
        />
        <Choice
          label="Source"
          values={(sources.data?.items ?? []).map(({ source }) => source)}
          value={filter.source}
          onChoose={(source) => change({ source })}
        />
        <Choice label="State" values={states} value={filter.state} onChoose={(state) => change({ state })} />
      </Group>
      <Replays />
      {!whole && <Small>Type the whole address to search by it.</Small>}
      <Read of={events}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Nothing>No event matches. Nothing arrives at all? Settings, doctor, checks every source.</Nothing>
          ) : (
            <>
              {mayReplay && (
                <Group>
                  <ReplayMatching label="Replay all that match" filter={asked} />
                </Group>
              )}
              <DataTable label="Events" columns={columns} rows={items} idOf={({ id }) => id} />
              <Pager next={next} before={before} />
            </>
          )
        }
      </Read>
    </PageFrame>
  );
}

function Choice({
  label,
  values,
  value,
  onChoose,
}: {
  label: string;
  values: string[];
  value: string | undefined;
  onChoose: (value: string | undefined) => void;
}) {
  return (
    <Select
      label={label}
      placeholder="Any"
      clearable
      clearButtonProps={{ 'aria-label': `Any ${label.toLowerCase()}` }}
      data={values}
      value={value ?? null}
      onChange={(chosen) => onChoose(chosen ?? undefined)}
    />
  );
}

const columns: Column<Event>[] = [
  {
    header: 'Event',
    cell: ({ id, type, eventId }) => (
      <Anchor inherit className="break" renderRoot={(props) => <Link {...props} to="/events/$id" params={{ id }} />}>
        {type ?? eventId}
      </Anchor>
    ),
  },
  { header: 'Person', cell: ({ person }) => <PersonLink person={person} /> },
  { header: 'Source', cell: ({ source }) => source },
  { header: 'State', cell: ({ state }) => <State of={state} /> },
  { header: 'Received', cell: ({ receivedAt }) => <Moment at={receivedAt} /> },
  { header: 'Why', cell: ({ reason, lastError }) => <Small>{lastError ?? reason ?? ''}</Small> },
];

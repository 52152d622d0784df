import { Anchor, Group, List } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Cause, Failure, Overview, Page } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { Nothing, PageFrame, Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { useAbout, useFilters } from '../parts/use-filters.ts';
import { duration, Moment, PersonLink, plural, Small, State } from '../parts/words.tsx';
import { ReplayMatching } from './replay-matching.tsx';
import { Replays } from './replays.tsx';

export function FailuresPage(): React.ReactNode {
  const { search } = useAbout();
  const change = useFilters();
  const overview = useRead<Overview>('/overview');
  const failures = useFailures(search);
  return (
    <PageFrame title="Queues" intro="What waits, what failed, and why.">
      <Read of={overview}>{(data) => <Depth of={data} />}</Read>
      <Replays />
      <SearchField
        label="Search"
        placeholder="Beginning of an address, or an id"
        value={search}
        onSearch={(text) => change({ search: text })}
      />
      <Read of={failures}>
        {({ items, total }) =>
          items.length === 0 ? (
            <Nothing>
              {search === undefined
                ? 'Nothing has failed. What waits for an answer stands in Approvals.'
                : 'No failure matches. People and Events search everything else.'}
            </Nothing>
          ) : (
            <>
              <Small>
                {plural(total, 'failure')}, {plural(items.length, 'cause')}
              </Small>
              {items.map((cause) => (
                <CauseSection key={cause.id} of={cause} search={search} />
              ))}
            </>
          )
        }
      </Read>
    </PageFrame>
  );
}

function useFailures(search: string | undefined) {
  const [path, asked] = search === undefined ? ['/failures', {}] : ['/failures/search', { body: { search } }];
  return useRead<Page<Cause> & { total: number }>(path, asked);
}

function Depth({ of: { events, actions, oldestUnfinishedSeconds } }: { of: Overview }) {
  return (
    <Section title="Depth" aside={<Anchor href="/queues">Queue dashboard</Anchor>}>
      <Group gap="xl">
        <span>
          Events: {events.received ?? 0} received, {events.queued ?? 0} queued, {events.waiting ?? 0} waiting
        </span>
        <span>
          Actions: {actions.ready ?? 0} ready, {actions.executing ?? 0} executing, {actions.waiting ?? 0} waiting,{' '}
          {actions.unknown ?? 0} unknown
        </span>
        <span>Oldest unfinished: {oldestUnfinishedSeconds === null ? 'none' : duration(oldestUnfinishedSeconds)}</span>
      </Group>
    </Section>
  );
}

function CauseSection({ of, search }: { of: Cause; search: string | undefined }) {
  const { id, kind, place, text, count, replayable, examples } = of;
  const mayReplay = useMay('operator');
  return (
    <Section title={`${place}: ${text}`} aside={<span className="moment">{plural(count, 'failure')}</span>}>
      <List size="sm">
        {examples.map((one) => (
          <List.Item key={one.id}>
            <Example of={one} isEvent={kind === 'event'} />
          </List.Item>
        ))}
      </List>
      {count > examples.length && <Small>and {count - examples.length} more</Small>}
      {mayReplay && replayable > 0 && (
        <Group>
          <ReplayMatching label={`Replay ${plural(replayable, 'failure')}`} filter={{ cause: id, search }} />
        </Group>
      )}
      {replayable === 0 && <Small>Nothing here names a person, so there is nobody to plan anew.</Small>}
    </Section>
  );
}

function Example({ of: { id, person, what, state, at }, isEvent }: { of: Failure; isEvent: boolean }) {
  return (
    <>
      <PersonLink person={person} />{' '}
      {isEvent ? (
        <Anchor inherit renderRoot={(props) => <Link {...props} to="/events/$id" params={{ id }} />}>
          {what}
        </Anchor>
      ) : (
        what
      )}{' '}
      <State of={state} /> <Moment at={at} />
    </>
  );
}

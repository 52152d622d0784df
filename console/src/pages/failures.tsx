import { Anchor, Group, List } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { useState } from 'react';
import { type Problem, withQuery } from '../api/client.ts';
import type { Action, Event, Overview, Page } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { Nothing, PageFrame, Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { duration, Moment, PersonLink, plural, Small, State } from '../parts/words.tsx';
import { causesOf, type Failure, type Retryable } from './causes.ts';
import { RetryAll } from './retry-all.tsx';

const most = 200;

export function FailuresPage(): React.ReactNode {
  const overview = useRead<Overview>('/overview');
  const actions = useRead<Page<Action>>(withQuery('/actions', { state: 'failed', limit: most }));
  const dead = useRead<Page<Event>>(withQuery('/events', { state: 'dead', limit: most }));
  const quarantined = useRead<Page<Event>>(withQuery('/events', { state: 'quarantined', limit: most }));
  const reads: UseQueryResult<unknown, Problem>[] = [actions, dead, quarantined];
  const unread = reads.find(({ data }) => data === undefined) ?? reads.find(({ error }) => error !== null) ?? actions;
  const more = [actions, dead, quarantined].some(({ data }) => data?.next != null);
  const [wanted, search] = useState<string>();
  const matches = ({ id, person }: Action | Event) =>
    wanted === undefined || id === wanted || (person?.email ?? '').includes(wanted.toLowerCase());
  const causes = causesOf(
    (actions.data?.items ?? []).filter(matches),
    [...(dead.data?.items ?? []), ...(quarantined.data?.items ?? [])].filter(matches),
  );
  return (
    <PageFrame title="Queues" intro="What waits, what failed, and why.">
      <Read of={overview}>{(data) => <Depth of={data} />}</Read>
      <SearchField label="Search" placeholder="Part of an address, or an id" value={wanted} onSearch={search} />
      <Read of={unread}>
        {() =>
          causes.length === 0 ? (
            <Nothing>
              {wanted === undefined
                ? 'Nothing has failed. What waits for an answer stands in Approvals.'
                : 'No failure matches. People and Events search everything else.'}
            </Nothing>
          ) : (
            <>
              {more && <Small>Only the newest {most} of each kind are grouped here. Events finds all of them.</Small>}
              {causes.map((cause) => (
                <Cause key={cause.text} text={cause.text} failures={cause.failures} />
              ))}
            </>
          )
        }
      </Read>
    </PageFrame>
  );
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

function Cause({ text, failures }: { text: string; failures: Failure[] }) {
  const mayReplay = useMay('operator');
  const retryable = failures.filter((failure): failure is Retryable => failure.retry !== null);
  return (
    <Section title={text} aside={<span>{plural(failures.length, 'failure')}</span>}>
      <List size="sm">
        {failures.slice(0, 10).map(({ key, person, state, what, at }) => (
          <List.Item key={key}>
            <PersonLink person={person} /> {what} <State of={state} /> <Moment at={at} />
          </List.Item>
        ))}
      </List>
      {failures.length > 10 && <Small>and {failures.length - 10} more</Small>}
      {mayReplay && retryable.length > 0 && <RetryAll failures={retryable} />}
      {retryable.length === 0 && <Small>Nothing here names a person, so there is nobody to plan anew.</Small>}
    </Section>
  );
}

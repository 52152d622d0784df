import { Code, List, SimpleGrid, Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { EventDetail, Plan } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { Nothing, PageFrame, Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment, PersonLink, plural, State } from '../parts/words.tsx';
import { WriteButton } from '../parts/write-button.tsx';

const route = getRouteApi('/events/$id');

export function EventPage(): ReactNode {
  const { id } = route.useParams();
  const event = useRead<EventDetail>(`/events/${id}`);
  const mayReplay = useMay('operator');
  return (
    <PageFrame title={event.data?.type ?? 'Event'}>
      <Read of={event}>
        {(data) => (
          <>
            {mayReplay && data.person !== null && (
              <WriteButton
                label="Replay"
                doneText="Received: the person is planned anew."
                write={() => ({ path: `/events/${id}/replay` })}
              />
            )}
            <Section title="Normalized">
              <Normalized of={data} />
            </Section>
            <Section title="Plans it led to">
              {data.plans.length === 0 ? (
                <Nothing>None{data.reason === null ? '' : `: ${data.reason}`}.</Nothing>
              ) : (
                <List>
                  {data.plans.map((plan) => (
                    <List.Item key={plan}>
                      <PlanLine id={plan} />
                    </List.Item>
                  ))}
                </List>
              )}
            </Section>
            <Section title="As it was sent">
              <Code block tabIndex={0} role="region" aria-label="As it was sent">
                {pretty(data.raw)}
              </Code>
            </Section>
          </>
        )}
      </Read>
    </PageFrame>
  );
}

function PlanLine({ id }: { id: string }) {
  const plan = useRead<Plan>(`/plans/${id}`);
  return (
    <Read of={plan}>
      {({ person, verdict, state, actions, createdAt }) => (
        <Text>
          <PersonLink person={person} /> {verdict}, {plural(actions.length, 'change')} <State of={state} />{' '}
          <Moment at={createdAt} />
        </Text>
      )}
    </Read>
  );
}

function Normalized({ of }: { of: EventDetail }) {
  const facts: [string, ReactNode][] = [
    ['What', of.type ?? 'could not be read'],
    ['State', <State key="state" of={of.state} />],
    ['Person', <PersonLink key="person" person={of.person} />],
    ['Id at the source', of.directoryId ?? 'not told'],
    ['Source', of.source],
    ['Sender’s id of the event', of.eventId],
    ['Received', <Moment key="received" at={of.receivedAt} />],
    ['Occurred', <Moment key="occurred" at={of.occurredAt} never="not told" />],
    ['Attempts', of.attempts],
    ['Why', of.lastError ?? of.reason ?? ''],
  ];
  return (
    <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 4 }} m={0}>
      {facts.map(([term, value]) => (
        <div key={term}>
          <Text component="dt" size="sm" c="dimmed">
            {term}
          </Text>
          <Text component="dd" m={0} className="break">
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}

function pretty(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}

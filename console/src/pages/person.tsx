import { Anchor, Group, List, SimpleGrid, Text } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Account, Footprint, Order, Page, PersonDetail } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { ConfirmButton } from '../parts/confirm.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing, PageFrame, Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment, Small, State } from '../parts/words.tsx';
import { Timeline } from './person-timeline.tsx';

const route = getRouteApi('/people/$id');

export function PersonPage(): React.ReactNode {
  const { id } = route.useParams();
  const person = useRead<PersonDetail>(`/people/${id}`, { everyMs: 2_500 });
  return (
    <PageFrame title={person.data === undefined ? 'Person' : nameOf(person.data)}>
      <Read of={person}>
        {(data) => (
          <>
            <Answer of={data} />
            <Section title="In the directory">
              <Directory of={data} />
            </Section>
            <Section title="Where they have access">
              {data.footprints.length === 0 ? (
                <Nothing>No footprint in any account, as the rosters were last read.</Nothing>
              ) : (
                <DataTable
                  label="Footprints"
                  columns={footprintColumns}
                  rows={data.footprints}
                  idOf={({ account, subuser, footprint, target }) => `${account} ${subuser} ${footprint} ${target}`}
                />
              )}
              <RostersRead />
            </Section>
            {data.todos.length > 0 && (
              <Section title="To do by hand">
                <List>
                  {data.todos.map(({ account, text, planId }) => (
                    <List.Item key={`${planId} ${account} ${text}`}>
                      {account}: {text}
                    </List.Item>
                  ))}
                </List>
              </Section>
            )}
            <Section title="From the event to the proof">
              <Timeline of={data} />
            </Section>
            {data.orders.length > 0 && (
              <Section title="Orders">
                <DataTable label="Orders" columns={orderColumns} rows={data.orders} idOf={({ id }) => id} />
              </Section>
            )}
          </>
        )}
      </Read>
    </PageFrame>
  );
}

function nameOf({ firstName, lastName, email }: PersonDetail): string {
  return [firstName, lastName].filter(Boolean).join(' ') || (email ?? 'Person without an address');
}

/** How old is what is shown of each account? */
function RostersRead() {
  const accounts = useRead<Page<Account>>('/accounts');
  return (
    <Small>
      Read:{' '}
      {accounts.data?.items.map(({ account, readAt }, index) => (
        <span key={account}>
          {index > 0 && ', '}
          {account} <Moment at={readAt} />
        </span>
      ))}
    </Small>
  );
}

/** Is this person out, everywhere, and how do we know? */
function Answer({ of }: { of: PersonDetail }) {
  const [newest] = of.plans;
  return (
    <Group justify="space-between" align="start">
      <div>
        <Text size="lg" role="status" className="break">
          {answerOf(of)}
        </Text>
        {newest !== undefined && (
          <Small>
            Last decision: {newest.verdict}, <State of={newest.state} /> <Moment at={newest.createdAt} />
          </Small>
        )}
        {of.email !== null && (
          <Group gap="md">
            <Anchor
              size="sm"
              renderRoot={(props) => <Link {...props} to="/audit" state={{ about: { email: of.email ?? '' } }} />}
            >
              Audit trail
            </Anchor>
            <Anchor
              size="sm"
              renderRoot={(props) => <Link {...props} to="/events" state={{ about: { email: of.email ?? '' } }} />}
            >
              Events
            </Anchor>
          </Group>
        )}
      </div>
      <Orders of={of} />
    </Group>
  );
}

function answerOf({ leavingSince, footprints, plans }: PersonDetail): string {
  const where = [...new Set(footprints.map(({ account }) => account))].join(', ');
  if (leavingSince === null)
    return footprints.length === 0 ? 'Stays; has no access.' : `Stays; has access to ${where}.`;
  const last = plans.find(({ verdict }) => verdict !== 'keep');
  if (last?.state === 'held') return 'Not out: the plan is held and waits for an answer.';
  if (last?.state === 'settled') {
    return footprints.length === 0
      ? 'Out, everywhere: read back after the last change.'
      : `Settled: what the configuration leaves them is in ${where}.`;
  }
  return footprints.length === 0 ? 'Leaving; no access is left.' : `Leaving; still has access to ${where}.`;
}

function Orders({ of: { email, orders, restorable, leavingSince } }: { of: PersonDetail }) {
  const mayOrder = useMay('operator');
  if (!mayOrder || email === null) return null;
  const standing = orders.some(({ state }) => state === 'standing');
  return (
    <Group gap="xs">
      {restorable.length > 0 && (
        <ConfirmButton
          label="Restore"
          title={`Restore ${email}`}
          explanation={`Gives back what was removed in ${[...new Set(restorable.map(({ account }) => account))].join(', ')}, if the directory says that they may have it.`}
          write={() => ({ path: '/orders/restore', body: { email } })}
        />
      )}
      {standing ? (
        <ConfirmButton
          label="Cancel the order"
          title={`Cancel the order against ${email}`}
          explanation="The directory decides again. What was removed is not given back by this."
          withReason
          write={(reason) => ({ path: '/orders/cancel', body: { email, reason } })}
        />
      ) : leavingSince !== null ? null : (
        <ConfirmButton
          label="Offboard"
          title={`Offboard ${email}`}
          color="red"
          explanation="Treats this person as terminated, whatever the directory says, until the order is cancelled. It passes the same gate as every other plan."
          withReason
          typed={email}
          write={(reason) => ({ path: '/orders/offboard', body: { email, reason } })}
        />
      )}
    </Group>
  );
}

function Directory({ of }: { of: PersonDetail }) {
  const facts: [string, React.ReactNode][] = [
    ['Directory', of.directory],
    ['Directory id', of.directoryId ?? 'none known'],
    ['Addresses', of.emails.join(', ') || 'none'],
    ['State', of.leavingSince === null ? 'stays' : <Moment key="m" at={of.leavingSince} />],
    ['Last seen', <Moment key="s" at={of.seenAt} />],
    ['Manager', of.managerEmail ?? 'none known'],
    ['Groups when last active', of.groups.join(', ') || 'none'],
    ['Linked teammates', of.links.map(({ account, username }) => `${username} in ${account}`).join(', ') || 'none'],
  ];
  return (
    <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 4 }} m={0}>
      {facts.map(([term, value]) => (
        <div key={term}>
          <Text component="dt" size="sm" c="dimmed">
            {term === 'State' && of.leavingSince !== null ? 'Leaving since' : term}
          </Text>
          <Text component="dd" m={0} className="break">
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}

const footprintColumns: Column<Footprint>[] = [
  { header: 'Account', cell: ({ account, subuser }) => (subuser === null ? account : `${account} / ${subuser}`) },
  { header: 'Footprint', cell: ({ footprint, admin }) => `${footprint}${admin ? ', admin' : ''}` },
  { header: 'As', cell: ({ target }) => <span className="break">{target}</span> },
  { header: 'Read', cell: ({ readAt }) => <Moment at={readAt} /> },
];

const orderColumns: Column<Order>[] = [
  { header: 'State', cell: ({ state }) => state },
  { header: 'By', cell: ({ by }) => by },
  { header: 'Reason', cell: ({ reason }) => reason ?? '' },
  { header: 'From', cell: ({ effectiveAt }) => <Moment at={effectiveAt} /> },
  {
    header: 'Cancelled',
    cell: ({ cancelledAt, cancelledBy }) =>
      cancelledBy === null ? (
        ''
      ) : (
        <>
          {cancelledBy}, <Moment at={cancelledAt} />
        </>
      ),
  },
];

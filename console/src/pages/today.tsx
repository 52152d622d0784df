import { Alert, Anchor, Group, List, SimpleGrid, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { withQuery } from '../api/client.ts';
import type { Account, Overview, Page, Plan, Source, Todo } from '../api/types.ts';
import { useRead } from '../api/use-api.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Nothing, PageFrame, Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { duration, Moment, PersonLink, plural, State } from '../parts/words.tsx';
import { Needs } from './today-needs.tsx';

const TimesChart = lazy(() => import('./today-chart.tsx').then(({ TimesChart }) => ({ default: TimesChart })));
const liveMs = 2_500;
const underWay = ['planned', 'approved', 'applying', 'waiting'];

export function TodayPage(): React.ReactNode {
  const overview = useRead<Overview>('/overview', { everyMs: liveMs });
  const plans = useRead<Page<Plan>>(withQuery('/plans', { limit: 50, leaving: true }), { everyMs: liveMs });
  return (
    <PageFrame title="Today">
      <Read of={overview}>{(data) => <Figures of={data} />}</Read>
      <Needs />
      <Section title="Leaving, newest first">
        <Read of={plans}>{({ items }) => <Leaving plans={items} />}</Read>
      </Section>
      <Todos />
      <Read of={overview}>
        {(data) => (
          <>
            <Section title="Time to deprovision, 30 days">
              <TimesSummary of={data} />
            </Section>
            <Section title="Accounts">
              <DataTable
                label="Accounts"
                columns={accountColumns}
                rows={data.accounts}
                idOf={({ account }) => account}
              />
            </Section>
            <Section title="Sources">
              <DataTable label="Sources" columns={sourceColumns} rows={data.sources} idOf={({ source }) => source} />
            </Section>
          </>
        )}
      </Read>
    </PageFrame>
  );
}

function Figures({ of }: { of: Overview }) {
  const held = of.plans.held ?? 0;
  const failed = (of.actions.failed ?? 0) + (of.events.dead ?? 0) + (of.events.quarantined ?? 0);
  const queued =
    (of.events.received ?? 0) + (of.events.queued ?? 0) + (of.actions.ready ?? 0) + (of.actions.executing ?? 0);
  return (
    <>
      {!of.workerAlive && (
        <Alert color="red" role="alert" title="No worker is running.">
          Events are taken in and kept, but nothing is planned or changed. Start <code>sendoff worker</code>.
        </Alert>
      )}
      <SimpleGrid cols={{ base: 2, md: 3 }} component="section" aria-label="Figures">
        <Figure label="Waits for a human" value={plural(held, 'held plan')} to="/approvals" warn={held > 0} />
        <Figure label="To do by hand" value={plural(of.todos, 'plan')} warn={of.todos > 0} />
        <Figure
          label="People under way"
          value={String(underWay.reduce((sum, state) => sum + (of.plans[state] ?? 0), 0))}
        />
        <Figure label="Failed, dead or quarantined" value={String(failed)} to="/failures" warn={failed > 0} />
        <Figure
          label="Queue"
          value={
            of.oldestUnfinishedSeconds === null ? 'empty' : `${queued}, oldest ${duration(of.oldestUnfinishedSeconds)}`
          }
        />
        <Figure
          label="Drift at the last reconciliation"
          value={of.drift === null ? 'none made yet' : String(of.drift.differ)}
          warn={(of.drift?.differ ?? 0) > 0}
        />
      </SimpleGrid>
    </>
  );
}

function Figure({
  label,
  value,
  to,
  warn = false,
}: {
  label: string;
  value: string;
  to?: '/approvals' | '/failures';
  warn?: boolean;
}) {
  return (
    <div>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Text size="xl" fw={warn ? 700 : 500}>
        {to === undefined ? (
          value
        ) : (
          <Anchor inherit renderRoot={(props) => <Link {...props} to={to} />}>
            {value}
          </Anchor>
        )}
      </Text>
    </div>
  );
}

function Leaving({ plans }: { plans: Plan[] }) {
  if (plans.length === 0) {
    return (
      <Nothing>
        Nobody lately. When an identity provider says that somebody left, they appear here by themselves.
      </Nothing>
    );
  }
  return <DataTable label="Leaving" columns={planColumns} rows={plans} idOf={({ id }) => id} />;
}

function Todos() {
  const todos = useRead<Page<Todo>>(withQuery('/todos', { limit: 20 }));
  if (todos.data?.items.length === 0) return null;
  return (
    <Section title="To do by hand">
      <Read of={todos}>
        {({ items }) => (
          <List size="sm">
            {items.map(({ planId, person, account, text }) => (
              <List.Item key={`${planId} ${account} ${text}`}>
                <PersonLink person={person} />, {account}: {text}
              </List.Item>
            ))}
          </List>
        )}
      </Read>
    </Section>
  );
}

const finished = ['done', 'noop'];
const planColumns: Column<Plan>[] = [
  { header: 'Person', cell: ({ person }) => <PersonLink person={person} /> },
  { header: 'Why', cell: ({ verdict }) => verdict },
  { header: 'State', cell: ({ state }) => <State of={state} /> },
  {
    header: 'Changes',
    cell: ({ actions }) =>
      `${actions.filter(({ state }) => finished.includes(state)).length} of ${actions.length} read back`,
  },
  { header: 'Began', cell: ({ createdAt }) => <Moment at={createdAt} /> },
];

const accountColumns: Column<Account>[] = [
  {
    header: 'Account',
    cell: ({ account }) => (
      <Anchor inherit renderRoot={(props) => <Link {...props} to="/accounts/$account" params={{ account }} />}>
        {account}
      </Anchor>
    ),
  },
  { header: 'Mode', cell: ({ mode }) => mode },
  { header: 'Health', cell: (account) => healthOf(account) },
  { header: 'Teammates', cell: ({ teammates }) => teammates },
  { header: 'Read', cell: ({ readAt }) => <Moment at={readAt} /> },
];

function healthOf({ breaker, stop }: Account): string {
  if (stop !== null) return `stopped by ${stop.by}`;
  return breaker === null ? 'works' : `breaker open: ${breaker.reason}`;
}

const sourceColumns: Column<Source>[] = [
  { header: 'Source', cell: ({ source, authority }) => `${source}${authority ? ' (authority)' : ''}` },
  { header: 'Type', cell: ({ type }) => type },
  { header: 'Last event', cell: ({ lastEventAt }) => <Moment at={lastEventAt} /> },
  {
    header: 'Health',
    cell: ({ tasks, subscriptions }) =>
      [
        ...tasks.flatMap(({ task, lastError, failures }) => (failures > 0 ? [`${task}: ${lastError}`] : [])),
        ...subscriptions.flatMap(({ problem }) => (problem === null ? [] : [problem])),
      ].join('; ') || 'works',
  },
];

function TimesSummary({ of: { timeToDeprovision, sla } }: { of: Overview }) {
  const { count, p50Seconds, p95Seconds, withinSla, days } = timeToDeprovision;
  if (count === 0) return <Nothing>Nobody was deprovisioned in the last 30 days.</Nothing>;
  return (
    <>
      <Group gap="xl">
        <Text>p50 {duration(p50Seconds ?? 0)}</Text>
        <Text>p95 {duration(p95Seconds ?? 0)}</Text>
        <Text>
          {withinSla} of {plural(count, 'person', 'people')} within the SLA of {duration(sla.seconds)}
        </Text>
      </Group>
      <Suspense fallback={<div style={{ height: 220 }} />}>
        <TimesChart days={days} slaSeconds={sla.seconds} />
      </Suspense>
    </>
  );
}

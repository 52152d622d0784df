import { Anchor, Group } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Account, Page } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { ConfirmButton } from '../parts/confirm.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { PageFrame } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment } from '../parts/words.tsx';
import { Reconciliations } from './reconciliations.tsx';

export function AccountsPage(): React.ReactNode {
  const accounts = useRead<Page<Account>>('/accounts');
  return (
    <PageFrame title="Accounts" intro="Every SendGrid account of the configuration, as its roster was last read.">
      <Group>
        <StopButtons account={null} stopped={(accounts.data?.items ?? []).some(({ stop }) => stop?.scope === '*')} />
      </Group>
      <Read of={accounts}>
        {({ items }) => <DataTable label="Accounts" columns={columns} rows={items} idOf={({ account }) => account} />}
      </Read>
      <Reconciliations />
    </PageFrame>
  );
}

/** Pause and resume, of one account or of all. */
export function StopButtons({ account, stopped }: { account: string | null; stopped: boolean }) {
  const mayStop = useMay('operator');
  const mayResume = useMay('approver');
  const where = account ?? 'every account';
  const body = account === null ? {} : { account };
  if (stopped) {
    return mayResume ? (
      <ConfirmButton
        label={account === null ? 'Resume everything' : 'Resume'}
        title={`Resume ${where}`}
        explanation="Lifts the stop: what waited goes on, through the same gate."
        write={() => ({ path: '/stops/resume', body })}
      />
    ) : null;
  }
  return mayStop ? (
    <ConfirmButton
      label={account === null ? 'Pause everything' : 'Pause'}
      title={`Pause ${where}`}
      explanation="Nothing more is changed in SendGrid, at once. Events are still taken in and planned. An approver lifts it."
      withReason
      write={(reason) => ({ path: '/stops', body: { ...body, reason } })}
    />
  ) : null;
}

const columns: Column<Account>[] = [
  {
    header: 'Account',
    cell: ({ account }) => (
      <Anchor inherit renderRoot={(props) => <Link {...props} to="/accounts/$account" params={{ account }} />}>
        {account}
      </Anchor>
    ),
  },
  { header: 'Mode', cell: ({ mode, sso }) => `${mode}${sso ? ', SSO' : ''}` },
  {
    header: 'Seats used',
    cell: ({ seatsUsed, teammates, invitations }) =>
      `${seatsUsed} (${teammates} teammates, ${invitations} invitations)`,
  },
  {
    header: 'Breaker',
    cell: ({ breaker }) =>
      breaker === null ? (
        'closed'
      ) : (
        <>
          open since <Moment at={breaker.openedAt} />: {breaker.reason}
        </>
      ),
  },
  {
    header: 'Stop',
    cell: ({ account, stop }) => (
      <Group gap="xs">
        {stop !== null && (
          <span>
            by {stop.by}
            {stop.scope === '*' ? ', everywhere' : ''}
            {stop.reason === null ? '' : `: ${stop.reason}`}
          </span>
        )}
        {stop?.scope !== '*' && <StopButtons account={account} stopped={stop !== null} />}
      </Group>
    ),
  },
  { header: 'Read', cell: ({ readAt }) => <Moment at={readAt} /> },
];

import { Anchor, List } from '@mantine/core';
import { Link, type LinkProps } from '@tanstack/react-router';
import { withQuery } from '../api/client.ts';
import type { Alert, Page } from '../api/types.ts';
import { useRead } from '../api/use-api.ts';
import { Nothing, Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment, Small } from '../parts/words.tsx';

const most = 20;
/** The most urgent first. */
const order = ['sla-breached', 'breaker', 'failed', 'sla-at-risk', 'hold', 'source', 'subscription', 'weekly'];

/** What is so now and needs somebody: just what the channels are told. */
export function Needs() {
  const alerts = useRead<Page<Alert>>(withQuery('/alerts', { limit: 200 }));
  return (
    <Section title="What needs you">
      <Read of={alerts}>{({ items }) => <Alerts of={items} />}</Read>
    </Section>
  );
}

function Alerts({ of }: { of: Alert[] }) {
  if (of.length === 0) return <Nothing>Nothing needs you.</Nothing>;
  const sorted = [...of].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  return (
    <>
      <List size="sm" spacing="xs">
        {sorted.slice(0, most).map((alert) => (
          <List.Item key={alert.id}>
            <span className="break">{alert.title}.</span> <Moment at={alert.openedAt} /> <Way of={alert} />
          </List.Item>
        ))}
      </List>
      {sorted.length > most && <Small>and {sorted.length - most} more</Small>}
    </>
  );
}

/** Where it is seen to. */
function Way({ of: { id, kind, remedy } }: { of: Alert }) {
  const to = wayOf(kind, id);
  if (to === null) return remedy === '' ? null : <Small>{remedy}</Small>;
  return (
    <Anchor inherit renderRoot={(props) => <Link {...props} {...to.link} />}>
      {to.label}
    </Anchor>
  );
}

function wayOf(kind: string, id: string): { label: string; link: LinkProps } | null {
  switch (kind) {
    case 'hold':
      return { label: 'Answer it', link: { to: '/approvals' } };
    case 'failed':
      return { label: 'Look at the failures', link: { to: '/failures' } };
    case 'sla-at-risk':
    case 'sla-breached':
      return { label: 'Look at the event', link: { to: '/events/$id', params: { id: id.split(':')[1] ?? '' } } };
    case 'breaker':
      return { label: 'Look at the accounts', link: { to: '/accounts' } };
    default:
      return null;
  }
}

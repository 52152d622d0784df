import { Anchor, Badge, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { PersonRef } from '../api/types.ts';

const colours: Record<string, string> = {
  settled: 'green',
  done: 'green',
  noop: 'green',
  held: 'orange',
  waiting: 'yellow',
  quarantined: 'orange',
  unknown: 'orange',
  expired: 'orange',
  failed: 'red',
  dead: 'red',
  refused: 'red',
  rejected: 'red',
  planned: 'blue',
  approved: 'blue',
  applying: 'blue',
  received: 'blue',
  queued: 'blue',
  ready: 'blue',
  executing: 'blue',
};

export function State({ of }: { of: string }) {
  return (
    <Badge color={colours[of] ?? 'gray'} variant="dot" tt="none">
      {of}
    </Badge>
  );
}

export function PersonLink({ person }: { person: PersonRef | null }) {
  const { id = null, email = null } = person ?? {};
  if (id === null) return <span className="break">{email ?? 'nobody known'}</span>;
  return (
    <Anchor inherit className="break" renderRoot={(props) => <Link {...props} to="/people/$id" params={{ id }} />}>
      {email ?? id}
    </Anchor>
  );
}

/** How long ago, and exactly when for whoever points at it. */
export function Moment({ at, never = 'never' }: { at: string | null; never?: string }) {
  if (at === null) return <span>{never}</span>;
  return (
    <time className="moment" dateTime={at} title={new Date(at).toLocaleString()}>
      {ago((Date.now() - Date.parse(at)) / 1_000)}
    </time>
  );
}

function ago(seconds: number): string {
  const text = duration(Math.abs(seconds));
  return Math.abs(seconds) < 1 ? 'just now' : seconds > 0 ? `${text} ago` : `in ${text}`;
}

export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function Small({ children }: { children: React.ReactNode }) {
  return (
    <Text size="sm" c="dimmed" className="break">
      {children}
    </Text>
  );
}

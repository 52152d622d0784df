import { Group, Progress, Stack, Text } from '@mantine/core';
import { withQuery } from '../api/client.ts';
import type { Page, Replay } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment, plural, Small } from '../parts/words.tsx';
import { WriteButton } from '../parts/write-button.tsx';

const shownForMs = 24 * 3_600_000;

/** Replays of many events: a worker makes them, whoever looks. */
export function Replays() {
  const replays = useRead<Page<Replay>>(withQuery('/events/replays', { limit: 5 }), { everyMs: 2_500 });
  const isShown = ({ finishedAt }: Replay) => finishedAt === null || Date.now() - Date.parse(finishedAt) < shownForMs;
  if (replays.data?.items.some(isShown) !== true) return null;
  return (
    <Section title="Replays">
      <Read of={replays}>
        {({ items }) => (
          <Stack>
            {items.filter(isShown).map((one) => (
              <ReplayLine key={one.id} of={one} />
            ))}
          </Stack>
        )}
      </Read>
    </Section>
  );
}

function ReplayLine({ of: { id, state, filter, by, requestedAt, count, started, done, abortedBy } }: { of: Replay }) {
  const mayAbort = useMay('operator');
  const isOpen = state === 'waiting' || state === 'running';
  const { cause, ...asked } = filter;
  const what = [
    ...Object.entries(asked).map(([key, value]) => (key === 'person' ? 'of one person' : `${key} ${value}`)),
    ...(cause === undefined ? [] : ['of one cause']),
  ].join(', ');
  return (
    <Stack gap={4} component="article" aria-label={`Replay of ${plural(count, 'event')}`}>
      <Group justify="space-between" align="start">
        <div>
          <Text role="status">
            {done} of {plural(count, 'event')} planned anew
            {abortedBy !== null && `; aborted by ${abortedBy}, ${count - started} were not begun`}
          </Text>
          <Small>
            {what || 'all events'}; {by}, <Moment at={requestedAt} />
          </Small>
        </div>
        {mayAbort && isOpen && (
          <WriteButton label="Abort" doneText="" write={() => ({ path: `/events/replays/${id}/abort` })} />
        )}
      </Group>
      <Progress
        value={(100 * done) / count}
        color={abortedBy === null ? undefined : 'gray'}
        aria-label="Planned anew"
      />
    </Stack>
  );
}

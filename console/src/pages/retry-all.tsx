import { Button, Group, List, Progress, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { ask, Problem } from '../api/client.ts';
import type { Plan } from '../api/types.ts';
import { plural } from '../parts/words.tsx';
import type { Retryable } from './causes.ts';

interface Run {
  done: number;
  of: number;
  refused: string[];
  state: 'running' | 'stopped' | 'done';
}

/** Plans every person of a cause anew, one after the other; each is a replay of its own in the audit trail. */
export function RetryAll({ failures }: { failures: Retryable[] }) {
  const [run, setRun] = useState<Run | null>(null);
  const stopped = useRef(false);
  const queries = useQueryClient();
  useEffect(
    () => () => {
      stopped.current = true;
    },
    [],
  );

  const begin = async () => {
    stopped.current = false;
    const replayed = new Set<string>();
    const now: Run = { done: 0, of: failures.length, refused: [], state: 'running' };
    setRun({ ...now });
    for (const failure of failures) {
      if (stopped.current) break;
      try {
        const id = await eventOf(failure);
        if (!replayed.has(id)) await ask(`/events/${id}/replay`, { method: 'POST' });
        replayed.add(id);
      } catch (error) {
        now.refused.push(
          `${failure.person?.email ?? failure.key}: ${error instanceof Problem ? error.message : String(error)}`,
        );
      }
      now.done += 1;
      setRun({ ...now });
    }
    setRun({ ...now, state: stopped.current ? 'stopped' : 'done' });
    await queries.invalidateQueries();
  };

  return (
    <Stack gap="xs">
      <Group>
        <Button size="xs" variant="default" disabled={run?.state === 'running'} onClick={begin}>
          Replay {plural(failures.length, 'failure')}
        </Button>
        {run?.state === 'running' && (
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              stopped.current = true;
            }}
          >
            Stop
          </Button>
        )}
      </Group>
      {run !== null && (
        <>
          <Progress value={(100 * run.done) / run.of} aria-label="Replayed" />
          <Text size="sm" role="status">
            {run.done} of {run.of} replayed
            {run.state === 'stopped' ? '; stopped' : run.state === 'running' ? '; leaving this page stops it' : ''}
          </Text>
          <List size="sm">
            {run.refused.map((line) => (
              <List.Item key={line}>{line}</List.Item>
            ))}
          </List>
        </>
      )}
    </Stack>
  );
}

/** An action knows its plan, and a plan its event. */
async function eventOf({ retry }: Retryable): Promise<string> {
  return retry.kind === 'event' ? retry.id : (await ask<Plan>(`/plans/${retry.id}`)).cause.event;
}

import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

export function PageFrame({ title, intro, children }: { title: string; intro?: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Sendoff`;
  }, [title]);
  return (
    <Stack gap="md" maw={1200}>
      <div>
        <Title order={1} size="h2" className="break">
          {title}
        </Title>
        {intro !== undefined && <Text c="dimmed">{intro}</Text>}
      </div>
      {children}
    </Stack>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {title}
          </Title>
          {aside}
        </Group>
        {children}
      </Stack>
    </Paper>
  );
}

/** Nothing is there: why that is, or what to do. */
export function Nothing({ children }: { children: ReactNode }) {
  return <Text c="dimmed">{children}</Text>;
}

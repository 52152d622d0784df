import { Alert, Anchor, Button, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Problem } from '../api/client.ts';

/** Why something did not work, and what to do about it. */
export function Refusal({ problem, again }: { problem: Error; again?: () => void }) {
  const remedy = problem instanceof Problem ? problem.remedy : null;
  const code = problem instanceof Problem ? problem.code : null;
  return (
    <Alert color="red" role="alert" title={sentence(problem.message)}>
      <Stack gap="xs" align="start">
        {code === 'UNAUTHENTICATED' && <a href="/">Sign in</a>}
        {code === 'REAUTHENTICATE' && <SignInAgain />}
        {code !== 'REAUTHENTICATE' && remedy !== null && <Text size="sm">{sentence(remedy)}</Text>}
        {code !== null && (
          <Text size="xs" c="dimmed">
            {code}
          </Text>
        )}
        {again !== undefined && (
          <Button size="xs" variant="default" onClick={again}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

function SignInAgain() {
  return (
    <Stack gap="xs" align="start">
      <Text size="sm">Answering needs a sign-in of the last five minutes.</Text>
      <Anchor href={`/sign-in/again?to=${location.pathname}`}>Sign in again with your company account</Anchor>
      <Text size="sm">Signed in by the admin token? Sign out, and in again.</Text>
    </Stack>
  );
}

/** Also where a part of the console can't be had any more because a newer one was deployed: a reload fetches it. */
export function Broken({ error }: { error: unknown }): React.ReactNode {
  return (
    <Refusal problem={error instanceof Error ? error : new Error(String(error))} again={() => location.reload()} />
  );
}

export function Nowhere(): React.ReactNode {
  return (
    <Stack align="start">
      <Title order={1}>There is no such page</Title>
      <Anchor renderRoot={(props) => <Link {...props} to="/" />}>Go to Today</Anchor>
    </Stack>
  );
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

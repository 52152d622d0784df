import { Anchor, Group } from '@mantine/core';
import { Link } from '@tanstack/react-router';

/** Lists are paged by the server: its cursor goes into the page's address. */
export function Pager({ next, before }: { next: string | null; before: string | undefined }) {
  if (next === null && before === undefined) return null;
  return (
    <Group component="nav" aria-label="Pages of this list">
      {before !== undefined && (
        <Anchor
          renderRoot={(props) => (
            <Link {...props} to="." search={(all) => ({ ...all, before: undefined })} state={true} />
          )}
        >
          First page
        </Anchor>
      )}
      {next !== null && (
        <Anchor
          renderRoot={(props) => <Link {...props} to="." search={(all) => ({ ...all, before: next })} state={true} />}
        >
          Next page
        </Anchor>
      )}
    </Group>
  );
}

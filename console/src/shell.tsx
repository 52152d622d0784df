import {
  Alert,
  AppShell,
  Badge,
  Burger,
  Button,
  Group,
  NavLink,
  SegmentedControl,
  Stack,
  Text,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useChangeStream } from './api/live.ts';
import type { Overview } from './api/types.ts';
import { useMe, useRead } from './api/use-api.ts';

const pages = [
  { to: '/', label: 'Today' },
  { to: '/people', label: 'People' },
  { to: '/approvals', label: 'Approvals' },
  { to: '/accounts', label: 'Accounts' },
  { to: '/events', label: 'Events' },
  { to: '/failures', label: 'Queues' },
  { to: '/audit', label: 'Audit' },
  { to: '/settings', label: 'Settings' },
] as const;

export function Shell(): React.ReactNode {
  useChangeStream();
  const [opened, menu] = useDisclosure(false);
  const { pathname, hash } = useLocation();
  const navigate = useNavigate();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useHotkeys([['mod+K', () => navigate({ to: '/people', hash: 'search' })]]);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    menu.close();
    if (hash === '') main.current?.focus();
  }, [pathname, hash, menu]);

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 210, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding="md"
    >
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap" justify="space-between">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={menu.toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={opened ? 'Close the menu' : 'Open the menu'}
              aria-expanded={opened}
            />
            <Text fw={700}>Sendoff</Text>
          </Group>
          <SignedIn />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        <Stack justify="space-between" h="100%">
          <div>
            {pages.map(({ to, label }) => (
              <NavLink
                key={to}
                renderRoot={(props) => <Link {...props} to={to} />}
                onClick={menu.close}
                label={label}
                active={to === '/' ? pathname === '/' : pathname.startsWith(to)}
                aria-current={(to === '/' ? pathname === '/' : pathname.startsWith(to)) ? 'page' : undefined}
                rightSection={to === '/approvals' ? <Held /> : undefined}
              />
            ))}
          </div>
          <Colours />
        </Stack>
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function Held() {
  const { data } = useRead<Overview>('/overview');
  const held = data?.plans.held ?? 0;
  return held === 0 ? null : (
    <Badge color="orange" variant="filled" aria-label={`${held} held`}>
      {held}
    </Badge>
  );
}

function SignedIn() {
  const { data, error } = useMe();
  if (error?.status === 401) {
    return (
      <Alert color="red" p={4} role="alert">
        Your session is over. <a href="/">Sign in</a>
      </Alert>
    );
  }
  return (
    <Group gap="sm" wrap="nowrap">
      <Text size="sm" visibleFrom="xs">
        {data === undefined ? '' : `${data.actor.replace(/^user:/, '')} (${data.role})`}
      </Text>
      <form method="post" action="/sign-out">
        <Button type="submit" variant="default" size="xs">
          Sign out
        </Button>
      </form>
    </Group>
  );
}

function Colours() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      size="xs"
      fullWidth
      aria-label="Colours"
      value={colorScheme}
      onChange={(value) => setColorScheme(value as 'auto' | 'light' | 'dark')}
      data={[
        { value: 'auto', label: 'Auto' },
        { value: 'light', label: 'Light' },
        { value: 'dark', label: 'Dark' },
      ]}
    />
  );
}

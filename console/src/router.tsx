import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Broken, Nowhere } from './parts/broken.tsx';
import { Shell } from './shell.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: Nowhere });
const getParentRoute = () => root;

/** A page's filters live in its address, those about somebody elsewhere (use-filters.ts): the browser's way back is the way back. */
function text<K extends string>(...keys: K[]) {
  return (search: Record<string, unknown>): Partial<Record<K, string>> =>
    Object.fromEntries(
      keys.flatMap((key) => {
        const value = search[key];
        return value === undefined || value === '' ? [] : [[key, String(value)]];
      }),
    ) as Partial<Record<K, string>>;
}

const routeTree = root.addChildren([
  createRoute({
    getParentRoute,
    path: '/',
    component: lazyRouteComponent(() => import('./pages/today.tsx'), 'TodayPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/people',
    validateSearch: text('leaving', 'before'),
    component: lazyRouteComponent(() => import('./pages/people.tsx'), 'PeoplePage'),
  }),
  createRoute({
    getParentRoute,
    path: '/people/$id',
    component: lazyRouteComponent(() => import('./pages/person.tsx'), 'PersonPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/approvals',
    validateSearch: text('before'),
    component: lazyRouteComponent(() => import('./pages/approvals.tsx'), 'ApprovalsPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/accounts',
    component: lazyRouteComponent(() => import('./pages/accounts.tsx'), 'AccountsPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/accounts/$account',
    validateSearch: text('filter', 'before'),
    component: lazyRouteComponent(() => import('./pages/account.tsx'), 'AccountPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/events',
    validateSearch: text('state', 'source', 'before'),
    component: lazyRouteComponent(() => import('./pages/events.tsx'), 'EventsPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/events/$id',
    component: lazyRouteComponent(() => import('./pages/event.tsx'), 'EventPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/failures',
    component: lazyRouteComponent(() => import('./pages/failures.tsx'), 'FailuresPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/audit',
    validateSearch: text('kind', 'account', 'since', 'until', 'before'),
    component: lazyRouteComponent(() => import('./pages/audit.tsx'), 'AuditPage'),
  }),
  createRoute({
    getParentRoute,
    path: '/settings',
    component: lazyRouteComponent(() => import('./pages/settings.tsx'), 'SettingsPage'),
  }),
]);

export const router = createRouter({ routeTree, defaultErrorComponent: Broken, scrollRestoration: true });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
